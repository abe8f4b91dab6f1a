/** What the Node host counts, for Prometheus at `/metrics`. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { EngineEvent } from '../../src/host.ts'
import type { JobState, LayerWork } from '../../src/job.ts'
import type { WatchedImage } from '../../src/service/fleet/watch-engine.ts'
import type { StoreOperation } from './store/metered-store.ts'

/** A request waits for an analysis for at most 300 s. */
const SECONDS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300]

export type JobCounts = { readonly running: number; readonly queued: number }

export class Metrics {
  readonly #registry = new Registry()
  readonly #requests = this.#counter('lamina_http_requests_total', 'Requests answered', ['route', 'status'])
  readonly #duration = new Histogram({
    name: 'lamina_http_request_seconds',
    help: 'Time to the answer',
    labelNames: ['route'],
    buckets: SECONDS,
    registers: [this.#registry],
  })
  readonly #analyses = this.#counter('lamina_analyses_total', 'Images analysed', ['status'])
  readonly #layers = this.#counter('lamina_layers_total', 'Layers of analysed images', ['how'])
  readonly #read = this.#counter('lamina_registry_bytes_total', 'Bytes of blobs read from registries', [])
  readonly #decoded = this.#counter('lamina_decoded_bytes_total', 'Bytes of tars decoded', [])
  readonly #second = this.#counter('lamina_second_threads_total', 'Layers that two threads read', [])
  readonly #events = this.#counter('lamina_engine_events_total', 'Events of the Docker Engine', ['action'])
  readonly #watched = this.#counter('lamina_engine_images_total', 'Images that these events named', [
    'outcome',
  ])
  readonly #store = this.#counter('lamina_store_operations_total', 'Operations on the object store', [
    'operation',
  ])

  /** @param jobs how many are running and waiting now */
  constructor(jobs: () => JobCounts | Promise<JobCounts>) {
    collectDefaultMetrics({ register: this.#registry })
    for (const status of ['running', 'queued'] as const) {
      new Gauge({
        name: `lamina_jobs_${status}`,
        help: `Jobs that are ${status} now`,
        registers: [this.#registry],
        async collect() {
          this.set((await jobs())[status])
        },
      })
    }
  }

  request(route: string, status: number, seconds: number): void {
    this.#requests.inc({ route, status })
    this.#duration.observe({ route }, seconds)
  }

  analysed({ status, progress }: JobState): void {
    this.#analyses.inc({ status })
    this.#layers.inc({ how: 'reused' }, progress.layersReused)
    this.#layers.inc({ how: 'read' }, progress.layersDone - progress.layersReused)
  }

  layer({ readBytes, decodedBytes }: LayerWork): void {
    this.#read.inc(readBytes)
    this.#decoded.inc(decodedBytes)
  }

  secondThread(): void {
    this.#second.inc()
  }

  engineEvent({ action }: EngineEvent): void {
    this.#events.inc({ action })
  }

  watched(outcome: WatchedImage): void {
    this.#watched.inc({ outcome })
  }

  stored(operation: StoreOperation, times = 1): void {
    this.#store.inc({ operation }, times)
  }

  async answer(): Promise<Response> {
    return new Response(await this.#registry.metrics(), {
      headers: { 'content-type': this.#registry.contentType },
    })
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }
}
