/** Analyses on all cores: threads read layers and merge images. */
import type { Limits } from '../../../src/configuration.ts'
import { claimOf, type ImageJob, type JobProgress, type LayerJob } from '../../../src/job.ts'
import { keepIndexed, type LayerOutcome } from '../../../src/jobs/layer-job.ts'
import type { Merge } from '../../../src/jobs/merge-job.ts'
import type { Service } from '../../../src/open/service.ts'
import type { Metrics } from '../metrics.ts'
import type { AnalysisSaid, AnalysisTask } from './analysis-thread.ts'
import type { SecondThreadRequest } from './decoding.ts'
import { Threads, threadFile } from './threads.ts'

/** A layer or a merge needs two fifths of this. */
const HEAP_MEGABYTES = 128
/** Decompressing needs a fifth of this. */
const SECOND_HEAP_MEGABYTES = 32
/** More would cost memory on large machines, only for the sake of the first image. */
const READY_THREADS = 4
/**
 * Layers that are open in addition to those that compute, since some wait for slow registries. Each takes some 40 MB for its
 * thread.
 */
export const OPEN_LAYERS = 6
/** One registry may not take the last of these. */
export const OPEN_LAYERS_OF_ONE_REGISTRY = 4

/** CPU time for any layer, and for an image's merge. */
const LAYER_SECONDS = 60
const MERGE_SECONDS = 600
/**
 * Additional CPU time by size: zlib compresses a thousand bytes into one, and the slowest machine decompresses these in a
 * second.
 */
const MOST_PACKED = 1_000
const BYTES_A_SECOND = 20_000_000

export type AnalysisThreadOptions = {
  /** How many compute at the same time. */
  readonly threads: number
  /** The service's settings, which each thread parses again. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly limits: Limits
  /** Called with what each thread did. */
  readonly metrics: Pick<Metrics, 'layer' | 'secondThread' | 'stored'>
}

/** A layer that is read, or waits for a thread. */
type OpenLayer = {
  readonly job: LayerJob
  /** Of the blob, not read yet. */
  bytesLeft: number
  readonly cpuSeconds: () => number
  readonly fail: () => void
  /** Resolves to the failure of its second thread, if it has one. */
  second?: Promise<unknown>
}

export class AnalysisThreads {
  readonly #options: AnalysisThreadOptions
  readonly #threads: Threads<AnalysisTask, LayerOutcome | undefined, never, AnalysisSaid>
  readonly #seconds: Threads<SecondThreadRequest, void>
  readonly #layers = new Set<OpenLayer>()
  /** How many merges and second threads take a core each. */
  #others = 0

  constructor(options: AnalysisThreadOptions) {
    this.#options = options
    this.#threads = new Threads({
      file: threadFile('analysis-thread'),
      env: options.env,
      heapMegabytes: HEAP_MEGABYTES,
      // Even with all layers open there is room for merges.
      permits: { total: options.threads, held: 2 * options.threads + OPEN_LAYERS },
      ready: Math.min(options.threads, READY_THREADS),
    })
    this.#seconds = new Threads({
      file: threadFile('decoding-thread'),
      env: options.env,
      heapMegabytes: SECOND_HEAP_MEGABYTES,
      permits: { total: options.threads - 1 },
      ready: Math.min(options.threads - 1, 1),
    })
  }

  /** Starts threads, so that the first layers need not wait for them. */
  prepare(): void {
    this.#threads.prepare()
  }

  /** Starts a second thread, which most images of a command do not need. */
  prepareSecond(): void {
    this.#seconds.prepare()
  }

  /**
   * @param service lends the thread its authorization for the job's registry, if it has one, and keeps what is found out about the
   *   layer
   */
  async layer(
    service: Pick<Service, 'client' | 'memory'>,
    job: LayerJob,
    report: (progress: JobProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { metrics, limits } = this.#options
    const { source, descriptor } = job
    const { digest, size } = descriptor
    const authorization =
      source.kind === 'registry' ? service.client.lendAuthorization(source, source.credential) : undefined
    const unpacked = Math.min(size * MOST_PACKED, limits.layerBytes)
    const cpuSeconds = () => LAYER_SECONDS + unpacked / BYTES_A_SECOND
    const failed = new AbortController()
    const layer: OpenLayer = { job, bytesLeft: size, cpuSeconds, fail: () => failed.abort() }
    this.#layers.add(layer)
    const tell = (progress: JobProgress) => {
      layer.bytesLeft = size - progress.bytesDone
      report(progress)
    }
    const { outcome } = this.#threads.run(
      { kind: 'layer', job, authorization },
      {
        what: `the layer ${digest}`,
        claim: claimOf(job),
        cpuSeconds,
        signal: AbortSignal.any([signal, failed.signal]),
        onSaid: (said) => {
          if ('request' in said) this.#addSecond(layer, said.request)
          else this.#hear(said, tell)
        },
      },
    )
    try {
      const work = await outcome
      if (work === undefined) return
      metrics.layer(work)
      keepIndexed(service, work)
    } catch (error) {
      throw (await layer.second) ?? error
    } finally {
      this.#layers.delete(layer)
    }
  }

  async merge(job: ImageJob, merge: Merge, signal: AbortSignal): Promise<void> {
    this.#others++
    const { outcome } = this.#threads.run(
      { kind: 'merge', merge },
      {
        what: `the image ${job.digest}`,
        claim: claimOf(job),
        cpuSeconds: () => MERGE_SECONDS,
        signal,
        onSaid: (said) => this.#hear(said),
      },
    )
    await outcome.finally(() => this.#others--)
  }

  async stop(): Promise<void> {
    await Promise.all([this.#threads.stop(), this.#seconds.stop()])
  }

  #addSecond(layer: OpenLayer, request: SecondThreadRequest): void {
    const { port } = request
    if (!this.#hasIdleCore(layer)) {
      port.close()
      return
    }
    this.#options.metrics.secondThread()
    this.#others++
    const { outcome } = this.#seconds.run(request, {
      what: `the layer ${layer.job.descriptor.digest}`,
      claim: claimOf(layer.job),
      cpuSeconds: layer.cpuSeconds,
      transfer: [port],
    })
    layer.second = outcome
      .then(
        () => undefined,
        (failure) => {
          // A port in a message that the thread has not received yet does not close with it.
          layer.fail()
          return failure
        },
      )
      .finally(() => this.#others--)
  }

  /**
   * Whether a core has nothing else to do for at least half of this layer. Layers that wait for a thread count: small ones are
   * soon done, and another large one needs the core.
   */
  #hasIdleCore(layer: OpenLayer): boolean {
    const all = [...this.#layers].reduce((sum, { bytesLeft }) => sum + bytesLeft, 0)
    return all - layer.bytesLeft < ((this.#options.threads - 1 - this.#others) * layer.bytesLeft) / 2
  }

  #hear(said: AnalysisSaid, report?: (progress: JobProgress) => void): void {
    if ('progress' in said) report?.(said.progress)
    if ('stored' in said) for (const operation of said.stored) this.#options.metrics.stored(operation)
  }
}
