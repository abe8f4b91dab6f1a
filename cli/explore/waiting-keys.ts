/** Keys that wait for a search or a filter: who types fast means what will be found. */

const MOST_WAITING = 100

export class WaitingKeys {
  #isFinding = false
  #waiting: (() => void)[] = []

  begin(): void {
    this.#isFinding = true
  }

  /** Calls all that wait, unless one of them begins another search. */
  end(): void {
    this.#isFinding = false
    while (!this.#isFinding) {
      const then = this.#waiting.shift()
      if (then === undefined) return
      then()
    }
  }

  /** Ends without calling any. */
  drop(): void {
    this.#isFinding = false
    this.#waiting = []
  }

  /** Calls it when all is found, or at once if nothing is looked for. */
  whenFound(then: () => void): void {
    if (!this.#isFinding) then()
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(then)
  }
}
