/** What the routes work with, and the app that they are added to. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Service } from '../open/service.ts'
import type { Semaphore } from '../semaphore.ts'
import { LostTable } from '../table/table.ts'
import type { Bodies } from './middleware/body.ts'
import type { RateLimit } from './middleware/rate.ts'
import type { Session } from './session.ts'

/** An unexpected error, or a stream that was cut off: for the operator, never for the caller. */
export type LogEvent = {
  readonly requestId: string
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly error: unknown
}

export type Log = (event: LogEvent) => void

export type Backend = Service & {
  readonly log: Log
  /** Limits how often one client starts an analysis that is neither stored nor running. */
  readonly rate: RateLimit
  /** Whether a browser can open the pages. */
  readonly hasPages: boolean
  /** Identifies the client for the rate limit: an address. */
  readonly clientOf: (context: Context<Env>) => string
  /** Reads the bodies of all requests but uploads. */
  readonly bodies: Bodies
  /** Uploads that arrive at the same time; clients take turns. */
  readonly uploads: Semaphore
  /** The body of a request as a byte stream, if the host can give it as one: a large body then creates less garbage. */
  readonly bodyOf?: ((context: Context<Env>) => ReadableStream<Uint8Array>) | undefined
  /** Answers the request in another thread, if the host has one for work that this thread must not do. */
  readonly offload?: AnswerInThread | undefined
  /** Lets the host finish work after the client has left. */
  readonly keepAlive: (context: Context<Env>, work: Promise<void>) => void
}

/** Clients take turns. */
export type AnswerInThread = (
  context: Context<Env>,
  by: { readonly client: string; readonly signal: AbortSignal },
) => Promise<Response>

/** Bindings belong to a host; a thread that answers for another is given the name of the request. */
export type Env = {
  Variables: {
    requestId: string
    /** The key under which the answer is kept. */
    answerKey?: string
    /** What the cookie of a reader says. */
    session?: Session
  }
  Bindings: { requestId?: string }
}
export type App = OpenAPIHono<Env>
export type RequestContext = Context<Env>

/** Reports an unexpected error to the operator. */
export function logUnforeseen(backend: Backend, context: RequestContext, error: unknown): void {
  backend.log({ requestId: context.var.requestId, method: context.req.method, path: context.req.path, error })
}

/** Lets the next request rebuild what the store has lost; if the store fails here too, this answer stays the same. */
export async function forgetLost(backend: Backend, context: RequestContext, lost: LostTable): Promise<void> {
  try {
    await lost.forget()
  } catch (error) {
    logUnforeseen(backend, context, error)
  }
}

/** Tells the operator that an answer was cut off, unless its reader left. */
export function logCut(backend: Backend, context: RequestContext, error: unknown): void {
  if (error instanceof LostTable) backend.keepAlive(context, forgetLost(backend, context, error))
  if (!context.req.raw.signal.aborted) logUnforeseen(backend, context, error)
}
