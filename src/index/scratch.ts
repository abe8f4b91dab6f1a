/** Content that is put aside in the store while a layer is read, for random access. */
import type { ObjectStore } from '../host.ts'
import type { FileRanges } from '../inside/ranges.ts'
import type { Scratch } from '../layer/examine.ts'
import { Problem } from '../problem.ts'
import { fetchBytes } from '../table/fetch-bytes.ts'
import { TemporaryObjects } from '../table/temporary.ts'
import { ObjectWriter } from './object-writer.ts'

const PIECE_BYTES = 1024 * 1024
/** How much is fetched at once: neighbouring entries of an archive are read one after the other. */
const FETCH_BYTES = 64 * 1024

export class StoredScratch implements Scratch {
  readonly #store: ObjectStore
  readonly #temporary: TemporaryObjects
  readonly #key: string
  readonly #writer: ObjectWriter
  /** Belongs to the object once it is full. */
  #piece = emptyPiece()
  #filled = 0
  #bytes = 0
  #isFinished = false

  constructor(store: ObjectStore) {
    this.#store = store
    this.#temporary = new TemporaryObjects(store)
    this.#key = this.#temporary.next()
    this.#writer = new ObjectWriter(store, this.#key)
  }

  write(piece: Uint8Array): void | Promise<void> {
    const part = piece.subarray(0, PIECE_BYTES - this.#filled)
    this.#bytes += part.length
    this.#piece.set(part, this.#filled)
    this.#filled += part.length
    if (this.#filled === PIECE_BYTES) return this.#writeRest(piece.subarray(part.length))
  }

  async finish(): Promise<FileRanges> {
    await this.#flush()
    await this.#writer.finish()
    this.#isFinished = true
    return new FetchedRanges(this.#store, this.#key, this.#bytes)
  }

  async release(): Promise<void> {
    if (!this.#isFinished) await this.#writer.abort(new Error('no longer needed'))
    await this.#temporary.delete()
  }

  async #writeRest(rest: Uint8Array): Promise<void> {
    await this.#flush()
    this.#piece = emptyPiece()
    this.#filled = 0
    await this.write(rest)
  }

  async #flush(): Promise<void> {
    if (this.#filled > 0) await this.#writer.write(this.#piece.subarray(0, this.#filled))
  }
}

/** Not zeroed, which takes a tenth of the time of a large archive: only what was written is stored. */
function emptyPiece(): Uint8Array {
  return Buffer.allocUnsafeSlow(PIECE_BYTES)
}

class FetchedRanges implements FileRanges {
  readonly bytes: number
  readonly #store: ObjectStore
  readonly #key: string
  #start = 0
  #held: Uint8Array = new Uint8Array(0)

  constructor(store: ObjectStore, key: string, bytes: number) {
    this.#store = store
    this.#key = key
    this.bytes = bytes
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(this.bytes, offset + length)
    if (end <= offset) return new Uint8Array(0)
    if (offset < this.#start || end > this.#start + this.#held.length) {
      const range = { offset, length: Math.max(FETCH_BYTES, length) }
      const fetched = await fetchBytes(this.#store, this.#key, range)
      if (fetched === undefined)
        throw new Problem('store_error', `the temporary object ${this.#key} is missing from the store`)
      this.#start = offset
      this.#held = fetched.bytes
    }
    return this.#held.subarray(offset - this.#start, end - this.#start)
  }
}
