/** The service on Node: a folder or S3 as its store, undici for outbound requests, layers on all cores. */

import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Configuration, parseConfiguration } from '../../src/configuration.ts'
import type { MeasureLayer } from '../../src/host.ts'
import { createApp } from '../../src/http/app.ts'
import type { RequestContext } from '../../src/http/backend.ts'
import { textRead } from '../../src/http/middleware/body.ts'
import { HEALTH_PATHS } from '../../src/http/routes/health.ts'
import { runImageJob } from '../../src/jobs/image-job.ts'
import {
  type ImageQueueLimits,
  type ImageQueueWork,
  MemoryImageQueue,
} from '../../src/jobs/memory-image-queue.ts'
import type { Merge } from '../../src/jobs/merge-job.ts'
import { JobRunner } from '../../src/jobs/runner.ts'
import { slowPool } from '../../src/jobs/slow-sources.ts'
import { sweepSavedImages } from '../../src/open/daemon-source.ts'
import type { Service } from '../../src/open/service.ts'
import { Problem } from '../../src/problem.ts'
import { Semaphore } from '../../src/semaphore.ts'
import { giveUpQueuedImage, runQueuedImage } from '../../src/service/fleet/queued-images.ts'
import { type WatchOptions, watchEngine } from '../../src/service/fleet/watch-engine.ts'
import { sweepUploads } from '../../src/uploads/upload.ts'
import { COMPRESSED, readAsset } from '../assets.ts'
import { compressedIn } from '../compressed-assets.ts'
import { createHttpServer } from '../http-server.ts'
import { withUploadsLimit } from '../uploads-limit.ts'
import { requestBody } from './body-stream.ts'
import { compression } from './compression.ts'
import { createService } from './host.ts'
import { createLog, type Log, logJob } from './log.ts'
import { Metrics } from './metrics.ts'
import type { SharedJobs } from './queue/queue.ts'
import { routeLabels } from './routes.ts'
import type { StoreOperation } from './store/metered-store.ts'
import { AnalysisThreads, OPEN_LAYERS, OPEN_LAYERS_OF_ONE_REGISTRY } from './threads/analysis-threads.ts'
import { AnsweringStore } from './threads/answering-store.ts'
import { CompressionThreads } from './threads/compression-threads.ts'
import type { RequestTask } from './threads/request-messages.ts'
import { RequestThreads } from './threads/request-threads.ts'
import { pathWithoutUploadId, withoutUploadId } from './upload-ids.ts'

const QUEUED_ANALYSES = 100
/** Layers that one server takes from a shared queue: some wait for others of their registry. */
const TAKEN_LAYERS = 32
const TAKEN_CONFIGS = 32
/** The shared queue decides when a job is cancelled; here it is merely unwatched. */
const GIVEN_UP_MILLISECONDS = 5_000
/** How often expired uploads are looked for, at least. */
const SWEEP_MILLISECONDS = 60_000

export type RunningNode = {
  /** `http://host:port` */
  readonly url: string
  /** How long to keep accepting connections after `drain`. */
  readonly drainSeconds: number
  /** From now on `/readyz` says that this service is about to stop; everything else is answered as before. */
  drain(): void
  /**
   * Stops accepting, and resolves when running work has finished.
   *
   * @param milliseconds after which remaining work is cut off; by default there is no limit
   */
  stop(milliseconds?: number): Promise<void>
}

export type NodeOptions = {
  /** How many layers and merges compute at the same time; by default as many as there are cores. */
  readonly threads?: number
  readonly log?: Log
  /** Answers before the service does; undefined leaves the request to it. */
  readonly entry?: (request: Request) => Promise<Response | undefined>
}

/**
 * @param given the service's settings, as environment variables
 * @throws ConfigurationError naming the variable whose value is wrong
 */
