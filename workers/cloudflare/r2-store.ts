/** `ObjectStore` on an R2 bucket. */
import type { ByteRange, ObjectStore, StoredObject } from '../../src/host.ts'
import { BlobReader } from '../../src/layer/blob.ts'
import { Problem } from '../../src/problem.ts'
import { type ByteSource, byteStream, streamOf } from '../../src/source/byte-stream.ts'
import { pause } from '../../src/timeout.ts'
import { inParts } from '../parts.ts'
import { LeasedSemaphore } from './leased-semaphore.ts'

/** R2 takes parts of 5 MiB and more, all of one size except the last. */
const PART_BYTES = 5 * 1024 * 1024

/** The part of R2's binding that is used. */
export interface R2Bucket {
  head(key: string): Promise<{ readonly size: number } | null>
  get(
    key: string,
    options?: { range: ByteRange },
  ): Promise<{ readonly size: number; readonly body: ReadableStream<Uint8Array> } | null>
  put(key: string, body: Uint8Array): Promise<unknown>
  delete(key: string): Promise<void>
  list(options: { prefix: string; cursor?: string }): Promise<{
    readonly objects: readonly { readonly key: string }[]
    readonly truncated: boolean
    readonly cursor?: string
  }>
  createMultipartUpload(key: string): Promise<R2Upload>
}

interface R2Upload {
  uploadPart(part: number, body: Uint8Array): Promise<unknown>
  complete(parts: readonly unknown[]): Promise<unknown>
  abort(): Promise<void>
}

/** Attempts per operation: R2 expects retries, since it fails now and then. Callers try again later, too. */
const CALLS = 3
/** A range up to this size is read whole before it is given, so that one that breaks off can be read again. */
const WHOLE_BYTES = 1024 * 1024
/** How much a reader without a buffer of its own gets at once. */
const CHUNK_BYTES = 64 * 1024
/** Delay before the second attempt; doubled before each further one. */
const PAUSE_MILLISECONDS = 100
/** R2 takes one write of a key in this time. */
const WRITE_MILLISECONDS = 1_000
/** An internal error, a bucket that is being moved, a lost connection: a retry may succeed. */
const PASSING: ReadonlySet<number | undefined> = new Set([10001, 10043, 10054, 10058, undefined])
/** The next large write goes on after this time, whether the one before has ended, hangs, or was cancelled with its request. */
const TURN_MILLISECONDS = 5_000
const BEAT_MILLISECONDS = 1_000
/** The key was written less than {@link WRITE_MILLISECONDS} ago. */
const WRITTEN_TOO_OFTEN = 10058

export type R2StoreOptions = {
  /**
   * Reads larger objects in pieces of this size, and writes larger ones one after the other. For Miniflare, with a bucket that
   * yields: see `yielding-bucket.ts`.
   */
  readonly pieceBytes?: number
}

