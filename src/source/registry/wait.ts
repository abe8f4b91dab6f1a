/** Waits for what the network brings, no longer than the timeouts and the caller allow. */

/** The sender was silent, or too slow. */
export class StalledError extends Error {
  /** It was too slow for a long time, rather than silent for a while: trying again would not help. */
  readonly tooSlow: boolean

  constructor(message: string, { tooSlow = false }: { readonly tooSlow?: boolean } = {}) {
    super(message)
    this.name = 'StalledError'
    this.tooSlow = tooSlow
  }
}

/**
 * What the promise brings.
 *
 * @throws StalledError after `milliseconds`; the signal's reason as soon as it is aborted; what the promise throws
 */
export async function waitFor<T>(
  promise: Promise<T>,
  options: { readonly milliseconds?: number; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  const { milliseconds, signal } = options
  // Nobody hears how it fails any more: unheard, it would end the process.
  if (signal?.aborted) promise.catch(() => {})
  signal?.throwIfAborted()
  let timer: ReturnType<typeof setTimeout> | undefined
  let abort: (() => void) | undefined
  const end = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason)
    signal?.addEventListener('abort', abort)
    if (milliseconds === undefined) return
    const stalled = () => reject(new StalledError(`nothing came for ${milliseconds / 1000} s`))
    // Where this process was busy all that time, what came meanwhile is noticed first.
    const late = () => {
      timer = setTimeout(stalled)
    }
    timer = setTimeout(late, milliseconds)
  })
  try {
    return await Promise.race([promise, end])
  } finally {
    clearTimeout(timer)
    if (abort !== undefined) signal?.removeEventListener('abort', abort)
  }
}
