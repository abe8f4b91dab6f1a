/** The queue of images in this process: bounded, and lost when the process ends. */
import type { ImageQueue } from '../host.ts'
import type { QueuedImage, QueuedImageEnd } from '../job.ts'
import { Problem } from '../problem.ts'

/** For services that take no images. */
export const noImageQueue: ImageQueue = {
  add: () => Promise.reject(new Error('this service takes no images')),
  holds: async () => undefined,
}

export type ImageQueueLimits = {
  /** Images that run at the same time. */
  readonly atOnce: number
  /** How many images are held, running ones included. */
  readonly most?: number
  /** Attempts per image; the analyses get the last failure. */
  readonly attempts?: number
}

export type ImageQueueWork = {
  readonly run: (queued: QueuedImage, attempt: number) => Promise<QueuedImageEnd>
  readonly giveUp: (queued: QueuedImage, problem: Problem) => Promise<void>
}

type Waiting = { readonly queued: QueuedImage; readonly attempt: number }

const MOST = 10_000
const ATTEMPTS = 6
/** How long until a failure is recorded again, after the store refused it; and how often. */
const GIVE_UP_MILLISECONDS = 60_000
const GIVE_UP_ATTEMPTS = 60
/** After an image that failed in an unforeseen way. */
const UNFORESEEN: QueuedImageEnd = {
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
  /** Images that failed and will be retried. */
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  /** How many images report to each analysis. */
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

  async add(images: readonly QueuedImage[]): Promise<void> {
    if (this.#held + images.length > this.#most) {
      const detail = `the queue holds ${this.#held} of at most ${this.#most} images; send fewer, or try again later`
      throw new Problem('rate_limited', detail, { retryAfter: 60 })
    }
    for (const queued of images) {
      this.#held++
      this.#count(queued, 1)
      this.#waiting.push({ queued, attempt: 1 })
    }
    this.#begin()
  }

  async holds(analysis: string): Promise<boolean> {
    return this.#analyses.has(analysis)
  }

  /** Starts no more images; running ones continue. */
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

  async #run({ queued, attempt }: Waiting): Promise<void> {
    const { again } = await this.#work.run(queued, attempt).catch(() => UNFORESEEN)
    if (again === undefined) return this.#forget(queued)
    if (attempt >= this.#attempts) return this.#giveUp(queued, again.problem)
    this.#later(again.seconds * 1000, () => {
      this.#waiting.push({ queued, attempt: attempt + 1 })
      this.#begin()
    })
  }

  /** The store may be away as well: then the analyses are told later. */
  async #giveUp(queued: QueuedImage, problem: Problem, attempt = 1): Promise<void> {
    try {
      await this.#work.giveUp(queued, problem)
    } catch {
      if (attempt < GIVE_UP_ATTEMPTS)
        return this.#later(GIVE_UP_MILLISECONDS, () => void this.#giveUp(queued, problem, attempt + 1))
    }
    this.#forget(queued)
  }

  #later(milliseconds: number, act: () => void): void {
    if (this.#isStopped) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, milliseconds)
    this.#timers.add(timer)
  }

  #forget(queued: QueuedImage): void {
    this.#held--
    this.#count(queued, -1)
  }

  #count({ analyses }: QueuedImage, change: number): void {
    for (const id of analyses) {
      const images = (this.#analyses.get(id) ?? 0) + change
      if (images > 0) this.#analyses.set(id, images)
      else this.#analyses.delete(id)
    }
  }
}
