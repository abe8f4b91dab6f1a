/**
 * The queue of images on Cloudflare Queues, which this Worker fills and empties. Miniflare keeps a queue only in memory: there
 * each image is also stored in the bucket until it is done, and is sent again at the next start.
 */
import { z } from 'zod'
import type { ImageQueue, ObjectStore } from '../../src/host.ts'
import type { QueuedImage } from '../../src/job.ts'
import type { Service } from '../../src/open/service.ts'
import { Problem } from '../../src/problem.ts'
import { giveUpQueuedImage, runQueuedImage } from '../../src/service/fleet/queued-images.ts'
import { nameNow } from '../../src/service/images/analysis-names.ts'
import { parseJson } from '../../src/text/json.ts'

/** The part of the queue's binding that is used. */
export type ImageMessages = { sendBatch(messages: Iterable<{ readonly body: unknown }>): Promise<unknown> }

export type QueueMessage = {
  readonly body: unknown
  /** From 1. */
  readonly attempts: number
  ack(): void
  retry(options: { readonly delaySeconds: number }): void
}

const queuedImageSchema = z.object({ image: z.string(), analyses: z.array(z.string()).readonly() })
const messageSchema = z.object({
  queued: queuedImageSchema,
  /** Key of the image in the bucket, on Miniflare. */
  kept: z.string().exactOptional(),
})
type Message = z.infer<typeof messageSchema>

/** As in `wrangler.toml`: after this many retries a message goes to the dead letter queue. */
export const MAX_RETRIES = 8
/** The platform's limits are 100 messages and 256 KB per call. */
const MESSAGES_A_CALL = 100
const BYTES_A_CALL = 200_000

const KEPT = 'queued-images/'
/** How many images may be in the bucket: there the disk is this machine's. */
const MOST_KEPT = 10_000

export class CloudflareImageQueue implements ImageQueue {
  readonly #queue: ImageMessages
  readonly #kept: ObjectStore | undefined

  /** @param kept the bucket, if the queue is only in memory */
  constructor(queue: ImageMessages, kept?: ObjectStore) {
    this.#queue = queue
    this.#kept = kept
  }

  async add(images: readonly QueuedImage[]): Promise<void> {
    await this.#send(
      this.#kept === undefined ? images.map((queued) => ({ queued })) : await keep(this.#kept, images),
    )
  }

  /** A queue cannot be asked what is in it. */
  async holds(): Promise<undefined> {
    return undefined
  }

  /** Sends again what is in the bucket, after the queue was lost. */
  async resume(): Promise<void> {
    const store = this.#kept
    if (store === undefined) return
    const messages: Message[] = []
    for await (const key of store.list(KEPT)) {
      const object = await store.get(key)
      const queued = queuedImageSchema.safeParse(object && parseJson(await new Response(object.body).text()))
      if (queued.success) messages.push({ queued: queued.data, kept: key })
      else await store.delete(key)
    }
    await this.#send(messages)
  }

  async #send(messages: readonly Message[]): Promise<void> {
    let call: { readonly body: Message }[] = []
    let bytes = 0
    for (const body of messages) {
      const size = JSON.stringify(body).length
      if (call.length === MESSAGES_A_CALL || bytes + size > BYTES_A_CALL) {
        await this.#queue.sendBatch(call)
        call = []
        bytes = 0
      }
      call.push({ body })
      bytes += size
    }
    if (call.length > 0) await this.#queue.sendBatch(call)
  }
}

async function keep(store: ObjectStore, images: readonly QueuedImage[]): Promise<readonly Message[]> {
  let lying = 0
  for await (const _ of store.list(KEPT)) lying++
  if (lying + images.length > MOST_KEPT) {
    const detail = `the queue holds ${lying} of at most ${MOST_KEPT} images; send fewer, or try again later`
    throw new Problem('rate_limited', detail, { retryAfter: 60 })
  }
  const messages: Message[] = []
  for (const queued of images) {
    const kept = KEPT + nameNow()
    await store.put(kept, Buffer.from(JSON.stringify(queued)))
    messages.push({ queued, kept })
  }
  return messages
}

/** Processes the messages; each is acknowledged or will be retried. */
export async function consumeQueuedImages(
  service: Service,
  messages: readonly QueueMessage[],
): Promise<void> {
  await Promise.all(messages.map((message) => consumeQueuedImage(service, message)))
}

async function consumeQueuedImage(service: Service, message: QueueMessage): Promise<void> {
  const parsed = messageSchema.safeParse(message.body)
  if (!parsed.success) return message.ack()
  const { queued, kept } = parsed.data
  const { again } = await runQueuedImage(service, queued, message.attempts)
  const isLast = message.attempts > MAX_RETRIES
  if (again !== undefined && isLast) {
    // The queue has no further attempt in which to say it.
    await giveUpQueuedImage(service, queued, again.problem).catch((error) =>
      console.error('an image was lost:', error),
    )
  }
  if (kept !== undefined && (again === undefined || isLast)) await service.host.store.delete(kept)
  // The last one goes to the dead letter queue.
  if (again === undefined) message.ack()
  else message.retry({ delaySeconds: again.seconds })
}
