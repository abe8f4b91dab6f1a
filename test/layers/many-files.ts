/** Layers of many small files. */
import { header } from '../support/tar.ts'

const BLOCK = 512
const FILES_A_DIRECTORY = 1_000

/**
 * A tar of `files` files below `data/`, a thousand in a directory, each with a few unique bytes. @param from number of the
 * first
 */
export function manyFiles(files: number, from = 0): Uint8Array {
  const bytes = Buffer.alloc(files * 2 * BLOCK + 2 * BLOCK)
  for (let at = 0; at < files; at++) {
    const number = from + at
    const name = `${Math.floor(number / FILES_A_DIRECTORY)}/${number % FILES_A_DIRECTORY}`
    const content = Buffer.from(name)
    bytes.set(header({ name: `data/${name}`, size: content.byteLength }), 2 * BLOCK * at)
    bytes.set(content, 2 * BLOCK * at + BLOCK)
  }
  return bytes
}
