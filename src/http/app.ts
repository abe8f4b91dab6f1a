/** The service as one function from a request to an answer. */
import { OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { Assets } from '../pages/assets.ts'
import { Problem } from '../problem.ts'
import { Semaphore, type SemaphoreLimits } from '../semaphore.ts'
import { WorkElsewhere } from '../service/offload.ts'
import type { Service } from '../service/service.ts'
import { LostTable } from '../table/table.ts'
import {
  type App,
  type Backend,
  type Elsewhere,
  type Env,
  forgetLost,
  type Log,
  type RequestContext,
} from './backend.ts'
import { keepAnswer } from './kept-answers.ts'
import { Bodies, type BodyLimits } from './middleware/body.ts'
import { clientAddress } from './middleware/client-address.ts'
import { loopbackNamesOnly } from './middleware/loopback.ts'
import { clientOfAddress, MinuteRate, type RateLimit } from './middleware/rate.ts'
import { readersSession } from './middleware/session.ts'
import { boundedStreams } from './middleware/streams.ts'
import { tokenCheck } from './middleware/tokens.ts'
import { problemAnswer } from './problem-answer.ts'
import { invalidParameter, problemFor, problemResponse } from './problems.ts'
import { addAdvice } from './routes/advice.ts'
import { addAnalyses } from './routes/analyses.ts'
import { addAttached } from './routes/attached.ts'
import { addAttachedContent } from './routes/attached-content.ts'
import { addBadges } from './routes/badge.ts'
import { addBase } from './routes/base.ts'
import { addCheck, CHECK_PATH, checkProblem } from './routes/check.ts'
import { addCompression } from './routes/compression.ts'
import { addConfig } from './routes/config.ts'
import { addDescription } from './routes/description.ts'
import { addDiff } from './routes/diff.ts'
import { addDiffFile } from './routes/diff-file.ts'
import { addDiffInside } from './routes/diff-inside.ts'
import { addExport } from './routes/export.ts'
import { addFile } from './routes/file.ts'
import { addFiles } from './routes/files.ts'
import { addHealth } from './routes/health.ts'
import { addImages } from './routes/images.ts'
import { addInside } from './routes/inside.ts'
import { addMcp, MCP_PATH } from './routes/mcp.ts'
import { addPackages } from './routes/packages.ts'
import { addPages } from './routes/pages.ts'
import { addRegistry } from './routes/registry.ts'
import { addReport } from './routes/report.ts'
import { addSizes } from './routes/sizes.ts'
import { addStorage } from './routes/storage.ts'
import { addTree } from './routes/tree.ts'
import { addUpdate } from './routes/update.ts'
import { addUpdates } from './routes/updates.ts'
import { addUploads } from './routes/uploads.ts'
import { addWaste } from './routes/waste.ts'
import { addWebhooks, WEBHOOKS_PATH } from './routes/webhooks.ts'

import { Sessions } from './session.ts'

export type Parts = {
  /** Receives unexpected errors; logs to the console by default. */
  readonly log?: Log
  /** By default `LAMINA_RATE`, counted in memory. */
  readonly rate?: RateLimit
  /** The address of the client's connection, for limits on each client; by default all clients are one. */
  readonly clientOf?: (context: RequestContext) => string
  /** For hosts with other threads. */
  readonly elsewhere?: Elsewhere
  /** Runs before everything else, and sees each answer last. */
  readonly first?: MiddlewareHandler<Env>
  /** A request's body as a byte stream; by default it is what the request has. */
  readonly bodyOf?: Backend['bodyOf']
  /** How many uploads arrive at the same time. */
  readonly uploadLimits?: SemaphoreLimits
  /** Limits on the bodies of requests. */
  readonly bodyLimits?: BodyLimits
  /** Lets the host finish work after the client has left; by default it does so anyway. */
  readonly keepAlive?: Backend['keepAlive']
  /** Whether a browser can open the pages; not if nothing listens on a port. True by default. */
  readonly hasPages?: boolean
  /** The files that pages load; none by default. */
  readonly assets?: Assets
}

/** Each holds up to 9 MB: two parts, and the pieces of its body. */
const UPLOAD_LIMITS: SemaphoreLimits = { total: 16, perKey: 8 }

const VARY = 'Accept, Authorization, X-Registry-Auth, X-Registry-Config'

/** Headers of every answer that does not set its own: an answer is data, not a page, and no other page may frame or run it. */
const HEADERS: readonly (readonly [string, string])[] = [
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Referrer-Policy', 'no-referrer'],
  ['X-Content-Type-Options', 'nosniff'],
]

export function createApp(service: Service, parts: Parts = {}): App {
  const { configuration } = service.host
  const clientOf = (context: RequestContext) => {
    const connected = parts.clientOf?.(context) ?? ''
    return clientOfAddress(clientAddress(connected, context.req.raw.headers, configuration.trustedProxies))
  }
  const backend: Backend = {
    ...service,
    log: parts.log ?? ((event) => console.error(event)),
    rate: parts.rate ?? new MinuteRate(configuration.rate),
    clientOf,
    bodies: new Bodies(parts.bodyLimits),
    uploads: new Semaphore(parts.uploadLimits ?? UPLOAD_LIMITS),
    elsewhere: parts.elsewhere,
    hasPages: parts.hasPages ?? true,
    bodyOf: parts.bodyOf,
    keepAlive: parts.keepAlive ?? (() => {}),
  }
  const app: App = new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) throw invalidParameter(result.error)
    },
  })
  if (parts.first) app.use(parts.first)
  app.use(requests)
  app.use(loopbackNamesOnly(configuration.host))
  app.use(boundedStreams(clientOf))
  const sessions = new Sessions(configuration)
  app.use(readersSession(sessions))
  const checkToken = tokenCheck(configuration.tokens)
  app.use('/v1/*', (c, next) => {
    if (!c.req.path.startsWith(WEBHOOKS_PATH)) checkToken(c.req.header('Authorization'))
    return next()
  })
  app.use(MCP_PATH, (c, next) => {
    checkToken(c.req.header('Authorization'))
    return next()
  })
  app.onError((error, c) => answerFailed(backend, c, error))
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (_, methods) => refuseMethod(methods) }))
  app.notFound((c) => problemAnswer(c, new Problem('not_found', 'no such endpoint; /docs lists all of them')))
  addRoutes(app, backend)
  addPages(app, backend, { assets: parts.assets ?? (async () => undefined), sessions })
  return app
}

