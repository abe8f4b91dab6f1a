/** Replaces `workers/wasm-bytes.ts` in the bundle of the Node host: the WASM modules are next to it. */
import { readFile } from 'node:fs/promises'
import type { WasmName } from '../../../src/host.ts'

export async function wasmBytes(name: WasmName): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await readFile(new URL(`./wasm/${name}.wasm`, import.meta.url)))
}
