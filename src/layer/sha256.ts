/**
 * SHA-256 of files that are wholly in memory. In workerd a platform call takes 2.5 µs before it hashes anything, so small files
 * use hash-wasm's module.
 */
import { hash } from 'node:crypto'
import type { ByteString } from '../text/bytes.ts'

/** Up to this many bytes the module is by far the faster one in workerd; in Node the two are about equal. */
const SMALL = 256
const DIGEST_BYTES = 32

/** The exports of hash-wasm that are used. */
type HashWasm = {
  readonly memory: WebAssembly.Memory
  /** Where the input goes, and where the digest appears. */
  Hash_GetBuffer(): number
  /** @param bits 256, or 224 for SHA-224 */
  Hash_Calculate(bytes: number, bits: 256): void
}

export class Sha256 {
  readonly #wasm: HashWasm
  readonly #input: Uint8Array
  readonly #digest: Buffer

  /** @param module hash-wasm's for SHA-256 */
  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module)
    if (!isHashWasm(exports)) throw new Error('the SHA-256 module lacks exports')
    const at = exports.Hash_GetBuffer()
    this.#wasm = exports
    this.#input = new Uint8Array(exports.memory.buffer, at, SMALL)
    this.#digest = Buffer.from(exports.memory.buffer, at, DIGEST_BYTES)
  }

  digest(bytes: Uint8Array): ByteString {
    if (bytes.length > SMALL) return hash('sha256', bytes, 'binary')
    this.#input.set(bytes)
    this.#wasm.Hash_Calculate(bytes.length, 256)
    return this.#digest.toString('latin1')
  }
}

function isHashWasm(exports: WebAssembly.Exports): exports is WebAssembly.Exports & HashWasm {
  return 'memory' in exports && 'Hash_GetBuffer' in exports && 'Hash_Calculate' in exports
}
