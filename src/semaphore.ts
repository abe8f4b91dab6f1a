/**
 * A fair semaphore: permits for a scarce resource, given in turn.
 *
 * Keys say for whom a permit is, from the widest group to the narrowest: a registry, then an image; or a client alone. The next
 * permit goes to the widest group that holds the least, then to its next group that does; among equals, to the first that
 * arrived. An empty key goes first. So a group with many requests does not delay one with few.
 *
 * Permits have a weight: 1 for places, a number of bytes for memory. Whoever's turn it is waits until its weight is free, and
 * nobody lighter passes it: it could wait for ever otherwise.
 *
 * `Semaphore` is for one process or thread. Objects that share an isolate, and can be reset without releasing anything, use
 * `LeasedSemaphore` (`workers/cloudflare/leased-semaphore.ts`). Servers that share a Redis leave the order to their queue
 * (`workers/node/queue/turns.ts`).
 */

/** From the widest group to the narrowest. */
export type Key = readonly string[]

export type SemaphoreLimits = {
  /** The weight of all permits in use. */
  readonly total: number
  /** The same with resting permits; by default only those in use. */
  readonly held?: number
  /** The weight of permits for one of the widest groups, resting ones included; by default all. */
  readonly perKey?: number
  /** The weight of permits in a pool, resting ones included. What is in no pool has the rest for itself. */
  readonly pools?: Readonly<Record<string, number>>
  /** Hears the weight of all permits, resting ones included, when it changes: before a new one is used. */
  readonly onHeld?: (weight: number) => void
}

export type Acquisition = {
  /** By default 1. More than the total counts as the total. */
  readonly weight?: number
  /** The pool whose limit applies, too. */
  readonly pool?: string | undefined
}

export interface Permit {
  /** Whether somebody waits who would get a permit if this one were released. */
  readonly isWanted: boolean
  /** A resting permit's holder waits for something else, so that others may use what it permits. */
  rest(rests: boolean): void
  /** Once is enough; more does nothing. */
  release(): void
}

/** The part that every implementation has. */
export interface FairSemaphore {
  /** Whether the next one must wait. */
  readonly full: boolean
  /** How many wait. */
  readonly waiting: number
  /**
   * Waits for a permit.
   *
   * @throws the signal's reason if it is aborted first; then nothing is held
   */
  acquire(key: Key, signal?: AbortSignal, acquisition?: Acquisition): Promise<Permit>
}

/** Groups that hold permits, each with all that it is part of, and the pool. */
type Claim = {
  readonly groups: readonly string[]
  readonly pool: string | undefined
  readonly weight: number
}
type Waiting = Claim & { readonly admit: () => void }

export class Semaphore implements FairSemaphore {
  readonly #limits: Required<SemaphoreLimits>
  /** The weight that each group holds. */
  readonly #holds = new Map<string, number>()
  readonly #pooled = new Map<string, number>()
  #waiting: Waiting[] = []
  #held = 0
  #used = 0

  constructor({ total, held = total, perKey = held, pools = {}, onHeld = () => {} }: SemaphoreLimits) {
    this.#limits = { total, held, perKey, pools, onHeld }
  }

  get waiting(): number {
    return this.#waiting.length
  }

  get full(): boolean {
    return this.#waiting.length > 0 || !this.#fits(1)
  }

  acquire(key: Key, signal?: AbortSignal, acquisition?: Acquisition): Promise<Permit> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<Permit>()
    const leave = () => {
      withdraw()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', leave, { once: true })
    const withdraw = this.request(key, acquisition, (permit) => {
      signal?.removeEventListener('abort', leave)
      resolve(permit)
    })
    return promise
  }

  /**
   * Calls `admit` with a permit, now or later.
   *
   * @returns ends the request if it has no permit yet
   */
  request(key: Key, acquisition: Acquisition | undefined, admit: (permit: Permit) => void): () => void {
    const claim = this.#claim(key, acquisition)
    const waiting: Waiting = { ...claim, admit: () => admit(this.#permit(claim)) }
    this.#waiting.push(waiting)
    this.#admit()
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting)
      // It may have been the one with the turn, behind which others waited.
      this.#admit()
    }
  }

