/** Work that goes on while somebody asks for it, and is cancelled soon after nobody does. */
import { Problem } from '../../problem.ts'
import { waitFor } from '../../timeout.ts'

/** Work is cancelled after this long without a request for it. */
const ABANDONED_MILLISECONDS = 10_000
/** How long an outcome is kept for those who ask again. */
const KEPT_MILLISECONDS = 60_000
const MOST = 100

type Outcome<Result> = { readonly result: Result } | { readonly error: unknown }

type Work<Result, Progress> = {
  /** Never rejects. */
  readonly ended: Promise<void>
  readonly cancel: AbortController
  outcome?: Outcome<Result> & { readonly at: number }
  progress: Progress
  asking: number
  abandonment?: ReturnType<typeof setTimeout>
}

export type Asking<Result, Progress> = {
  /** Starts the work, if none goes on. */
  readonly begin: (signal: AbortSignal, report: (progress: Progress) => void) => Promise<Result>
  readonly progress: Progress
  readonly seconds: number
  readonly signal: AbortSignal
}

export class AskedWork<Result, Progress> {
  readonly #works = new Map<string, Work<Result, Progress>>()
  readonly #abandonedMilliseconds: number

  constructor(abandonedMilliseconds = ABANDONED_MILLISECONDS) {
    this.#abandonedMilliseconds = abandonedMilliseconds
  }

  /** Whether work with this key goes on, or has just ended. */
  has(key: string): boolean {
    this.#forget()
    return this.#works.has(key)
  }

  /**
   * Waits for the work; a failure is told once.
   *
   * @param key identifies the work and who may see its result
   * @returns the progress if the time was up first
   * @throws what the work fails with; Problem `rate_limited` if too much goes on; the signal's reason
   */
  async ask(
    key: string,
    asking: Asking<Result, Progress>,
  ): Promise<{ readonly result: Result } | { readonly progress: Progress }> {
    this.#forget()
    const work = this.#works.get(key) ?? this.#begin(key, asking)
    work.asking++
    clearTimeout(work.abandonment)
    try {
      if (work.outcome === undefined) await endOrTime(work.ended, asking)
    } finally {
      work.asking--
      if (work.asking === 0 && work.outcome === undefined)
        work.abandonment = setTimeout(() => work.cancel.abort(), this.#abandonedMilliseconds)
    }
    const { outcome, progress } = work
    if (outcome === undefined) return { progress }
    if ('result' in outcome) return outcome
    if (this.#works.get(key) === work) this.#works.delete(key)
    throw outcome.error
  }

  #begin(key: string, { begin, progress }: Asking<Result, Progress>): Work<Result, Progress> {
    if (this.#works.size >= MOST) {
      const detail = `this service is busy: ${MOST} images are being measured already; try again later`
      throw new Problem('rate_limited', detail, { retryAfter: 30 })
    }
    const cancel = new AbortController()
    const report = (now: Progress) => {
      work.progress = now
    }
    const end = (outcome: Outcome<Result>) => {
      clearTimeout(work.abandonment)
      work.outcome = { ...outcome, at: Date.now() }
      // Whoever asks after that begins again.
      if (cancel.signal.aborted) this.#works.delete(key)
    }
    const ended = Promise.resolve()
      .then(() => begin(cancel.signal, report))
      .then(
        (result) => end({ result }),
        (error: unknown) => end({ error }),
      )
    const work: Work<Result, Progress> = { ended, cancel, progress, asking: 0 }
    this.#works.set(key, work)
    return work
  }

  /** On requests rather than by a timer, which would keep a process alive. */
  #forget(): void {
    const before = Date.now() - KEPT_MILLISECONDS
    for (const [key, { outcome }] of this.#works)
      if (outcome !== undefined && outcome.at < before) this.#works.delete(key)
  }
}

/** Resolves when the work has ended, or the time is up. */
async function endOrTime(
  ended: Promise<void>,
  { seconds, signal }: Pick<Asking<unknown, unknown>, 'seconds' | 'signal'>,
): Promise<void> {
  const time = Promise.withResolvers<void>()
  const timer = setTimeout(time.resolve, seconds * 1000)
  try {
    await waitFor(Promise.race([ended, time.promise]), { signal })
  } finally {
    clearTimeout(timer)
  }
}
