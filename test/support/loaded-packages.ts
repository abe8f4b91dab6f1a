/** For `node --import`: prints at exit which CommonJS packages were loaded. */
import { createRequire } from 'node:module'

const { cache } = createRequire(import.meta.url)

process.on('exit', () => {
  const names = Object.keys(cache).flatMap(
    (file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
  )
  console.log(`loaded: ${[...new Set(names)].join(' ')}`)
})
