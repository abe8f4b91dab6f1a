/** For `node --import`: writes the routes that were loaded to the file `LOADED_ROUTES`, when the process ends. */
import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const routes = new Set<string>()

registerHooks({
  load(url, context, next) {
    const [, name] = /\/src\/http\/routes\/([\w-]+)\.ts$/.exec(url) ?? []
    if (name !== undefined) routes.add(name)
    return next(url, context)
  },
})

if (isMainThread)
  process.on('exit', () => writeFileSync(process.env.LOADED_ROUTES ?? '', [...routes].sort().join('\n')))
