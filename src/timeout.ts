/**
 * Waiting with a limit: for a promise, for work that can be aborted, or for some time; ends at a limit or an aborted signal.
 */

export type TimeLimit = {
  readonly milliseconds: number
  /** What to throw when the time is up. */
  readonly error: () => Error
}

export type WaitOptions = {
  readonly limit?: TimeLimit
  /** Measures the limit; shared by waits that follow one another. */
  readonly timer?: SharedTimer
  readonly signal?: AbortSignal | undefined
}

/**
 * The promise's value.
 *
 * @throws the limit's error when the time is up; the signal's reason as soon as it is aborted; what the promise throws
 */
export async function waitFor<T>(promise: Promise<T>, { limit, timer, signal }: WaitOptions): Promise<T> {
  // Nobody listens to the promise any more: an unhandled rejection would end the process.
  if (signal?.aborted) promise.catch(() => {})
  signal?.throwIfAborted()
  const end = Promise.withResolvers<never>()
  const abort = () => end.reject(signal?.reason)
  signal?.addEventListener('abort', abort)
  const start = timer?.start ?? startTimer
  const stopTimer = limit && start(limit.milliseconds, () => end.reject(limit.error()))
  try {
    return await Promise.race([promise, end.promise])
  } finally {
    stopTimer?.()
    signal?.removeEventListener('abort', abort)
  }
}

/**
 * The result of `work`. The signal that it gets is aborted when the time is up, but not after it has settled: a stream that it
 * opened may continue.
 *
 * @throws the limit's error when the time is up; the given signal's reason; what `work` throws
 */
export async function within<T>(
  limit: TimeLimit & { readonly signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController()
  const stopTimer = startTimer(limit.milliseconds, () => end.abort(limit.error()))
  const signal = limit.signal === undefined ? end.signal : AbortSignal.any([end.signal, limit.signal])
  try {
    return await waitFor(work(signal), { signal })
  } finally {
    stopTimer()
  }
}

/** Resolves after some time. @throws the signal's reason as soon as it is aborted */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  try {
    await waitFor(promise, { signal })
  } finally {
    clearTimeout(timer)
  }
}

/** A timer that is mostly stopped in time, and started again: setting and clearing one each time takes 25 µs in workerd. */
export class SharedTimer {
  #timer: ReturnType<typeof setTimeout> | undefined
  #started: { readonly due: number; readonly act: () => void } | undefined

  /** Call it when the last one was stopped. @returns how to stop it */
  readonly start = (milliseconds: number, act: () => void): (() => void) => {
    this.#started = { due: performance.now() + milliseconds, act }
    this.#timer ??= setTimeout(this.#look, milliseconds)
    return () => {
      this.#started = undefined
    }
  }

  /** Call it after the last wait: until then the process may have to wait for the timer. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  readonly #look = (): void => {
    this.#timer = undefined
    if (this.#started === undefined) return
    const { due, act } = this.#started
    const milliseconds = due - performance.now()
    if (milliseconds > 0) this.#timer = setTimeout(this.#look, milliseconds)
    else setTimeout(() => this.#started?.act === act && act())
  }
}

/** @returns how to stop it */
function startTimer(milliseconds: number, act: () => void): () => void {
  // If this process was busy all that time, what arrived meanwhile is handled first.
  const late = () => {
    timer = setTimeout(act)
  }
  let timer = setTimeout(late, milliseconds)
  return () => clearTimeout(timer)
}
