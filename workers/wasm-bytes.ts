/** The WASM modules in `wasm/`, which is beside this file and beside the bundle of the Node host. */
import { readFile } from 'node:fs/promises'
import type { WasmName } from '../src/host.ts'

export async function wasmBytes(name: WasmName): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await readFile(new URL(`./wasm/${name}.wasm`, import.meta.url)))
}
