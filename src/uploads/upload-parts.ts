/**
 * An archive in the store, as a row of objects of equal size, the last one shorter: each can be read while the next ones are
 * still incoming.
 */
import type { ObjectStore } from '../host.ts'
import { uploadPartKey } from '../index/keys.ts'
import { BlobReader } from '../layer/blob.ts'
import { Problem } from '../problem.ts'
import type { RangeReader } from '../source/archive/range-reader.ts'
import { byteStream } from '../source/byte-stream.ts'
import type { BlobRange } from '../source/source.ts'
import { pause } from '../timeout.ts'

export const PART_BYTES = 4 * 1024 * 1024
/** How often a part that has not arrived is looked for, and whether the upload still exists. */
const LOOK_MILLISECONDS = 25
const ALIVE_MILLISECONDS = 1_000
/** How long a reader waits for the next part: it is started only if the rest is expected sooner. */
const PATIENCE_MILLISECONDS = 10_000

/** How much a reader without a buffer of its own gets at once. */
const CHUNK_BYTES = 64 * 1024
const NOTHING = new Uint8Array(0)
/** A part's buffer grows as bytes arrive, from this size: uploads that stall early hold little. */
const FIRST_BYTES = 256 * 1024

/** Writes an archive into the store: while one part is stored, the next is collected. */
export class PartWriter {
  readonly #store: ObjectStore
  readonly #upload: string
  /** The two buffers take turns. */
  #part = NOTHING
  #other = NOTHING
  #filled = 0
  #number = 0
  #storing: Promise<void> = Promise.resolve()
  readonly #admit: () => Promise<void>

  /**
   * @param upload the hash of its id
   * @param admit called before each part is stored; what it throws, `write` and `finish` throw
   */
  constructor(store: ObjectStore, upload: string, admit: () => Promise<void> = async () => {}) {
    this.#store = store
    this.#upload = upload
    this.#admit = admit
  }

