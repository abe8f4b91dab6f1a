/** Waiting for what the network brings, no longer than timeouts or the caller allows. */

/** Nothing came in time, or too little. */
export class StalledError extends Error {
  /** Too slow over a long time, not silent for a while: trying again would not help. */
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
 * @throws StalledError after so many milliseconds; the signal's reason as soon as it is aborted; what the promise throws
 */
export async function waitFor<T>(
  promise: Promise<T>,
  options: { readonly milliseconds?: number; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  const { milliseconds, signal } = options
  signal?.throwIfAborted()
  let timer: ReturnType<typeof setTimeout> | undefined
  let abort: (() => void) | undefined
  const end = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason)
    signal?.addEventListener('abort', abort)
    if (milliseconds === undefined) return
    const late = () => reject(new StalledError(`nothing came for ${milliseconds / 1000} s`))
    timer = setTimeout(late, milliseconds)
  })
  try {
    return await Promise.race([promise, end])
  } finally {
    clearTimeout(timer)
    if (abort !== undefined) signal?.removeEventListener('abort', abort)
  }
}
