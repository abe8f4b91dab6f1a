/** In the bundle of the Node host in the place of `workers/wasm-bytes.ts`: the WASM modules lie beside it. */
import { readFile } from 'node:fs/promises'
import type { WasmName } from '../../../src/host.ts'

export async function wasmBytes(name: WasmName): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await readFile(new URL(`./wasm/${name}.wasm`, import.meta.url)))
}
