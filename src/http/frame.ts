/** What stands before and behind all routes: limits, tokens and headers, and how errors are answered. */
import { OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { Service } from '../open/service.ts'
import { Problem } from '../problem.ts'
import { Semaphore, type SemaphoreLimits } from '../semaphore.ts'
import { LostTable } from '../table/table.ts'
import {
  type AnswerInThread,
  type App,
  type Backend,
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
import { MCP_PATH, tokenCheck, WEBHOOKS_PATH } from './middleware/tokens.ts'
import { Offload } from './offload.ts'
import { problemAnswer } from './problem-answer.ts'
import { invalidParameter, problemFor, problemResponse } from './problems.ts'
import type { Sessions } from './session.ts'

export type BackendParts = {
  /** Receives unexpected errors; logs to the console by default. */
  readonly log?: Log
  /** By default `LAMINA_RATE`, counted in memory. */
  readonly rate?: RateLimit
  /** The address of the client's connection, for limits on each client; by default all clients are one. */
  readonly clientOf?: (context: RequestContext) => string
  /** For hosts with other threads. */
  readonly offload?: AnswerInThread
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
}

export type FrameParts = {
  /** Runs before everything else, and sees each answer last. */
  readonly first?: MiddlewareHandler<Env> | undefined
  /** The answer for a problem; by default {@link problemAnswer}. */
  readonly answerProblem?: AnswerProblem
}

type AnswerProblem = (context: RequestContext, problem: Problem) => Response | Promise<Response>

/** Each holds up to 9 MB: two parts, and the pieces of its body. */
const UPLOAD_LIMITS: SemaphoreLimits = { total: 8, perKey: 4 }

const VARY = 'Accept, Authorization, X-Registry-Auth, X-Registry-Config'

/** Headers of every answer that does not set its own: an answer is data, not a page, and no other page may frame or run it. */
const HEADERS: readonly (readonly [string, string])[] = [
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Referrer-Policy', 'no-referrer'],
  ['X-Content-Type-Options', 'nosniff'],
]

export function createBackend(service: Service, parts: BackendParts = {}): Backend {
  const { configuration } = service.host
  const clientOf = (context: RequestContext) => {
    const connected = parts.clientOf?.(context) ?? ''
    return clientOfAddress(clientAddress(connected, context.req.raw.headers, configuration.trustedProxies))
  }
  return {
    ...service,
    log: parts.log ?? ((event) => console.error(event)),
    rate: parts.rate ?? new MinuteRate(configuration.rate),
    clientOf,
    bodies: new Bodies(parts.bodyLimits),
    uploads: new Semaphore(parts.uploadLimits ?? UPLOAD_LIMITS),
    offload: parts.offload,
    hasPages: parts.hasPages ?? true,
    bodyOf: parts.bodyOf,
    keepAlive: parts.keepAlive ?? (() => {}),
  }
}

/** An app without routes, to which they are added. */
export function createFrame(
  backend: Backend,
  sessions: Sessions,
  { first, answerProblem = problemAnswer }: FrameParts = {},
): App {
  const { configuration } = backend.host
  const app: App = new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) throw invalidParameter(result.error)
    },
  })
  if (first) app.use(first)
  app.use(requests)
  app.use(loopbackNamesOnly(configuration.host))
  app.use(boundedStreams(backend.clientOf))
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
  app.onError(async (error, c) => {
    const answer = await answerFailed(backend, c, error)
    return answer instanceof Problem ? answerProblem(c, answer) : answer
  })
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (_, methods) => refuseMethod(methods) }))
  app.notFound((c) => problemAnswer(c, new Problem('not_found', 'no such endpoint; /docs lists all of them')))
  return app
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

/** Answers in another thread if the work must not run in this one. @returns the problem otherwise */
async function answerFailed(
  backend: Backend,
  c: RequestContext,
  error: unknown,
): Promise<Response | Problem> {
  if (error instanceof LostTable) await forgetLost(backend, c, error)
  if (!(error instanceof Offload) || backend.offload === undefined) return problemFor(backend, c, error)
  try {
    return keepAnswer(
      backend,
      c,
      await backend.offload(c, { client: backend.clientOf(c), signal: c.req.raw.signal }),
    )
  } catch (other) {
    return problemFor(backend, c, other)
  }
}

function refuseMethod(methods: readonly string[]): Response {
  const allowed = methods.join(', ')
  const response = problemResponse(new Problem('method_not_allowed', `method not allowed; use ${allowed}`))
  response.headers.set('Allow', allowed)
  return response
}
