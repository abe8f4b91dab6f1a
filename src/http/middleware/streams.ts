/** Answers that are streamed as they are made: a limit on how many run at once, and a timeout for readers that stop. */
import type { MiddlewareHandler } from 'hono'
import { Problem } from '../../problem.ts'
import { Semaphore } from '../../semaphore.ts'
import type { Env, RequestContext } from '../backend.ts'
import { problemResponse } from '../problems.ts'

export type StreamLimits = {
  readonly atOnce: number
  /** One client cannot take all streams. */
  readonly ofOneClient: number
  /** An answer whose reader stops for this long is cut off. */
  readonly unreadMilliseconds: number
}

const LIMITS: StreamLimits = { atOnce: 64, ofOneClient: 32, unreadMilliseconds: 60_000 }
const RETRY_AFTER_SECONDS = 2

/** Lines, and anything that is saved as a file. */
function isStream({ headers }: Response): boolean {
  return (
    headers.get('Content-Type') === 'application/x-ndjson' ||
    (headers.get('Content-Disposition') ?? '').startsWith('attachment')
  )
}

/** @param clientOf the client's address: clients share the streams */
export function boundedStreams(
  clientOf: (context: RequestContext) => string,
  limits: StreamLimits = LIMITS,
): MiddlewareHandler<Env> {
  const semaphore = new Semaphore({ total: limits.atOnce, perKey: limits.ofOneClient })
  return async (context, next) => {
    await next()
    const { res } = context
    if (res.body === null) return
    if (context.req.method === 'HEAD') {
      // Nobody reads it, so it would never end.
      res.body.cancel().catch(() => {})
      context.res = new Response(null, res)
      return
    }
    if (!isStream(res)) return
    const permit = semaphore.tryAcquire([clientOf(context)])
    if (permit === undefined) {
      await res.body.cancel()
      context.res = undefined
      context.res = problemResponse(
        new Problem('rate_limited', 'too many answers are being streamed at once; try again later', {
          retryAfter: RETRY_AFTER_SECONDS,
        }),
      )
      return
    }
    const body = endedUnread(res.body, limits.unreadMilliseconds, () => permit.release())
    context.res = new Response(body, res)
  }
}

/** @param ended called once, however the stream ends */
function endedUnread(
  body: ReadableStream<Uint8Array>,
  milliseconds: number,
  ended: () => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOpen = true
  const end = () => {
    clearTimeout(timer)
    if (isOpen) ended()
    isOpen = false
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(timer)
        try {
          const { value } = await reader.read()
          if (value === undefined) {
            end()
            return controller.close()
          }
          controller.enqueue(value)
        } catch (error) {
          end()
          return controller.error(error)
        }
        timer = setTimeout(() => {
          end()
          controller.error(new Error(`the client read nothing for ${milliseconds / 1000} s`))
          reader.cancel().catch(() => {})
        }, milliseconds)
      },
      cancel(reason) {
        end()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
