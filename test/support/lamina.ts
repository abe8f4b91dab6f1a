/** The command in a separate process, as people and CI run it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

/** Code that is compiled once for all tests: without it each command takes three times as long. */
export const COMPILED = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '' }

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

/** @param input its stdin */
export async function runLamina(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  input?: Uint8Array,
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { PATH: process.env.PATH, ...COMPILED, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // A command that does not read stdin may exit before all of it is written.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}
