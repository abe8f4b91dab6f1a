/** Random numbers that a seed reproduces. */
import { createHash } from 'node:crypto'

export class Random {
  readonly #seed: number
  #drawn = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  /** An integer from 0 to below `limit`, which is at most 2^32. */
  below(limit: number): number {
    const hash = createHash('sha256')
      .update(`${this.#seed} ${this.#drawn++}`)
      .digest()
    return Math.floor((hash.readUInt32BE(0) / 2 ** 32) * limit)
  }

  pick<T>(list: readonly T[]): T {
    const [picked] = list.slice(this.below(list.length))
    if (picked === undefined) throw new Error('there is nothing to pick from')
    return picked
  }
}
