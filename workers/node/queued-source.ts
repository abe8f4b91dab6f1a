/** A registry as one of several servers asks it: what all need of an image before its analysis is read by one of them. */
import type { ObjectStore } from '../../src/host.ts'
import { configKey } from '../../src/index/keys.ts'
import { isFinished } from '../../src/job.ts'
import { digestOf } from '../../src/oci/digest.ts'
import type { Descriptor } from '../../src/oci/manifest.ts'
import { Problem } from '../../src/problem.ts'
import type { BlobRange, ContentKind, ImageSource, ResolvedManifest } from '../../src/source/source.ts'
import type { QueueJobs } from './queue-jobs.ts'
import { type ConfigJob, keyOf } from './queue-words.ts'

/** The registry's own limits end a read before. */
const CONFIG_MILLISECONDS = 60_000
const WATCH_MILLISECONDS = 10_000

export class QueuedSource implements ImageSource {
  readonly #own: ImageSource
  readonly #store: ObjectStore
  readonly #jobs: QueueJobs

  constructor(own: ImageSource, store: ObjectStore, jobs: QueueJobs) {
    this.#own = own
    this.#store = store
    this.#jobs = jobs
  }

  get ref() {
    return this.#own.ref
  }

  get isPublic(): boolean {
    return this.#own.isPublic
  }

  get isRemembered(): boolean {
    return this.#own.isRemembered
  }

  get parts() {
    return this.#own.parts
  }

  resolve(name: string): Promise<ResolvedManifest> {
    return this.#own.resolve(name)
  }

  manifest(digest: string, name?: string): Promise<Uint8Array> {
    return this.#own.manifest(digest, name)
  }

  has(digest: string, kind: ContentKind): Promise<boolean> {
    return this.#own.has(digest, kind)
  }

  blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>> {
    return this.#own.blob(descriptor, range)
  }

  /** Through the queue into the store, which is where all servers have it from. */
  async config(descriptor: Descriptor, limit: number): Promise<Uint8Array> {
    const job: ConfigJob = { kind: 'config', source: this.ref, descriptor }
    const end = Date.now() + CONFIG_MILLISECONDS
    let state = await this.#jobs.start(job)
    while (!isFinished(state)) {
      if (Date.now() > end)
        throw new Problem('registry_timeout', `reading the config ${descriptor.digest} took too long`)
      const next = await this.#jobs.watch(keyOf(job), state.version, WATCH_MILLISECONDS)
      state = next ?? (await this.#jobs.start(job))
    }
    if (state.error !== undefined) throw Problem.from(state.error)
    const object = await this.#store.get(configKey(descriptor.digest))
    if (object !== undefined && object.size <= limit) {
      const bytes = new Uint8Array(await new Response(object.body).arrayBuffer())
      if (digestOf(bytes) === descriptor.digest) return bytes
    } else await object?.body.cancel()
    return this.#own.config(descriptor, limit)
  }
}
