/** A limit on the whole of something that takes many requests: retries, redirects and tokens included. */
import type { Problem } from '../../problem.ts'
import { waitFor } from './wait.ts'

export type TimeLimit = {
  readonly milliseconds: number
  /** What to throw when the time is up. */
  readonly problem: () => Problem
  /** Ends it earlier. */
  readonly signal?: AbortSignal | undefined
}

/**
 * What `ask` brings. The signal that it gets is aborted when the time is up, and no longer once it has settled: a stream
 * that it opened may go on.
 *
 * @throws Problem the limit's, when the time is up; the limit's signal's reason; what `ask` throws
 */
export async function within<T>(limit: TimeLimit, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const end = new AbortController()
  const timer = setTimeout(() => end.abort(limit.problem()), limit.milliseconds)
  const signal = limit.signal === undefined ? end.signal : AbortSignal.any([end.signal, limit.signal])
  try {
    return await waitFor(ask(signal), { signal })
  } finally {
    clearTimeout(timer)
  }
}
