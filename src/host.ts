/**
 * What Lamina needs from its platform: an outbound `fetch`, an object store, a place for jobs, and compiled WASM
 * modules. `workers/cloudflare` and `workers/node` implement them; nothing else knows the platform.
 */

import type { Configuration } from './configuration.ts'
import type { CompressionJob, Job, JobState, LayerMeasurement, QueuedImage } from './job.ts'

/**
 * Which addresses a request may reach. `public`: no loopback, link-local or private ones; `private`: also those of
 * `LAMINA_PRIVATE_REGISTRIES`, if the request's registry is in that list; `listed`: only addresses in a range of
 * `LAMINA_PRIVATE_REGISTRIES`, so that an answer shows that the name has such an address; `publicPlain` and `listedPlain`: only
 * public addresses, or those of `LAMINA_PRIVATE_REGISTRIES`, in a range of `LAMINA_INSECURE_REGISTRIES`.
 */
export type Reach = 'public' | 'private' | 'listed' | 'publicPlain' | 'listedPlain'

/**
 * Outbound HTTP. It returns a 3xx instead of following it, never decodes a `Content-Encoding`, and after resolving the
 * name refuses addresses that `reach` does not allow.
 *
 * @throws Problem `forbidden_registry` if the host knows that this was the reason; the network's own errors
 */
export type Fetch = (url: URL, init: RequestInit, reach: Reach) => Promise<Response>

export type ByteRange =
  | { readonly offset: number; readonly length: number }
  /** The number of bytes at the end. */
  | { readonly suffix: number }

export type StoredObject = {
  /** Size of the whole object in bytes, even for a range. */
  readonly size: number
  readonly body: ReadableStream<Uint8Array>
}

/** Objects are immutable and named by content; two writers of one key write the same bytes. */
export interface ObjectStore {
  /** Undefined if the object does not exist. A range past the end gives what exists. */
  get(key: string, range?: ByteRange): Promise<StoredObject | undefined>
  /** Whether the object exists. */
  has(key: string): Promise<boolean>
  /** Atomic: the object appears when it is complete, and not at all if the stream fails. */
  put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void>
  delete(key: string): Promise<void>
  /** Keys that begin with `prefix`, in byte order. */
  list(prefix: string): AsyncIterable<string>
}

/** Runs each job once at a time, however many callers request it. */
export interface Jobs {
  /** Starts the job, or joins the running one with the same key, and returns its state. */
  start(job: Job): Promise<JobState>
  /**
   * Resolves when the job's state is newer than `version`, at the latest after `milliseconds`. Undefined if the job is
   * unknown: it never existed, or a restart lost it.
   */
  watch(key: string, version: number, milliseconds: number): Promise<JobState | undefined>
}

/** A queue of images that are analysed when requests leave room. */
export interface ImageQueue {
  /** @throws Problem `rate_limited` if too many wait; then it takes none of these */
  add(images: readonly QueuedImage[]): Promise<void>
  /** Whether the order of this analysis still waits or runs; undefined if the queue cannot tell. */
  holds(analysis: string): Promise<boolean | undefined>
}

/** libzstd out of the package zstddec, SHA-256 out of hash-wasm. */
export const WASM_NAMES = ['zstd', 'sha256'] as const
export type WasmName = (typeof WASM_NAMES)[number]

/** Compiled, since workerd refuses to compile bytes at run time. */
export type WasmModules = (name: WasmName) => Promise<WebAssembly.Module>

/** A new image of an engine, or a new name of an image. */
export type EngineEvent = {
  readonly action: 'pull' | 'load' | 'import' | 'tag'
  /** A name with its tag, or the image's ID. */
  readonly image: string
  /** By the engine's clock, in seconds since 1970. */
  readonly time: number
}

/** A Docker Engine on this host. */
export interface Engine {
  /** Distinguishes it from engines of other hosts that share the store. */
  readonly name: string
  /** Files of this machine that all threads of the process see. Saved images are stored there while they are read. */
  readonly files: ObjectStore
  /** Distinguishes this thread's saved files from those of other threads; 0 for the main thread. */
  readonly thread: number
  /** @throws Problem `image_not_found`, `registry_error` */
  inspect(image: string, signal?: AbortSignal): Promise<{ readonly id: string }>
  /** The image as an archive. @throws Problem as `inspect` */
  save(image: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>
  /**
   * Events of images since a time, until the connection breaks.
   *
   * @param since by the engine's clock, in seconds since 1970
   * @throws Problem `registry_error`; the signal's reason
   */
  events(since: number, signal: AbortSignal): AsyncIterable<EngineEvent>
}

/** Removes uploads when they expire, also after a restart. */
export interface Expiry {
  /**
   * @param upload the hash of its id
   * @param at milliseconds since 1970; a later use extends the upload's life
   */
  watch(upload: string, at: number): Promise<void>
}

/** The state of a queue that several servers share. */
export interface SharedQueue {
  /** While it is away, the host still answers what is known, and starts nothing new. */
  readonly isAway: boolean
}

/**
 * @throws Problem as reading the layer; the signal's reason
 */
export type MeasureLayer = (job: CompressionJob, signal: AbortSignal) => Promise<LayerMeasurement>

export interface Host {
  readonly configuration: Configuration
  readonly fetch: Fetch
  readonly store: ObjectStore
  readonly jobs: Jobs
  /** Present if several servers share their jobs. */
  readonly queue?: SharedQueue
  readonly imageQueue: ImageQueue
  readonly wasm: WasmModules
  /** Present if the host does not find such uploads by itself. */
  readonly expiry?: Expiry
  /** Present if the host has one. */
  readonly engine?: Engine
  /** Measures a layer in other compressions. Present if the host has encoders, and threads for them. */
  readonly measureLayer?: MeasureLayer
  /** Whether the store may have such measurements. */
  readonly keepsMeasurements?: boolean
  /** How many requests, to registries and to its store, the host may make while it answers one; without a limit if absent. */
  readonly maxRequests?: number
}
