/**
 * What Lamina needs of the platform that it runs on: an outbound `fetch`, an object store, a place for jobs, and
 * compiled WASM modules. `workers/cloudflare` and `workers/node` implement them; nothing else knows which it is.
 */

import type { Configuration } from './configuration.ts'
import type { Claim, Job, JobState, Order } from './job.ts'
import type { FileRef, ImageSource } from './source/source.ts'

/**
 * Which addresses a request may reach. `public`: none that is loopback, link-local or private; `private`: those of
 * `LAMINA_PRIVATE_REGISTRIES` as well, for requests whose own registry is in that list.
 */
export type Reach = 'public' | 'private'

/**
 * Outbound HTTP. Never follows a redirect (a 3xx is answered as it is), never decodes a `Content-Encoding`, and refuses
 * at the socket what `reach` does not allow, after the name is resolved.
 *
 * @throws Problem `forbidden_registry` where the host can tell that this was the reason; any other error for the network's
 */
export type Fetch = (url: URL, init: RequestInit, reach: Reach) => Promise<Response>

export type ByteRange =
  | { readonly offset: number; readonly length: number }
  /** The last so many bytes. */
  | { readonly suffix: number }

export type StoredObject = {
  /** Of the whole object in bytes, also where a range was asked for. */
  readonly size: number
  readonly body: ReadableStream<Uint8Array>
}

/** Objects are immutable and named by content; two writers of one key write the same bytes. */
export interface ObjectStore {
  /** Undefined where there is no such object. A range past the end gives what there is. */
  get(key: string, range?: ByteRange): Promise<StoredObject | undefined>
  /** Whether there is such an object. */
  has(key: string): Promise<boolean>
  /** All or nothing: the object is seen when it is whole, and not at all where the stream fails. */
  put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void>
  delete(key: string): Promise<void>
  /** Keys that begin with `prefix`, in byte order. */
  list(prefix: string): AsyncIterable<string>
}

/** Runs each job once at a time, however many ask for it. */
export interface Jobs {
  /** Starts the job, or joins the one that runs under the same key, and tells its state. */
  start(job: Job): Promise<JobState>
  /**
   * Resolves when the job's state is newer than `version`, at the latest after `milliseconds`. Undefined where no such
   * job is known: it never was, or a restart lost it.
   */
  watch(key: string, version: number, milliseconds: number): Promise<JobState | undefined>
}

/** A queue of images that are analysed when there is room beside those that somebody waits for. */
export interface Backlog {
  /** @throws Problem `rate_limited` where too many wait: then none of these is taken */
  add(orders: readonly Order[]): Promise<void>
  /** Whether the order of this analysis still waits or runs; undefined where the queue cannot tell. */
  holds(analysis: string): Promise<boolean | undefined>
}

/** Bounds how many run at the same time; the others wait. */
export interface Admission {
  /** Whether the next one has to wait. */
  readonly full: boolean
  /** How many wait. */
  readonly waiting: number
  /**
   * Waits for a place.
   *
   * @param claim who asks: a host may give places in turn
   * @returns gives the place back
   * @throws the signal's reason when it aborts first; the place in the queue is then free
   */
  enter(signal: AbortSignal, claim: Claim): Promise<() => void>
}

/** libzstd out of the package zstddec, SHA-256 out of hash-wasm. */
export const WASM_NAMES = ['zstd', 'sha256'] as const
export type WasmName = (typeof WASM_NAMES)[number]

/** Compiled, since workerd refuses to compile bytes at run time. */
export type WasmModules = (name: WasmName) => Promise<WebAssembly.Module>

/** What an engine tells of an image that it has from now on, or has under another name. */
export type EngineEvent = {
  readonly action: 'pull' | 'load' | 'import' | 'tag'
  /** A name with its tag, or the image's ID. */
  readonly image: string
  /** By the engine's clock, in seconds since 1970. */
  readonly time: number
}

/** A Docker Engine on this host. */
export interface Engine {
  /** Tells it from the engines of other hosts that share the store. */
  readonly name: string
  /** Files of this machine that all threads of the process see: saved images lie there while they are read. */
  readonly files: ObjectStore
  /** Tells the files that this thread saves from those of others; the main thread's is 0. */
  readonly thread: number
  /** @throws Problem `image_not_found`, `registry_error` */
  inspect(image: string, signal?: AbortSignal): Promise<{ readonly id: string }>
  /** The image as an archive. @throws Problem as `inspect` */
  save(image: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>
  /**
   * What happens to images, from a time on, until the connection breaks.
   *
   * @param since by the engine's clock, in seconds since 1970
   * @throws Problem `registry_error`; the signal's reason
   */
  events(since: number, signal: AbortSignal): AsyncIterable<EngineEvent>
}

/** Images in files of this machine. Only a host whose one caller is the machine's user has them. */
export interface LocalImages {
  open(ref: FileRef): ImageSource
}

/** Has uploads removed when their time is over, also after a restart. */
export interface Expiry {
  /**
   * @param upload the hash of its id
   * @param at milliseconds since 1970; it may be used after, and then lives longer
   */
  watch(upload: string, at: number): Promise<void>
}

/** What a host whose jobs wait in a queue of several servers says of that queue. */
export interface SharedQueue {
  /** Then what is known is still answered, and nothing new begins. */
  readonly isAway: boolean
}

export interface Host {
  readonly configuration: Configuration
  readonly fetch: Fetch
  readonly store: ObjectStore
  readonly jobs: Jobs
  /** Where several servers share their jobs. */
  readonly queue?: SharedQueue
  readonly backlog: Backlog
  readonly wasm: WasmModules
  /** Where the host does not look for such uploads by itself. */
  readonly expiry?: Expiry
  /** Where the host has one. */
  readonly engine?: Engine
  readonly localImages?: LocalImages
}
