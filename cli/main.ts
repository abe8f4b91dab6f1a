#!/usr/bin/env node
/**
 * The command `lamina`: each command asks an endpoint, in this process or of a service. This file loads no more than the
 * command needs, so that it starts fast.
 */
import * as nodeModule from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isTooOld, OLDEST_NODE } from '../workers/node-version.ts'
import { VERSION } from './version.ts'

if (isTooOld(process.versions.node)) {
  process.stderr.write(`lamina needs Node ${OLDEST_NODE} or newer; this is ${process.versions.node}\n`)
  process.exitCode = 2
} else if (process.argv.length === 3 && /^(version|--version|-V)$/.test(process.argv[2] ?? '')) {
  process.stdout.write(`lamina ${VERSION}\n`)
} else {
  const words = process.argv.slice(2)
  if (usesCache(words))
    // It fails silently: then the code is compiled again.
    nodeModule.enableCompileCache(
      join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lamina/compiled'),
    )
  const { run } = await import('./run.ts')
  await run(words)
}

/** Whether the command may write to the user's cache: not if told not to, and not if a service answers. */
function usesCache(words: readonly string[]): boolean {
  return (
    !process.env.LAMINA_SERVER && !words.some((word) => word === '--no-cache' || word.startsWith('--server'))
  )
}
