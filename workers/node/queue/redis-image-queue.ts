/**
 * The queue of images of several servers that share a Redis, on BullMQ: batches and pushes that one server accepted are
 * analysed by whichever has room, and survive the server. An image that failed for good stays in the queue's list of failures.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Job as BullJob, Queue, Worker } from 'bullmq'
import type { ImageQueue } from '../../../src/host.ts'
import type { QueuedImage } from '../../../src/job.ts'
import type { ImageQueueWork } from '../../../src/jobs/memory-image-queue.ts'
import { Problem } from '../../../src/problem.ts'
import type { Log } from '../log.ts'
import { IMAGE_QUEUE, PREFIX } from './queue-messages.ts'
import { LOCKS } from './queue-workers.ts'
import type { RedisLink } from './redis.ts'

const MOST = 10_000
/** The first attempt, and as many retries as Cloudflare's queue. */
const ATTEMPTS = 9
/** Permanent failures can be inspected for two weeks. */
const FAILED = { age: 14 * 86_400, count: 1_000 }
/** The name of an analysis that waits longer has expired. */
const HELD_SECONDS = 7_200
/** Time limit for each call. */
const IMAGES_A_CALL = 200
const CLOSE_MILLISECONDS = 1_000

export class RedisImageQueue implements ImageQueue {
  readonly #link: RedisLink
  readonly #queue: Queue<QueuedImage>

  constructor(link: RedisLink) {
    this.#link = link
    this.#queue = new Queue<QueuedImage>(IMAGE_QUEUE, { connection: link.commands, prefix: PREFIX })
    this.#queue.on('error', () => {})
  }

  /** @throws Problem `rate_limited`, `queue_unavailable` */
  async add(images: readonly QueuedImage[]): Promise<void> {
    await this.#requireRoom(images.length)
    for (let from = 0; from < images.length; from += IMAGES_A_CALL) {
      const some = images.slice(from, from + IMAGES_A_CALL)
      await this.#link.ask(async (redis) => {
        // Recorded before they are queued: they may end before Redis answers.
        const holding = redis.pipeline()
        for (const id of some.flatMap(({ analyses }) => analyses))
          holding.set(keyOf(id), 1, 'EX', HELD_SECONDS)
        await holding.exec()
        await this.#queue.addBulk(some.map(queued))
      })
    }
  }

  async holds(analysis: string): Promise<boolean | undefined> {
    try {
      return await this.#link.ask(async (redis) => (await redis.exists(keyOf(analysis))) > 0)
    } catch {
      return undefined
    }
  }

  async close(): Promise<void> {
    await this.#queue.close()
  }

  /** Counted before some are added, so the limit may be exceeded slightly. */
  async #requireRoom(more: number): Promise<void> {
    const held = await this.#link.ask(() => this.#queue.getJobCountByTypes('waiting', 'active', 'delayed'))
    if (held + more <= MOST) return
    const detail = `the queue holds ${held} of at most ${MOST} images; send fewer, or try again later`
    throw new Problem('rate_limited', detail, { retryAfter: 60 })
  }
}

function queued(image: QueuedImage) {
  return {
    name: 'image',
    data: image,
    opts: {
      attempts: ATTEMPTS,
      backoff: { type: 'custom' },
      removeOnComplete: true,
      removeOnFail: FAILED,
    },
  }
}

/** Key that records that an order of this analysis waits or runs. */
function keyOf(analysis: string): string {
  return `${PREFIX}:ordered:${analysis}`
}

export type ImageQueueWorkerOptions = {
  readonly link: RedisLink
  readonly work: ImageQueueWork
  /** Images that this server runs at the same time. */
  readonly atOnce: number
  readonly log: Log
}

/** An image that failed, and will be retried unless that was its last attempt. */
class Again extends Error {
  readonly problem: Problem
  readonly milliseconds: number

  constructor(problem: Problem, seconds: number) {
    super(`${problem.code}: ${problem.message}`)
    this.problem = problem
    this.milliseconds = seconds * 1000
  }
}

/** Carries out the images of all servers, as far as this one has room. */
export class ImageQueueWorker {
  readonly #options: ImageQueueWorkerOptions
  readonly #worker: Worker<QueuedImage>
  readonly #taken = new Map<BullJob<QueuedImage>, string>()

  constructor(options: ImageQueueWorkerOptions) {
    this.#options = options
    const { link, atOnce, log } = options
    this.#worker = new Worker<QueuedImage>(IMAGE_QUEUE, (bull, token) => this.#take(bull, token), {
      connection: link.connect(),
      prefix: PREFIX,
      concurrency: atOnce,
      ...LOCKS,
      settings: {
        backoffStrategy: (_attempt, _type, error) => (error instanceof Again ? error.milliseconds : 0),
      },
    })
    this.#worker.on('error', (error) => log.debug({ error: error.message }, 'redis'))
    this.#worker.on('stalled', (id) => log.warn({ id }, 'image lost by a server, restarted'))
    this.#worker.on('failed', (bull, error) => {
      if (bull?.finishedOn) void this.#giveUp(bull.data, error)
    })
  }

  /** Takes no more images. Running ones wait for their images. */
  pause(): void {
    // Not awaited: while Redis is away this would never resolve, and no image is taken either.
    void this.#worker.pause(true).catch(() => {})
  }

  /** Returns unfinished images to the queue. */
  async close(): Promise<void> {
    const given = [...this.#taken].map(([bull, token]) => bull.moveToWait(token))
    const closed = Promise.allSettled(given).then(() => this.#worker.close(true))
    await Promise.race([closed, sleep(CLOSE_MILLISECONDS)])
  }

  async #take(bull: BullJob<QueuedImage>, token = ''): Promise<void> {
    this.#taken.set(bull, token)
    try {
      const { again } = await this.#options.work.run(bull.data, bull.attemptsMade + 1)
      if (again !== undefined) throw new Again(again.problem, again.seconds)
      await this.#release(bull.data)
    } finally {
      this.#taken.delete(bull)
    }
  }

  /** Also called if the servers died again and again: then the reason is BullMQ's. */
  async #giveUp(image: QueuedImage, error: Error): Promise<void> {
    const { log, work } = this.#options
    const lost = () =>
      new Problem('internal_error', 'the servers that ran this analysis stopped before it finished')
    log.warn({ image: image.image, error: error.message }, 'image abandoned')
    try {
      await work.giveUp(image, error instanceof Again ? error.problem : lost())
      await this.#release(image)
    } catch (failure) {
      log.error({ error: String(failure) }, 'could not report the failure of an image')
    }
  }

  /** Its analyses know how it ended; nobody asks the queue about them any more. */
  async #release({ analyses }: QueuedImage): Promise<void> {
    if (analyses.length > 0) await this.#options.link.ask((redis) => redis.del(analyses.map(keyOf)))
  }
}
