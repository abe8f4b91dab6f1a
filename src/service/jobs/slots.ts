/** Slots for a scarce resource, such as a core: a limited number at once, given in turn to the groups that hold the least. */

import type { Admission } from '../../host.ts'
import type { Claim } from '../../job.ts'

export type SlotLimits = {
  /** How many slots can be in use at once. */
  readonly atOnce: number
  /** How many slots can be held at once, resting ones included; by default only those in use. */
  readonly held?: number
  /** How many of these one of the widest groups may hold; by default all. */
  readonly share?: number
}

export interface Slot {
  /** A resting holder waits for something else, so its slot may be used by another. */
  rest(rests: boolean): void
  release(): void
}

type Waiting = { readonly groups: readonly string[]; readonly admit: () => void }

export class Slots implements Admission {
  readonly #atOnce: number
  readonly #most: number
  readonly #share: number
  /** How many slots each group holds. */
  readonly #holds = new Map<string, number>()
  #waiting: Waiting[] = []
  #held = 0
  #used = 0

  constructor({ atOnce, held = atOnce, share = held }: SlotLimits) {
    this.#atOnce = atOnce
    this.#most = held
    this.#share = share
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Whether the next one must wait. */
  get full(): boolean {
    return this.#waiting.length > 0 || !this.#hasRoom
  }

  async enter(signal: AbortSignal, claim: Claim): Promise<() => void> {
    return (await this.take(claim, signal)).release
  }

  /** Like `enter`, for holders that may rest. */
  async take(claim: Claim, signal?: AbortSignal): Promise<Slot> {
    signal?.throwIfAborted()
    const groups = claim.map((_, level) => JSON.stringify(claim.slice(0, level + 1)))
    if (!this.#mayHold(groups)) await this.#wait(groups, signal)
    else this.#hold(groups)
    return this.#slot(groups)
  }

  #wait(groups: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting)
        reject(signal?.reason)
      }
      const admit = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const waiting = { groups, admit }
      this.#waiting.push(waiting)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  #slot(groups: readonly string[]): Slot {
    let isHeld = true
    let isResting = false
    return {
      rest: (rests) => {
        if (!isHeld || rests === isResting) return
        isResting = rests
        this.#used += rests ? -1 : 1
        this.#admit()
      },
      release: () => {
        if (!isHeld) return
        isHeld = false
        if (!isResting) this.#used--
        this.#held--
        for (const group of groups) this.#count(group, -1)
        this.#admit()
      },
    }
  }

  #hold(groups: readonly string[]): void {
    this.#held++
    this.#used++
    for (const group of groups) this.#count(group, 1)
  }

  #count(group: string, change: number): void {
    const holds = (this.#holds.get(group) ?? 0) + change
    if (holds === 0) this.#holds.delete(group)
    else this.#holds.set(group, holds)
  }

  get #hasRoom(): boolean {
    return this.#used < this.#atOnce && this.#held < this.#most
  }

  #mayHold(groups: readonly string[]): boolean {
    return this.#hasRoom && this.#holdsOf(groups[0]) < this.#share
  }

  #holdsOf(group: string | undefined): number {
    return group === undefined ? 0 : (this.#holds.get(group) ?? 0)
  }

  #admit(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#waiting = this.#waiting.filter((other) => other !== next)
      this.#hold(next.groups)
      next.admit()
    }
  }

  /** Picks the one whose widest group holds the least, then whose next group does; among equals, the first to arrive. */
  #next(): Waiting | undefined {
    let best: Waiting | undefined
    for (const waiting of this.#waiting) {
      if (!this.#mayHold(waiting.groups)) continue
      if (best === undefined || this.#holdsLess(waiting.groups, best.groups)) best = waiting
    }
    return best
  }

  #holdsLess(groups: readonly string[], others: readonly string[]): boolean {
    for (const [level, group] of groups.entries()) {
      const difference = this.#holdsOf(group) - this.#holdsOf(others[level])
      if (difference !== 0) return difference < 0
    }
    return false
  }
}
