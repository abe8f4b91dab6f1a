#!/usr/bin/env node
/** `lamina`: loads no more than the command needs, so that it starts fast. */
import { VERSION } from './version.ts'

const OLDEST = [22, 19]
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < (OLDEST[0] ?? 0) || (major === OLDEST[0] && minor < (OLDEST[1] ?? 0))) {
  process.stderr.write(`lamina needs Node ${OLDEST.join('.')} or newer; this is ${process.versions.node}\n`)
  process.exitCode = 2
} else if (process.argv.length === 3 && /^(version|--version|-V)$/.test(process.argv[2] ?? '')) {
  process.stdout.write(`lamina ${VERSION}\n`)
} else {
  const { run } = await import('./run.ts')
  await run(process.argv.slice(2))
}
