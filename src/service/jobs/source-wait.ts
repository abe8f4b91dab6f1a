/**
 * How long a job waits for its source. It looks once a second whether the job waits, and counts what it saw: so the time in which
 * the job computes, or a busy machine lets it do nothing, is not the source's.
 */
import { yieldToEventLoop } from '../../concurrency.ts'

const LOOK_MILLISECONDS = 1_000

/** Waits for something of the source. */
export type WaitForSource = <T>(promise: Promise<T>) => Promise<T>

export class SourceWait {
  readonly #watch: ReturnType<typeof setInterval>
  #waits = false
  #milliseconds = 0

  /** @param tell called whenever it has grown */
  constructor(tell: () => void) {
    this.#watch = setInterval(() => void this.#look().then((waits) => waits && tell()), LOOK_MILLISECONDS)
  }

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
    clearInterval(this.#watch)
  }

  async #look(): Promise<boolean> {
    // What arrived while this thread was busy is handled first.
    await yieldToEventLoop()
    if (this.#waits) this.#milliseconds += LOOK_MILLISECONDS
    return this.#waits
  }
}
