/** A registry as one of several servers uses it: a config that all need is read by one of them. */
import type { ObjectStore } from '../../../src/host.ts'
import { PUBLIC } from '../../../src/index/keys.ts'
import { readSourceContent } from '../../../src/index/provenance.ts'
import { isFinished } from '../../../src/job.ts'
import type { Descriptor } from '../../../src/oci/manifest.ts'
import { originOf } from '../../../src/oci/source-ref.ts'
import { Problem } from '../../../src/problem.ts'
import type { ImageSource } from '../../../src/source/source.ts'
import { ForwardingSource } from '../threads/forwarding-source.ts'
import type { QueueJobs } from './queue-jobs.ts'
import { type ConfigJob, keyOf } from './queue-messages.ts'

/** A registry's own limits end reading earlier. */
const CONFIG_MILLISECONDS = 60_000
/** How long a config may wait for a server to take it: each reads many at once, so then all are overloaded. */
const TAKEN_MILLISECONDS = 20_000
const WATCH_MILLISECONDS = 10_000

export class QueuedSource extends ForwardingSource {
  readonly #store: ObjectStore
  readonly #jobs: QueueJobs

  constructor(own: ImageSource, store: ObjectStore, jobs: QueueJobs) {
    super(own)
    this.#store = store
    this.#jobs = jobs
  }

  /** One server reads it into the store, and all servers get it from there. */
  override async config(descriptor: Descriptor, limit: number): Promise<Uint8Array> {
    const job: ConfigJob = { kind: 'config', source: this.ref, descriptor }
    const began = Date.now()
    let state = await this.#jobs.start(job)
    while (!isFinished(state)) {
      if (state.status === 'queued' && Date.now() > began + TAKEN_MILLISECONDS) throw busy()
      if (Date.now() > began + CONFIG_MILLISECONDS)
        throw new Problem('registry_timeout', `reading the config ${descriptor.digest} took too long`)
      const next = await this.#jobs.watch(keyOf(job), state.version, WATCH_MILLISECONDS)
      state = next ?? (await this.#jobs.start(job))
    }
    if (state.error !== undefined) throw Problem.from(state.error)
    for (const origin of [PUBLIC, originOf(this.ref)]) {
      const stored = await readSourceContent(
        this.#store,
        { kind: 'config', digest: descriptor.digest, origin },
        limit,
      )
      if (stored !== undefined) return stored
    }
    return super.config(descriptor, limit)
  }
}

function busy(): Problem {
  const detail =
    'this service is busy: no server has started to read the config of the image; try again later'
  return new Problem('rate_limited', detail, { retryAfter: 30 })
}
