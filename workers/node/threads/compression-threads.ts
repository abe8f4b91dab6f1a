/** Measures layers in other compressions: one at a time, apart from the threads that analyse. */
import type { CompressionJob, LayerMeasurement } from '../../../src/job.ts'
import { originOf } from '../../../src/oci/source-ref.ts'
import type { RegistryClient } from '../../../src/source/registry/client.ts'
import type { Metrics } from '../metrics.ts'
import type { CompressionSaid, CompressionTask } from './compression-thread.ts'
import { Threads, threadFile } from './threads.ts'

/** The encoders' own memory is beside it: four of the highest level take some 400 MB. */
const HEAP_MEGABYTES = 128
/** CPU time for any layer, and additional time for each setting by uncompressed bytes: a quarter of what the slowest needs. */
const SECONDS = 60
const BYTES_A_SECOND = 1_000_000

export type CompressionThreadOptions = {
  /** The service's settings, which each thread parses again. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly metrics: Pick<Metrics, 'stored'>
}

export class CompressionThreads {
  readonly #options: CompressionThreadOptions
  readonly #threads: Threads<CompressionTask, LayerMeasurement, never, CompressionSaid>

  constructor(options: CompressionThreadOptions) {
    this.#options = options
    this.#threads = new Threads({
      file: threadFile('compression-thread'),
      env: options.env,
      heapMegabytes: HEAP_MEGABYTES,
      // While one waits for a slow registry, another registry has its turn.
      permits: { total: 1, held: 2, perKey: 1 },
    })
  }

  /** @param client lends the thread its authorization for the job's registry, if it has one */
  measure(client: RegistryClient, job: CompressionJob, signal: AbortSignal): Promise<LayerMeasurement> {
    const { source, image, descriptor, settings } = job
    const authorization =
      source.kind === 'registry' ? client.lendAuthorization(source, source.credential) : undefined
    let done = 0
    const { outcome } = this.#threads.run(
      { job, authorization },
      {
        what: `compressing the layer ${descriptor.digest}`,
        claim: [originOf(source), image],
        cpuSeconds: () => SECONDS + (done * (1 + settings.length)) / BYTES_A_SECOND,
        signal,
        onSaid: (said) => {
          if ('bytes' in said) done = said.bytes
          else for (const operation of said.stored) this.#options.metrics.stored(operation)
        },
      },
    )
    return outcome
  }

  stop(): Promise<void> {
    return this.#threads.stop()
  }
}