  /** A permit for those that will not wait; undefined if there is none now. */
  tryAcquire(key: Key, acquisition?: Acquisition): Permit | undefined {
    const claim = this.#claim(key, acquisition)
    if (this.#waiting.length > 0 || !this.#mayHold(claim)) return undefined
    this.#hold(claim)
    return this.#permit(claim)
  }

  #claim(key: Key, { weight = 1, pool }: Acquisition = {}): Claim {
    const groups = key.map((_, level) => JSON.stringify(key.slice(0, level + 1)))
    return { groups, pool, weight: Math.min(weight, this.#limits.total) }
  }

  #permit(claim: Claim): Permit {
    const isWanted = () => this.#isWanted(claim)
    let isHeld = true
    let isResting = false
    return {
      get isWanted() {
        return isHeld && isWanted()
      },
      rest: (rests) => {
        if (!isHeld || rests === isResting) return
        isResting = rests
        this.#used += rests ? -claim.weight : claim.weight
        this.#admit()
      },
      release: () => {
        if (!isHeld) return
        isHeld = false
        if (!isResting) this.#used -= claim.weight
        this.#held -= claim.weight
        this.#count(claim, -claim.weight)
        this.#limits.onHeld(this.#held)
        this.#admit()
      },
    }
  }

  #hold(claim: Claim): void {
    this.#held += claim.weight
    this.#used += claim.weight
    this.#count(claim, claim.weight)
    this.#limits.onHeld(this.#held)
  }

  #count({ groups, pool }: Claim, change: number): void {
    for (const group of groups) add(this.#holds, group, change)
    if (pool !== undefined) add(this.#pooled, pool, change)
  }

  #fits(weight: number): boolean {
    return this.#used + weight <= this.#limits.total && this.#held + weight <= this.#limits.held
  }

  #mayHold(claim: Claim): boolean {
    return this.#fits(claim.weight) && this.#isInItsLimits(claim)
  }

  /** Whether its widest group and its pool may hold this, too. A group or pool that holds nothing always may. */
  #isInItsLimits({ groups: [widest], pool, weight }: Claim): boolean {
    const { perKey, pools } = this.#limits
    const ofKey = widest === undefined ? 0 : (this.#holds.get(widest) ?? 0)
    const ofPool = pool === undefined ? 0 : (this.#pooled.get(pool) ?? 0)
    const most = pool === undefined ? Infinity : (pools[pool] ?? Infinity)
    return (ofKey === 0 || ofKey + weight <= perKey) && (ofPool === 0 || ofPool + weight <= most)
  }

  #isWanted(claim: Claim): boolean {
    if (this.#waiting.length === 0) return false
    this.#count(claim, -claim.weight)
    const isWanted = this.#waiting.some((waiting) => this.#isInItsLimits(waiting))
    this.#count(claim, claim.weight)
    return isWanted
  }

  #admit(): void {
    for (let next = this.#next(); next !== undefined && this.#fits(next.weight); next = this.#next()) {
      const admitted = next
      this.#waiting = this.#waiting.filter((other) => other !== admitted)
      this.#hold(admitted)
      admitted.admit()
    }
  }

  /** Whose turn it is, of those whose own limits allow it. */
  #next(): Waiting | undefined {
    let best: Waiting | undefined
    for (const waiting of this.#waiting) {
      if (!this.#isInItsLimits(waiting)) continue
      if (best === undefined || this.#holdsLess(waiting.groups, best.groups)) best = waiting
    }
    return best
  }

  #holdsLess(groups: readonly string[], others: readonly string[]): boolean {
    for (let level = 0; level < Math.max(groups.length, others.length); level++) {
      const difference = this.#heldBy(groups[level]) - this.#heldBy(others[level])
      if (difference !== 0) return difference < 0
    }
    return false
  }

  /** Less than nothing for a key that ends before this level. */
  #heldBy(group: string | undefined): number {
    return group === undefined ? -1 : (this.#holds.get(group) ?? 0)
  }
}

function add(counts: Map<string, number>, name: string, change: number): void {
  const count = (counts.get(name) ?? 0) + change
  if (count === 0) counts.delete(name)
  else counts.set(name, count)
}
