/** A turn that one thread of the process has at a time; the main thread ends that thread, and then takes it back. */
import type { SharedTurn } from '../../../src/layer/decode/zstd-memory.ts'

const NOBODY = 0

export class ThreadTurn implements SharedTurn {
  readonly #cell: Int32Array
  readonly #thread: number

  /** @param cell has the ID of the thread that has the turn */
  constructor(cell: SharedArrayBuffer, thread: number) {
    this.#cell = new Int32Array(cell)
    this.#thread = thread
  }

  get isTaken(): boolean {
    return Atomics.load(this.#cell, 0) === this.#thread
  }

  take(): boolean {
    const holder = Atomics.compareExchange(this.#cell, 0, NOBODY, this.#thread)
    return holder === NOBODY || holder === this.#thread
  }

  release(): void {
    Atomics.compareExchange(this.#cell, 0, this.#thread, NOBODY)
  }
}