export async function startNode(
  given: Readonly<Record<string, string | undefined>>,
  { threads = availableParallelism(), log = createLog('silent'), entry }: NodeOptions = {},
): Promise<RunningNode> {
  const env = await withUploadsLimit(given, parseConfiguration(given, 'node'))
  const configuration = parseConfiguration(env, 'node')
  const shared = await sharedJobs(configuration, log)
  const metrics: Metrics = new Metrics(async () => {
    const { running, queued } = runner.counts
    return { running, queued: queued + ((await shared?.jobs.queued()) ?? 0) }
  })
  const analyses = new AnalysisThreads({ threads, env, limits: configuration.limits, metrics })
  const runner: JobRunner = new JobRunner(
    (job, report, signal) => {
      if (job.kind === 'layer') return analyses.layer(service, job, report, signal)
      const merge = (work: Merge) => analyses.merge(job, work, signal)
      return runImageJob(patient, job, { report, signal, merge })
    },
    {
      ...(shared ? { abandoned: { image: GIVEN_UP_MILLISECONDS, layer: GIVEN_UP_MILLISECONDS } } : {}),
      analyses: configuration.maxAnalyses,
      queuedAnalyses: QUEUED_ANALYSES,
      layers: new Semaphore({
        total: threads + OPEN_LAYERS,
        perKey: threads + OPEN_LAYERS_OF_ONE_REGISTRY,
        pools: slowPool(threads + OPEN_LAYERS),
      }),
    },
    (job, state) => {
      if (job.kind === 'image') metrics.analysed(state)
      logJob(log, job, state)
    },
  )
  const images: ImageQueueWork & ImageQueueLimits = {
    run: (queued, attempt) => runQueuedImage(service, queued, attempt),
    giveUp: (queued, problem) => giveUpQueuedImage(service, queued, problem),
    // Half of the places are reserved for images that somebody waits for.
    atOnce: Math.ceil(configuration.maxAnalyses / 2),
  }
  const own = shared === undefined ? new MemoryImageQueue(images, images) : undefined
  const count = (operation: StoreOperation) => metrics.stored(operation)
  const jobs = shared?.jobs ?? runner
  const opened = await createService(configuration, jobs, count, own ?? shared?.imageQueue)
  const queue = shared === undefined ? {} : { queue: shared.jobs }
  const compressions = new CompressionThreads({ env, metrics })
  const measureLayer: MeasureLayer = (job, signal) => compressions.measure(opened.client, job, signal)
  const host = { ...opened.host, ...queue, measureLayer, store: new AnsweringStore(opened.host.store) }
  const plain: Service = { ...opened, host }
  const service: Service = shared ? { ...plain, relay: (own) => shared.sourceOf(own, host.store) } : plain
  const patient: Service = shared ? { ...plain, host: { ...host, jobs: shared.jobs.patient } } : plain
  const requests = new RequestThreads({ threads, env, metrics, service })
  const app = createApp(service, {
    first: compression(compressedIn(fileURLToPath(COMPRESSED))),
    assets: readAsset,
    clientOf: (context) => getConnInfo(context).remote.address ?? '',
    bodyOf: ({ env }) => requestBody((env as HttpBindings).incoming),
    offload: (context, { client, signal }) => requests.answer(taskOf(context), client, signal),
  })

  app.get('/metrics', () => metrics.answer())
  const routeOf = routeLabels(app)

  /** One request begins in each turn of the event loop, so that a burst does not delay what must be answered at once. */
  const turns = new Semaphore({ total: 1 })
  let isDraining = false

  /** One line and one count per request; of the query's values, only the images' are logged. */
  const answer = async (request: Request, connection: object): Promise<Response> => {
    const began = performance.now()
    const url = new URL(request.url)
    // Supervisors wait for no other request.
    if (!HEALTH_PATHS.has(url.pathname)) {
      const turn = await turns.acquire([])
      setImmediate(() => turn.release())
    }
    const response =
      isDraining && url.pathname === '/readyz'
        ? stopping()
        : ((await entry?.(request)) ?? (await app.fetch(request, connection)))
    const seconds = (performance.now() - began) / 1000
    const route = routeOf(url.pathname)
    metrics.request(route, response.status, seconds)
    const images = ['image', 'from', 'to', 'repository']
      .flatMap((name) => url.searchParams.getAll(name))
      .map(withoutUploadId)
    log.info(
      {
        id: response.headers.get('x-request-id'),
        method: request.method,
        path: pathWithoutUploadId(url.pathname),
        images,
        status: response.status,
        seconds,
      },
      'request',
    )
    return response
  }

  const sweep = () => Promise.all([sweepUploads(service), sweepSavedImages(service)])
  const sweeping = setInterval(
    () => void sweep().catch((error) => log.error({ error: String(error) }, 'uploads')),
    Math.min(SWEEP_MILLISECONDS, configuration.uploadSeconds * 500),
  )
  sweeping.unref()

  const leaving = new AbortController()
  const { engine } = service.host
  const watching =
    engine !== undefined && configuration.watchesDocker
      ? watchEngine(service, engine, { ...telling(metrics, log), signal: leaving.signal })
      : undefined

  const listening = Promise.withResolvers<number>()
  const server = createHttpServer(getRequestListener(answer, { hostname: configuration.host }))
  server.on('error', listening.reject)
  server.listen(configuration.port, configuration.host, () => {
    const address = server.address()
    if (address !== null && typeof address !== 'string') listening.resolve(address.port)
  })
  const close = closing(server)
  const hostname = configuration.host.includes(':') ? `[${configuration.host}]` : configuration.host
  const port = await listening.promise
  analyses.prepare()
  analyses.prepareSecond()
  shared?.work({
    runner,
    service: plain,
    images,
    atOnce: { image: configuration.maxAnalyses, layer: TAKEN_LAYERS, config: TAKEN_CONFIGS },
  })
  return {
    url: `http://${hostname}:${port}`,
    drainSeconds: configuration.drainSeconds,
    drain() {
      isDraining = true
    },
    async stop(milliseconds) {
      clearInterval(sweeping)
      leaving.abort()
      await watching
      own?.stop()
      await close(shared?.finish() ?? runner.idle(), milliseconds)
      await shared?.close()
      await Promise.all([analyses.stop(), requests.stop(), compressions.stop()])
    },
  }
}

