/** Facts that are asked for again within moments, kept in memory: bounded by count and by age. */

type Kept<V> = { readonly value: V; readonly until: number }

export class Cache<V> {
  readonly #kept = new Map<string, Kept<V>>()
  readonly #entries: number
  readonly #milliseconds: number

  /** @param limits at most so many entries, the least recently used leaves first, each for so long */
  constructor(limits: { entries: number; milliseconds: number }) {
    this.#entries = limits.entries
    this.#milliseconds = limits.milliseconds
  }

  get(key: string): V | undefined {
    const found = this.#kept.get(key)
    if (found === undefined) return undefined
    this.#kept.delete(key)
    if (found.until < Date.now()) return undefined
    this.#kept.set(key, found)
    return found.value
  }

  set(key: string, value: V): void {
    this.#kept.delete(key)
    this.#kept.set(key, { value, until: Date.now() + this.#milliseconds })
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#entries) break
      this.#kept.delete(oldest)
    }
  }
}
