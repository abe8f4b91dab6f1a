/**
 * What a report of a known image reads from the bucket, kept in the cache of Cloudflare's location: isolates are young, so most of
 * them would read it again, and each read is billed. The service decides who may see it before it asks the store, here as there.
 */
import type { ByteRange, ObjectStore, StoredObject } from '../../src/host.ts'
import { PUBLIC } from '../../src/index/keys.ts'
import { streamOf } from '../../src/source/byte-stream.ts'
import { readsMetadataFirst } from '../../src/table/metadata.ts'

/** The part of the platform's cache that is used. */
export type LocationCache = {
  match(url: string): Promise<Response | undefined>
  put(url: string, answer: Response): Promise<void>
  delete(url: string): Promise<boolean>
}

export type FactsCacheParts = {
  readonly cache: () => Promise<LocationCache>
  /** Lets work end after the request. */
  readonly keepAlive: (work: Promise<unknown>) => void
}

/** As long as an isolate remembers the same. */
const SECONDS = 600
/** Larger objects are rare, and their reads cost no more than others. */
const MOST_BYTES = 256 * 1024
const SIZE = 'x-lamina-size'

export class FactsCache implements ObjectStore {
  readonly #store: ObjectStore
  readonly #parts: FactsCacheParts

  constructor(store: ObjectStore, parts: FactsCacheParts) {
    this.#store = store
    this.#parts = parts
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    if (!isFact(key, range)) return this.#store.get(key, range)
    const kept = await this.#match(key)
    if (kept !== undefined) return kept
    const object = await this.#store.get(key, range)
    if (object === undefined || wantedBytes(object.size, range) > MOST_BYTES) return object
    const bytes = new Uint8Array(await new Response(object.body).arrayBuffer())
    this.#keep(key, object.size, bytes)
    return { size: object.size, body: streamOf(bytes) }
  }

  /** What does not exist may exist soon, so only what exists is kept. */
  async has(key: string): Promise<boolean> {
    if (!isPublicImage(key)) return this.#store.has(key)
    if ((await this.#match(key)) !== undefined) return true
    const has = await this.#store.has(key)
    if (has) this.#keep(key, 0, new Uint8Array(0))
    return has
  }

  async put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    await this.#store.put(key, body)
    await this.#forget(key)
  }

  async delete(key: string): Promise<void> {
    await this.#store.delete(key)
    await this.#forget(key)
  }

  list(prefix: string): AsyncIterable<string> {
    return this.#store.list(prefix)
  }

  async #match(key: string): Promise<StoredObject | undefined> {
    try {
      const answer = await (await this.#parts.cache()).match(urlOf(key))
      const size = answer?.headers.get(SIZE)
      if (!answer || !size) return undefined
      return { size: Number(size), body: streamOf(new Uint8Array(await answer.arrayBuffer())) }
    } catch {
      // The bucket has it.
      return undefined
    }
  }

  #keep(key: string, size: number, bytes: Uint8Array<ArrayBuffer>): void {
    const headers = { 'Cache-Control': `max-age=${SECONDS}`, [SIZE]: `${size}` }
    const kept = this.#parts.cache().then((cache) => cache.put(urlOf(key), new Response(bytes, { headers })))
    this.#parts.keepAlive(kept.catch(() => {}))
  }

  async #forget(key: string): Promise<void> {
    if (!/^(?:manifests|configs|images)\//.test(key)) return
    const cache = await this.#parts.cache().catch(() => undefined)
    await cache?.delete(urlOf(key)).catch(() => false)
  }
}

/** A public manifest or config, or what the footer of an image's index says of it. */
function isFact(key: string, range?: ByteRange): boolean {
  if (/^(?:manifests|configs)\//.test(key)) return range === undefined && key.endsWith(`/${PUBLIC}`)
  return /^images\/.*\/packages\.parquet$/.test(key) && readsMetadataFirst(range)
}

/** Everything in the image is public, and stays so. */
function isPublicImage(key: string): boolean {
  return /^images\/.*\/public$/.test(key)
}

function wantedBytes(size: number, range: ByteRange | undefined): number {
  return range !== undefined && 'suffix' in range ? Math.min(size, range.suffix) : size
}

function urlOf(key: string): string {
  return `https://facts.invalid/${key}`
}