export class R2Store implements ObjectStore {
  readonly #bucket: R2Bucket
  readonly #pieceBytes: number
  /** Large ones, one at a time; a cancelled request releases nothing, so its lease ends. */
  readonly #writes = new LeasedSemaphore(
    { total: 1 },
    { leaseMilliseconds: TURN_MILLISECONDS, beatMilliseconds: BEAT_MILLISECONDS },
  ).of('writes')

  constructor(bucket: R2Bucket, { pieceBytes = Number.POSITIVE_INFINITY }: R2StoreOptions = {}) {
    this.#bucket = bucket
    this.#pieceBytes = pieceBytes
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    if (range === undefined) {
      const object = await answered(() => opened(this.#bucket.get(key)))
      if (object === null || object.size <= this.#pieceBytes) return object ?? undefined
      await object.body.cancel()
      return { size: object.size, body: this.#inPieces(key, 0, object.size) }
    }
    if ('offset' in range && range.length > this.#pieceBytes) {
      const size = (await answered(() => this.#bucket.head(key)))?.size
      if (size === undefined) return undefined
      return { size, body: this.#inPieces(key, range.offset, Math.min(size, range.offset + range.length)) }
    }
    return this.#getRange(key, range)
  }

  async #getRange(key: string, range: ByteRange): Promise<StoredObject | undefined> {
    try {
      return (await again(() => opened(this.#bucket.get(key, { range }), lengthOf(range)))) ?? undefined
    } catch (error) {
      // R2 reports a range that contains no byte of the object as an error.
      const size = (await answered(() => this.#bucket.head(key)))?.size
      const first = 'suffix' in range ? 0 : range.offset
      if (size === undefined || first < size) throw unavailable(error)
      return { size, body: new Blob([]).stream() }
    }
  }

  #inPieces(key: string, start: number, end: number): ReadableStream<Uint8Array> {
    let at = start
    return new ReadableStream(
      {
        pull: async (controller) => {
          if (at >= end) return controller.close()
          const length = Math.min(this.#pieceBytes, end - at)
          const range = { offset: at, length }
          const piece = await answered(async () => {
            const object = await this.#bucket.get(key, { range })
            return object && new Response(object.body).bytes()
          })
          if (piece === null) throw new Problem('store_error', 'an object was deleted while it was read')
          controller.enqueue(piece)
          at += length
        },
      },
      { highWaterMark: 0 },
    )
  }

  async has(key: string): Promise<boolean> {
    return (await answered(() => this.#bucket.head(key))) !== null
  }

  /** A small object is put at once; a larger one is a multipart upload, visible only when it is complete. */
  async put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    if (body instanceof Uint8Array) return this.#put(key, body)
    const parts = inParts(body, PART_BYTES)
    try {
      const first = await parts.next()
      const second = first.done ? first : await parts.next()
      if (first.done || second.done) await this.#put(key, first.value ?? new Uint8Array(0))
      else await this.#upload(key, [first.value, second.value], parts)
    } finally {
      // Cancels a body that was not read to its end.
      await parts.return(undefined)
    }
  }

  async delete(key: string): Promise<void> {
    await answered(() => this.#bucket.delete(key))
  }

  async *list(prefix: string): AsyncGenerator<string> {
    let cursor: string | undefined
    do {
      const after = cursor === undefined ? {} : { cursor }
      const page = await answered(() => this.#bucket.list({ prefix, ...after }))
      for (const object of page.objects) yield object.key
      cursor = page.truncated ? page.cursor : undefined
    } while (cursor !== undefined)
  }

  /** Writes when it is the turn of these bytes. */
  async #inTurn<T>(bytes: Uint8Array, write: () => Promise<T>): Promise<T> {
    if (bytes.length <= this.#pieceBytes) return write()
    const permit = await this.#writes.acquire([])
    const late = setTimeout(() => permit.release(), TURN_MILLISECONDS)
    try {
      return await write()
    } finally {
      clearTimeout(late)
      permit.release()
    }
  }

  async #put(key: string, bytes: Uint8Array): Promise<void> {
    await answered(async () => {
      try {
        await this.#inTurn(bytes, () => this.#bucket.put(key, bytes))
      } catch (error) {
        // Most objects never change: another writer has just stored the same bytes.
        if (numberOf(error) === WRITTEN_TOO_OFTEN && (await this.#holds(key, bytes))) return
        throw error
      }
    })
  }

  async #holds(key: string, bytes: Uint8Array): Promise<boolean> {
    const object = await this.#bucket.get(key)
    return object !== null && Buffer.compare(await new Response(object.body).bytes(), bytes) === 0
  }

  /** @param rest what follows the first parts */
  async #upload(key: string, first: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): Promise<void> {
    const upload = await answered(() => this.#bucket.createMultipartUpload(key))
    try {
      const uploaded: unknown[] = []
      const send = async (part: Uint8Array) => {
        const number = uploaded.length + 1
        uploaded.push(await answered(() => this.#inTurn(part, () => upload.uploadPart(number, part))))
      }
      for (const part of first) await send(part)
      for await (const part of rest) await send(part)
      await answered(async () => {
        try {
          await upload.complete(uploaded)
        } catch (error) {
          // An earlier attempt may have completed it, though its answer was lost.
          if ((await this.#bucket.head(key)) === null) throw error
        }
      })
    } catch (error) {
      await upload.abort().catch(() => undefined)
      throw error
    }
  }
}

function lengthOf(range: ByteRange): number {
  return 'suffix' in range ? range.suffix : range.length
}

/**
 * The object, with a body that fails with a store error: the connection can break within it.
 *
 * @param wantedBytes what was asked for, if not all
 */
async function opened(
  opening: ReturnType<R2Bucket['get']>,
  wantedBytes = Number.POSITIVE_INFINITY,
): Promise<StoredObject | null> {
  const object = await opening
  if (object === null) return null
  const { size, body } = object
  if (Math.min(size, wantedBytes) > WHOLE_BYTES) {
    return { size, body: byteStream(new StoredBody(body), CHUNK_BYTES) }
  }
  return { size, body: streamOf(await new Response(body).bytes()) }
}

/** A body whose failures are store errors. */
class StoredBody implements ByteSource {
  readonly #reader: BlobReader
  #piece: Uint8Array = new Uint8Array(0)
  #rest = this.#piece

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = new BlobReader(body)
  }

  async readInto(view: Uint8Array): Promise<number> {
    if (this.#rest.length === 0) {
      this.#reader.release(this.#piece)
      this.#piece = (await this.#next()) ?? new Uint8Array(0)
      this.#rest = this.#piece
    }
    const bytes = this.#rest.subarray(0, view.length)
    view.set(bytes)
    this.#rest = this.#rest.subarray(bytes.length)
    return bytes.length
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#reader.cancel(reason)
  }

  async #next(): Promise<Uint8Array | undefined> {
    try {
      return await this.#reader.read()
    } catch (error) {
      throw unavailable(error)
    }
  }
}

/** The operation's result, or its failure as a store error. */
async function answered<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await again(call)
  } catch (error) {
    throw unavailable(error)
  }
}

/** Retries until there is a result, or a failure that a retry would repeat. */
async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let calls = 1; ; calls++) {
    try {
      return await call()
    } catch (error) {
      if (calls === CALLS || !mayPass(error)) throw error
      const least = numberOf(error) === WRITTEN_TOO_OFTEN ? WRITE_MILLISECONDS : 0
      await pause(least + PAUSE_MILLISECONDS * 2 ** (calls - 1) * (0.5 + Math.random()))
    }
  }
}

/** A network failure has no number; an invalid call is a `TypeError`. */
function mayPass(error: unknown): boolean {
  return !(error instanceof TypeError) && PASSING.has(numberOf(error))
}

/** R2 ends its error messages with a number: `put: … (10001)`. */
function numberOf(error: unknown): number | undefined {
  const number = error instanceof Error ? /\((\d+)\)$/.exec(error.message)?.[1] : undefined
  return number === undefined ? undefined : Number(number)
}

/** R2's messages may contain keys: the number says enough. */
function unavailable(error: unknown): Problem {
  const detail = `the object store returned an error (${numberOf(error) ?? 'no connection'})`
  return new Problem('store_error', detail, { retryAfter: 5 })
}
