/** The two WASM modules, taken out of the packages that ship them. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** libzstd: zstddec carries it as the one base64 string in its source that begins like a WASM module. */
export async function zstdBytes(): Promise<Uint8Array<ArrayBuffer>> {
  const source = await readFile(fileURLToPath(import.meta.resolve('zstddec/stream')), 'utf8')
  const base64 = /["'`](AGFzb[A-Za-z0-9+/=]+)["'`]/.exec(source)?.[1]
  if (base64 === undefined) throw new Error('zstddec no longer carries its module as base64')
  return Uint8Array.from(Buffer.from(base64, 'base64'))
}

export async function sqliteBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await readFile(fileURLToPath(import.meta.resolve('sql.js/dist/sql-wasm.wasm'))))
}
