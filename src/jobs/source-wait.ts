/**
 * Measures how long a job waits for its source. It checks once a second whether the job is waiting, and counts only those seconds:
 * the time in which the job computes, or a busy machine lets it do nothing, is not the source's fault.
 */
import { yieldToEventLoop } from '../concurrency.ts'

const CHECK_MILLISECONDS = 1_000

/** Waits for something that the source sends. */
export type WaitForSource = <T>(promise: Promise<T>) => Promise<T>

export class SourceWait {
  readonly #timer: ReturnType<typeof setInterval>
  #waits = false
  #milliseconds = 0

  /** @param onGrown called whenever the total has grown */
  constructor(onGrown: () => void) {
    this.#timer = setInterval(
      () => void this.#check().then((waits) => waits && onGrown()),
      CHECK_MILLISECONDS,
    )
  }

  /** The total so far. */
  get milliseconds(): number {
    return this.#milliseconds
  }

  readonly for: WaitForSource = async (promise) => {
    this.#waits = true
    try {
      return await promise
    } finally {
      this.#waits = false
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #check(): Promise<boolean> {
    // Handle what arrived while this thread was busy first.
    await yieldToEventLoop()
    if (this.#waits) this.#milliseconds += CHECK_MILLISECONDS
    return this.#waits
  }
}