async function sharedJobs({ redis }: Configuration, log: Log): Promise<SharedJobs | undefined> {
  if (redis === undefined) return undefined
  const { joinQueue } = await import('./queue/queue.ts')
  return joinQueue({ redis, queuedAnalyses: QUEUED_ANALYSES, log })
}

function telling(metrics: Metrics, log: Log): Pick<WatchOptions, 'onEvent' | 'onImage'> {
  return {
    onEvent: (event) => metrics.engineEvent(event),
    onImage(image, outcome, error) {
      metrics.watched(outcome)
      const why =
        error === undefined ? {} : { error: error instanceof Problem ? error.message : String(error) }
      log.info({ image, outcome, ...why }, 'engine')
    },
  }
}

function stopping(): Response {
  return Response.json({ status: 'stopping' }, { status: 503, headers: { 'Cache-Control': 'no-store' } })
}

/** A request as plain data. */
function taskOf(context: RequestContext): RequestTask {
  const { raw } = context.req
  const body = textRead(raw)
  return {
    requestId: context.var.requestId,
    method: raw.method,
    url: raw.url,
    headers: [...raw.headers],
    ...(body === undefined ? {} : { body }),
  }
}

/** Ends a server: when all its requests are answered and `work` is done, or time is up. */
type Close = (work: Promise<void>, milliseconds: number | undefined) => Promise<void>

/**
 * A connection is kept alive after its answer, for longer than a stopping server may wait, so each answer asks the client to
 * close it.
 */
function closing(server: Server): Close {
  const unanswered = new Set<ServerResponse>()
  const connected = new Set<Socket>()
  let isStopping = false
  const sayLast = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('connection', 'close')
  }
  server.on('connection', (socket) => {
    connected.add(socket)
    socket.once('close', () => connected.delete(socket))
  })
  server.on('request', (_, response) => {
    if (isStopping) sayLast(response)
    unanswered.add(response)
    response.once('close', () => {
      unanswered.delete(response)
      if (isStopping) server.closeIdleConnections()
    })
  })
  return async (work, milliseconds) => {
    isStopping = true
    const closed = once(server, 'close')
    server.close()
    // Clients also connect in advance. Node does not count such a connection as idle.
    for (const socket of connected) if (socket.bytesRead === 0) socket.destroy()
    unanswered.forEach(sayLast)
    const enough = new AbortController()
    const finished = Promise.all([closed, work])
    const late = milliseconds === undefined ? [] : [sleep(milliseconds, undefined, enough)]
    await Promise.race([finished, ...late])
    enough.abort()
    server.closeAllConnections()
    await closed
  }
}