  /** Copies the chunk. @throws the store's error, perhaps about an earlier part */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + PART_BYTES - this.#filled)
      this.#grow(this.#filled + piece.length)
      this.#part.set(piece, this.#filled)
      this.#filled += piece.length
      at += piece.length
      if (this.#filled === PART_BYTES) await this.#put()
    }
  }

  /** Call this after the last chunk. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#put()
    await this.#storing
    await this.close()
  }

  /** Resolves when nothing is being written any more, whether or not that succeeded; gives the memory back. */
  async close(): Promise<void> {
    await this.#storing.catch(() => undefined)
    // Buffers of megabytes are no reason for V8 to collect its garbage soon.
    for (const { buffer } of [this.#part, this.#other]) if (buffer.byteLength > 0) buffer.transfer(0)
    this.#part = NOTHING
    this.#other = NOTHING
  }

  #grow(bytes: number): void {
    if (bytes <= this.#part.length) return
    const larger = new Uint8Array(Math.min(PART_BYTES, Math.max(FIRST_BYTES, bytes, 2 * this.#part.length)))
    larger.set(this.#part.subarray(0, this.#filled))
    this.#part = larger
  }

  async #put(): Promise<void> {
    await this.#storing
    await this.#admit()
    const key = uploadPartKey(this.#upload, this.#number++)
    this.#storing = this.#store.put(key, this.#part.subarray(0, this.#filled))
    // The next call throws it.
    this.#storing.catch(() => undefined)
    const stored = this.#part
    this.#part = this.#other
    this.#other = stored
    this.#filled = 0
  }
}

/** What is known about an archive in the store. */
export type StoredArchive = {
  /** The hash of the upload's id. */
  readonly upload: string
  /** Length of the archive in bytes, if that is known. */
  readonly size?: number
  /** Present while it is still incoming: whether that has ended in vain. */
  readonly isGone?: () => Promise<boolean>
}

/** The archive's bytes. @throws Problem `upload_not_found` if they were deleted; `store_error` if they do not arrive */
export function storedArchive(
  store: ObjectStore,
  { upload, size = Number.MAX_SAFE_INTEGER, isGone }: StoredArchive,
): RangeReader {
  return {
    size,
    async read({ offset, length }) {
      const part = async (number: number, within: BlobRange, signal: AbortSignal) => {
        const key = uploadPartKey(upload, number)
        const look = () => store.get(key, within)
        const object = (await look()) ?? (isGone && (await arrival(look, isGone, signal)))
        if (object === undefined) throw uploadNotFound()
        return object.body
      }
      const wanted = { offset, length: Math.min(length, size - offset) }
      // A byte stream, so that a large archive creates no garbage.
      return byteStream(new PartsReader(wanted, part), CHUNK_BYTES)
    },
  }
}

/** Waits for a part. @returns undefined if the upload is gone */
async function arrival<T>(
  look: () => Promise<T | undefined>,
  isGone: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const began = Date.now()
  let seenAt = began
  for (;;) {
    await pause(LOOK_MILLISECONDS, signal)
    const found = await look()
    if (found !== undefined) return found
    const now = Date.now()
    if (now - began > PATIENCE_MILLISECONDS)
      throw new Problem('store_error', 'the rest of the upload does not arrive', { retryAfter: 5 })
    if (now - seenAt < ALIVE_MILLISECONDS) continue
    if (await isGone()) return undefined
    seenAt = now
  }
}

type OpenPart = (
  number: number,
  within: BlobRange,
  signal: AbortSignal,
) => Promise<ReadableStream<Uint8Array>>

/** Reads one part after the other; the next one is opened while one is read. */
class PartsReader {
  readonly #open: OpenPart
  readonly #cancelled = new AbortController()
  readonly #end: number
  #at: number
  #next: Promise<ReadableStream<Uint8Array>> | undefined
  #reader: BlobReader | undefined
  /** The piece that is being copied, and what is left of it. */
  #piece: Uint8Array = NOTHING
  #rest: Uint8Array = NOTHING

  constructor({ offset, length }: BlobRange, open: OpenPart) {
    this.#open = open
    this.#at = offset
    this.#end = offset + length
    this.#next = this.#openNext()
  }

  /** Fills some of the view. @returns how much; 0 at the end */
  async readInto(view: Uint8Array): Promise<number> {
    try {
      while (this.#rest.length === 0) if (!(await this.#advance())) return 0
    } catch (error) {
      // The part that was opened ahead would stay open.
      void this.cancel(error)
      throw error
    }
    const bytes = this.#rest.subarray(0, view.length)
    view.set(bytes)
    this.#rest = this.#rest.subarray(bytes.length)
    return bytes.length
  }

  /** Closes what is open, even if `readInto` has not returned yet; never throws. */
  async cancel(reason?: unknown): Promise<void> {
    this.#cancelled.abort(reason)
    const opened = this.#next
    this.#next = undefined
    await Promise.all([
      this.#reader?.cancel(reason),
      opened?.then((body) => body.cancel(reason)).catch(() => undefined),
    ])
  }

  /** @returns false at the end */
  async #advance(): Promise<boolean> {
    const { signal } = this.#cancelled
    // A reader that is cancelled seems to end.
    signal.throwIfAborted()
    if (this.#reader === undefined) {
      if (this.#next === undefined) return false
      const body = await this.#next
      signal.throwIfAborted()
      this.#reader = new BlobReader(body)
      this.#next = this.#openNext()
    }
    this.#reader.release(this.#piece)
    this.#piece = (await this.#reader.read()) ?? NOTHING
    this.#rest = this.#piece
    if (this.#piece.length === 0) this.#reader = undefined
    return true
  }

  #openNext(): Promise<ReadableStream<Uint8Array>> | undefined {
    if (this.#at >= this.#end) return undefined
    const number = Math.floor(this.#at / PART_BYTES)
    const offset = this.#at - number * PART_BYTES
    const length = Math.min(PART_BYTES - offset, this.#end - this.#at)
    this.#at += length
    const opened = this.#open(number, { offset, length }, this.#cancelled.signal)
    // Whoever reads it meets the error.
    opened.catch(() => undefined)
    return opened
  }
}

export function uploadNotFound(): Problem {
  return new Problem('upload_not_found', 'no such upload: it was deleted, it expired, or it never existed')
}
