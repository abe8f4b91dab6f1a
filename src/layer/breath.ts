/** So that a long computation leaves the event loop to others now and then: aborts, timers, other requests. */
import { turn } from '../turn.ts'

/** Bytes of content: a quarter of a second of inflating and hashing. To wait for more of a blob leaves the loop, too. */
const WORK = 64 * 1024 * 1024

export class Breath {
  #work = 0

  /**
   * Counts bytes that were worked on.
   *
   * @returns whether `take` is due
   */
  isDue(bytes: number): boolean {
    this.#work += bytes
    return this.#work >= WORK
  }

  take(): Promise<void> {
    this.#work = 0
    return turn()
  }
}
