/** The service that answers a command: its routes, in this process. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Configuration } from '../src/configuration.ts'
import type { MeasureLayer } from '../src/host.ts'
import type { App, Backend, LogEvent } from '../src/http/backend.ts'
import { createBackend, createFrame } from '../src/http/frame.ts'
import { addImageRoutes } from '../src/http/image-routes.ts'
import { Sessions } from '../src/http/session.ts'
import { runImageJob } from '../src/jobs/image-job.ts'
import type { Merge } from '../src/jobs/merge-job.ts'
import { JobRunner, type Work } from '../src/jobs/runner.ts'
import { slowPool } from '../src/jobs/slow-sources.ts'
import type { Service } from '../src/open/service.ts'
import { Problem } from '../src/problem.ts'
import { Semaphore } from '../src/semaphore.ts'
import { createService } from '../workers/node/host.ts'
import {
  type AnalysisThreads,
  OPEN_LAYERS,
  OPEN_LAYERS_OF_ONE_REGISTRY,
} from '../workers/node/threads/analysis-threads.ts'
import type { CompressionThreads } from '../workers/node/threads/compression-threads.ts'
import type { Question } from './client.ts'

/** How long stopped work may take to end. */
const STOP_MILLISECONDS = 2_000
const QUEUED = 1_000

export class LocalService {
  readonly #routes: Routes
  readonly #runner: JobRunner
  readonly #stop: AbortController

  private constructor(backend: Backend, runner: JobRunner, stop: AbortController) {
    this.#routes = new Routes(backend)
    this.#runner = runner
    this.#stop = stop
  }

  static async open(
    configuration: Configuration,
    threads: AnalysisThreads,
    compressions: CompressionThreads,
  ): Promise<LocalService> {
    const stop = new AbortController()
    const work: Work = (job, report, abandoned) => {
      const signal = AbortSignal.any([abandoned, stop.signal])
      if (job.kind === 'layer') return threads.layer(service, job, report, signal)
      return runImageJob(service, job, {
        report,
        signal,
        merge: (work: Merge) => threads.merge(job, work, signal),
      })
    }
    const runner: JobRunner = new JobRunner(
      (...given) =>
        work(...given).catch((error) => {
          throw stop.signal.aborted ? new Problem('internal_error', 'the command was stopped') : error
        }),
      {
        analyses: configuration.maxAnalyses,
        queuedAnalyses: QUEUED,
        layers: new Semaphore({
          total: OPEN_LAYERS,
          perKey: OPEN_LAYERS_OF_ONE_REGISTRY,
          pools: slowPool(OPEN_LAYERS),
        }),
      },
    )
    const opened = await createService(configuration, runner, () => {})
    const measureLayer: MeasureLayer = (job, abandoned) =>
      compressions.measure(opened.client, job, AbortSignal.any([abandoned, stop.signal]))
    const service: Service = { ...opened, host: { ...opened.host, measureLayer } }
    return new LocalService(createBackend(service, { log, hasPages: false }), runner, stop)
  }

  async request(path: string, question: Question): Promise<Response> {
    const app = await this.#routes.of(path)
    return app.request(path, question)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.race([this.#runner.idle(), sleep(STOP_MILLISECONDS, undefined, { ref: false })])
  }
}

/** The routes of one image, which most commands ask; loading all takes as long as answering, and waits for who asks another. */
class Routes {
  readonly #backend: Backend
  readonly #ofImage: App
  #all: Promise<App> | undefined

  constructor(backend: Backend) {
    this.#backend = backend
    this.#ofImage = createFrame(backend, new Sessions(backend.host.configuration))
    addImageRoutes(this.#ofImage, backend)
  }

  of(path: string): App | Promise<App> {
    const [endpoint] = path.split('?')
    const isOfImage = this.#ofImage.routes.some((route) => route.method === 'GET' && route.path === endpoint)
    if (isOfImage) return this.#ofImage
    this.#all ??= import('../src/http/app.ts').then(({ appOf }) => appOf(this.#backend))
    return this.#all
  }
}

/** An unexpected error: with a stack for a bug report, if requested. */
function log({ error }: LogEvent): void {
  if (process.env.LAMINA_DEBUG) console.error(error)
}
