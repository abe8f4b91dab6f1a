/**
 * Where requests begin: of those that arrive together, one begins in each turn of the event loop, so that a burst does not
 * delay what must be answered at once.
 */
export class Entrance {
  readonly #waiting: (() => void)[] = []
  /** Whether a request has begun in this turn. */
  #isTaken = false

  /** Resolves when it is the caller's turn, in order of arrival; at once if nobody else is waiting. */
  enter(): Promise<void> {
    if (!this.#isTaken) {
      this.#take()
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #take(): void {
    this.#isTaken = true
    setImmediate(() => {
      const next = this.#waiting.shift()
      this.#isTaken = false
      if (next === undefined) return
      this.#take()
      next()
    })
  }
}
