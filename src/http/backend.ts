/** What the routes work with, and the app that they are hung on. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Service } from '../service/service.ts'
import { LostTable } from '../table/table.ts'
import type { RateLimit } from './middleware/rate.ts'

/** An unforeseen error, or a stream that was cut off: for the operator, never for the caller. */
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
  /** Bounds how often one client starts an analysis that is neither there nor running. */
  readonly rate: RateLimit
  /** Whether a browser can open the pages. */
  readonly hasPages: boolean
  /** Who asks, for the rate limit: an address. */
  readonly clientOf: (context: Context<Env>) => string
  /** Answers the request in another thread, if the host has one for work that this thread must not do. */
  readonly elsewhere?: Elsewhere | undefined
  /** Has the host go on with work though the client has left. */
  readonly keepAlive: (context: Context<Env>, work: Promise<void>) => void
}

export type Elsewhere = (context: Context<Env>, signal: AbortSignal) => Promise<Response>

/** Bindings are a host's own; a thread that answers for another is given the name of the request. */
export type Env = {
  Variables: {
    requestId: string
    /** The key for keeping the answer. */
    answerKey?: string
  }
  Bindings: { requestId?: string }
}
export type App = OpenAPIHono<Env>
export type RequestContext = Context<Env>

/** Reports an unforeseen error to the operator. */
export function logUnforeseen(backend: Backend, context: RequestContext, error: unknown): void {
  backend.log({ requestId: context.var.requestId, method: context.req.method, path: context.req.path, error })
}

/** Has what is lost made again by the next request; a store that fails here too changes nothing of this answer. */
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
