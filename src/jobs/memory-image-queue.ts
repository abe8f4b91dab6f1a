/** The queue of images in this process: bounded, and lost when the process ends. */
import type { ImageQueue } from '../host.ts'
import type { Order, OrderEnd } from '../job.ts'
import { Problem } from '../problem.ts'

/** For services that take no orders. */
export const noImageQueue: ImageQueue = {
  add: () => Promise.reject(new Error('this service takes no orders')),
  holds: async () => undefined,
}

export type ImageQueueLimits = {
  /** Orders that run at the same time. */
  readonly atOnce: number
  /** How many orders are held, running ones included. */
  readonly most?: number
  /** Attempts per order; the analyses get the last failure. */
  readonly attempts?: number
}

export type ImageQueueWork = {
  readonly run: (order: Order, attempt: number) => Promise<OrderEnd>
  readonly giveUp: (order: Order, problem: Problem) => Promise<void>
}

type Waiting = { readonly order: Order; readonly attempt: number }

const MOST = 10_000
const ATTEMPTS = 6
/** How long until a failure is recorded again, after the store refused it; and how often. */
const GIVE_UP_MILLISECONDS = 60_000
const GIVE_UP_ATTEMPTS = 60
/** After an order that failed in an unforeseen way. */
const UNFORESEEN: OrderEnd = {
  again: {
    seconds: 60,
    problem: new Problem('internal_error', 'the analysis failed because of an internal error'),
  },
}

export class MemoryImageQueue implements ImageQueue {
  readonly #work: ImageQueueWork
  readonly #atOnce: number
  readonly #most: number
  readonly #attempts: number
  readonly #waiting: Waiting[] = []
  /** Orders that failed and will be retried. */
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  /** How many orders report to each analysis. */
  readonly #analyses = new Map<string, number>()
  #held = 0
  #running = 0
  #isStopped = false

  constructor(work: ImageQueueWork, { atOnce, most = MOST, attempts = ATTEMPTS }: ImageQueueLimits) {
    this.#work = work
    this.#atOnce = atOnce
    this.#most = most
    this.#attempts = attempts
  }

  async add(orders: readonly Order[]): Promise<void> {
    if (this.#held + orders.length > this.#most) {
      const detail = `the queue holds ${this.#held} of at most ${this.#most} images; send fewer, or try again later`
      throw new Problem('rate_limited', detail, { retryAfter: 60 })
    }
    for (const order of orders) {
      this.#held++
      this.#count(order, 1)
      this.#waiting.push({ order, attempt: 1 })
    }
    this.#begin()
  }

  async holds(analysis: string): Promise<boolean> {
    return this.#analyses.has(analysis)
  }

  /** Starts no more orders; running ones continue. */
  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  #begin(): void {
    while (!this.#isStopped && this.#running < this.#atOnce) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#running++
      void this.#run(next).finally(() => {
        this.#running--
        this.#begin()
      })
    }
  }

  async #run({ order, attempt }: Waiting): Promise<void> {
    const { again } = await this.#work.run(order, attempt).catch(() => UNFORESEEN)
    if (again === undefined) return this.#forget(order)
    if (attempt >= this.#attempts) return this.#giveUp(order, again.problem)
    this.#later(again.seconds * 1000, () => {
      this.#waiting.push({ order, attempt: attempt + 1 })
      this.#begin()
    })
  }

  /** The store may be away as well: then the analyses are told later. */
  async #giveUp(order: Order, problem: Problem, attempt = 1): Promise<void> {
    try {
      await this.#work.giveUp(order, problem)
    } catch {
      if (attempt < GIVE_UP_ATTEMPTS)
        return this.#later(GIVE_UP_MILLISECONDS, () => void this.#giveUp(order, problem, attempt + 1))
    }
    this.#forget(order)
  }

  #later(milliseconds: number, act: () => void): void {
    if (this.#isStopped) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, milliseconds)
    this.#timers.add(timer)
  }

  #forget(order: Order): void {
    this.#held--
    this.#count(order, -1)
  }

  #count({ analyses }: Order, change: number): void {
    for (const id of analyses) {
      const orders = (this.#analyses.get(id) ?? 0) + change
      if (orders > 0) this.#analyses.set(id, orders)
      else this.#analyses.delete(id)
    }
  }
}
