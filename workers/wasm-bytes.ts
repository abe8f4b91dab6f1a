/** The WASM modules, taken out of the packages that ship them. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { WasmName } from '../src/host.ts'

/** A script that carries the module as its one base64 string that begins like one. */
const FILES: Record<WasmName, string> = {
  zstd: 'zstddec/stream',
  sha256: 'hash-wasm/dist/sha256.umd.min.js',
}

export async function wasmBytes(name: WasmName): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readFile(fileURLToPath(import.meta.resolve(FILES[name])))
  const base64 = /["'`](AGFzb[A-Za-z0-9+/=]+)["'`]/.exec(bytes.toString())?.[1]
  if (base64 === undefined) throw new Error(`${FILES[name]} no longer carries its module as base64`)
  return Uint8Array.from(Buffer.from(base64, 'base64'))
}