/** In the order of the documentation: what readers look for most comes first. */
function addRoutes(app: App, backend: Backend): void {
  addReport(app, backend)
  addFiles(app, backend)
  addTree(app, backend)
  addFile(app, backend)
  addInside(app, backend)
  addExport(app, backend)
  addWaste(app, backend)
  addPackages(app, backend)
  addDiff(app, backend)
  addDiffFile(app, backend)
  addUpdate(app, backend)
  addUpdates(app, backend)
  addDiffInside(app, backend)
  addAdvice(app, backend)
  addCheck(app, backend)
  addBadges(app, backend)
  addConfig(app, backend)
  addRegistry(app, backend)
  addImages(app, backend)
  addStorage(app, backend)
  addSizes(app, backend)
  addCompression(app, backend)
  addBase(app, backend)
  addAttached(app, backend)
  addAttachedContent(app, backend)
  addAnalyses(app, backend)
  addWebhooks(app, backend)
  addUploads(app, backend)
  addHealth(app, backend)
  addDescription(app)
  addMcp(app, backend)
}

/** Gives each request an ID, and sets the headers that all answers have. */
async function requests(c: RequestContext, next: () => Promise<void>): Promise<void> {
  const requestId = c.env?.requestId ?? crypto.randomUUID()
  c.set('requestId', requestId)
  await next()
  const { headers } = c.res
  headers.set('X-Request-Id', requestId)
  for (const [name, value] of HEADERS) if (!headers.has(name)) headers.set(name, value)
  if (c.req.path.startsWith('/v1/') && !headers.has('Vary')) headers.set('Vary', VARY)
}

/** Answers in another thread if the work must not run in this one; else as a problem. */
async function answerFailed(backend: Backend, c: RequestContext, error: unknown): Promise<Response> {
  if (error instanceof LostTable) await forgetLost(backend, c, error)
  if (!(error instanceof WorkElsewhere) || backend.elsewhere === undefined)
    return failure(c, problemFor(backend, c, error))
  try {
    return keepAnswer(
      backend,
      c,
      await backend.elsewhere(c, { client: backend.clientOf(c), signal: c.req.raw.signal }),
    )
  } catch (other) {
    return failure(c, problemFor(backend, c, other))
  }
}

function failure(c: RequestContext, problem: Problem): Response | Promise<Response> {
  return c.req.path === CHECK_PATH ? checkProblem(c, problem) : problemAnswer(c, problem)
}

function refuseMethod(methods: readonly string[]): Response {
  const allowed = methods.join(', ')
  const response = problemResponse(new Problem('method_not_allowed', `method not allowed; use ${allowed}`))
  response.headers.set('Allow', allowed)
  return response
}
