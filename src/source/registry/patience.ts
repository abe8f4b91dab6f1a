/** How long one waits for the next byte of a blob. */

export class Patience {
  readonly #milliseconds: number
  #left: number

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
    this.#left = milliseconds
  }

  /** In milliseconds; at most 0 when it is exhausted. */
  get left(): number {
    return this.#left
  }

  /** Counts the time that `work` takes: time in which nobody waits does not count. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now()
    try {
      return await work()
    } finally {
      this.#left -= performance.now() - began
    }
  }

  /** A byte has arrived. */
  renew(): void {
    this.#left = this.#milliseconds
  }
}
