/** `ObjectStore` on an R2 bucket. */
import type { ByteRange, ObjectStore, StoredObject } from '../../src/host.ts'
import { Problem } from '../../src/problem.ts'
import { inParts } from '../parts.ts'

/** R2 takes parts of 5 MiB and more, all but the last of one size. */
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

export class R2Store implements ObjectStore {
  readonly #bucket: R2Bucket

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    if (range === undefined) return (await answered(this.#bucket.get(key))) ?? undefined
    try {
      return (await this.#bucket.get(key, { range })) ?? undefined
    } catch (error) {
      // R2 takes a range without a byte of the object for an error.
      const size = (await answered(this.#bucket.head(key)))?.size
      const first = 'suffix' in range ? 0 : range.offset
      if (size === undefined || first < size) throw unavailable(error)
      return { size, body: new Blob([]).stream() }
    }
  }

  async has(key: string): Promise<boolean> {
    return (await answered(this.#bucket.head(key))) !== null
  }

  /** An object of one part is put at once; a larger one is an upload in parts, seen only when it is complete. */
  async put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    if (body instanceof Uint8Array) {
      await answered(this.#bucket.put(key, body))
      return
    }
    const parts = inParts(body, PART_BYTES)
    const first = await parts.next()
    const second = first.done ? first : await parts.next()
    if (first.done || second.done) {
      await answered(this.#bucket.put(key, first.value ?? new Uint8Array(0)))
      return
    }
    const upload = await answered(this.#bucket.createMultipartUpload(key))
    try {
      const uploaded: unknown[] = []
      const send = async (part: Uint8Array) => {
        uploaded.push(await answered(upload.uploadPart(uploaded.length + 1, part)))
      }
      await send(first.value)
      await send(second.value)
      for await (const part of parts) await send(part)
      await answered(upload.complete(uploaded))
    } catch (error) {
      await upload.abort().catch(() => undefined)
      throw error
    }
  }

  async delete(key: string): Promise<void> {
    await answered(this.#bucket.delete(key))
  }

  async *list(prefix: string): AsyncGenerator<string> {
    let cursor: string | undefined
    do {
      const page = await answered(this.#bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) }))
      for (const object of page.objects) yield object.key
      cursor = page.truncated ? page.cursor : undefined
    } while (cursor !== undefined)
  }
}

async function answered<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation
  } catch (error) {
    throw unavailable(error)
  }
}

/** What R2 says is told by its number alone. */
function unavailable(error: unknown): Problem {
  const number = error instanceof Error ? /\((\d+)\)$/.exec(error.message)?.[1] : undefined
  return new Problem('store_error', `the object store returned an error (${number ?? 'error'})`, {
    retryAfter: 5,
  })
}
