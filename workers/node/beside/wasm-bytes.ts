/** In the bundle of the Node host in the place of `workers/wasm-bytes.ts`: the WASM modules lie beside it. */
import { readFile } from 'node:fs/promises'

async function read(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await readFile(new URL(`./wasm/${name}.wasm`, import.meta.url)))
}

export function zstdBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return read('zstd')
}

export function sqliteBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return read('sqlite')
}
