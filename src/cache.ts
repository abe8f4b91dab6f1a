/** A cache in memory, bounded by bytes and by age. */

type Kept<V> = { readonly value: V; readonly bytes: number; readonly until: number }

export type CacheLimits<V> = {
  /** All entries with their keys; the least recently used entry is dropped first. */
  readonly bytes: number
  /** How long each entry lives. */
  readonly milliseconds: number
  /** Approximate bytes that a value takes; 0 by default. */
  readonly sizeOf?: (value: V) => number
}

/** Approximate bytes of an entry beside its key and value. */
const ENTRY_BYTES = 150
/** Expired entries are removed at most this often, so that most calls cost nothing. */
const SWEEP_MILLISECONDS = 10_000

export class Cache<V> {
  /** From the least to the most recently used. */
  readonly #kept = new Map<string, Kept<V>>()
  #limits: CacheLimits<V>
  #bytes = 0
  #share = 1
  #sweepAt = 0

  constructor(limits: CacheLimits<V>) {
    this.#limits = limits
  }

  /** Bytes that the entries take, roughly. */
  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#kept.size
  }

  /** The most bytes that it takes, if nobody shares them. */
  get mostBytes(): number {
    return this.#limits.bytes
  }

  /** Takes this share of the bytes from now on, and drops what it has beyond that. */
  resize(share: number): void {
    this.#share = share
    this.#fit()
  }

  get(key: string): V | undefined {
    const found = this.#kept.get(key)
    if (found === undefined) return undefined
    if (found.until <= Date.now()) {
      this.delete(key)
      return undefined
    }
    this.#kept.delete(key)
    this.#kept.set(key, found)
    return found.value
  }

  /** Returns the value and forgets it. */
  take(key: string): V | undefined {
    const value = this.get(key)
    this.delete(key)
    return value
  }

  /**
   * Stores the value, unless it alone exceeds the limit.
   *
   * @param milliseconds how long, if less than the cache's own time
   */
  set(key: string, value: V, milliseconds = this.#limits.milliseconds): void {
    const now = Date.now()
    this.delete(key)
    this.#sweep(now)
    const bytes = ENTRY_BYTES + 2 * key.length + (this.#limits.sizeOf?.(value) ?? 0)
    if (bytes > this.#limits.bytes * this.#share) return
    this.#kept.set(key, { value, bytes, until: now + Math.min(milliseconds, this.#limits.milliseconds) })
    this.#bytes += bytes
    this.#fit()
  }

  delete(key: string): void {
    const found = this.#kept.get(key)
    if (found === undefined) return
    this.#kept.delete(key)
    this.#bytes -= found.bytes
  }

  #fit(): void {
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#limits.bytes * this.#share) break
      this.delete(oldest)
    }
  }

  /** Drops expired entries, which may never be requested again. */
  #sweep(now: number): void {
    if (now < this.#sweepAt) return
    this.#sweepAt = now + Math.min(SWEEP_MILLISECONDS, this.#limits.milliseconds)
    for (const [key, { until }] of this.#kept) if (until <= now) this.delete(key)
  }
}
