/** The command in a separate process, as people and CI run it: from the bundle, which starts in half the time of its sources. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { bundleCli } from '../../cli/bundle.ts'
import { bundleByContent } from '../../workers/node/bundle.ts'
import { COMPILED } from './service.ts'

const BUNDLES = fileURLToPath(new URL('../../dist/test/', import.meta.url))

/** What Node runs. */
export const LAMINA = join(await bundleByContent(BUNDLES, bundleCli), 'lamina.js')

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

/** @param input its stdin */
export async function runLamina(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  input?: Uint8Array,
): Promise<Ended> {
  const child = spawn(process.execPath, [LAMINA, ...words], {
    env: { PATH: process.env.PATH, ...COMPILED, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // A command that does not read stdin may exit before all of it is written.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}
