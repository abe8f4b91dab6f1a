/**
 * The queue of images on Cloudflare Queues, which this Worker fills and empties. Miniflare keeps a queue only in memory: there
 * each order is also stored in the bucket until it is done, and is sent again at the next start.
 */
import { z } from 'zod'
import type { ImageQueue, ObjectStore } from '../../src/host.ts'
import type { Order } from '../../src/job.ts'
import { Problem } from '../../src/problem.ts'
import { giveUpOrder, runOrder } from '../../src/service/fleet/queued-images.ts'
import { nameNow } from '../../src/service/images/analysis-names.ts'
import type { Service } from '../../src/service/service.ts'
import { parseJson } from '../../src/text/json.ts'

/** The part of the queue's binding that is used. */
export type OrderQueue = { sendBatch(messages: Iterable<{ readonly body: unknown }>): Promise<unknown> }

export type QueueMessage = {
  readonly body: unknown
  /** From 1. */
  readonly attempts: number
  ack(): void
  retry(options: { readonly delaySeconds: number }): void
}

const orderSchema = z.object({ image: z.string(), analyses: z.array(z.string()).readonly() })
const messageSchema = z.object({
  order: orderSchema,
  /** Key of the order in the bucket, on Miniflare. */
  kept: z.string().exactOptional(),
})
type Message = z.infer<typeof messageSchema>

/** As in `wrangler.toml`: after this many retries a message goes to the dead letter queue. */
export const MAX_RETRIES = 8
/** The platform's limits are 100 messages and 256 KB per call. */
const MESSAGES_A_CALL = 100
const BYTES_A_CALL = 200_000

const KEPT = 'orders/'
/** How many orders may be in the bucket: there the disk is this machine's. */
const MOST_KEPT = 10_000

export class CloudflareImageQueue implements ImageQueue {
  readonly #queue: OrderQueue
  readonly #kept: ObjectStore | undefined

  /** @param kept the bucket, if the queue is only in memory */
  constructor(queue: OrderQueue, kept?: ObjectStore) {
    this.#queue = queue
    this.#kept = kept
  }

  async add(orders: readonly Order[]): Promise<void> {
    await this.#send(
      this.#kept === undefined ? orders.map((order) => ({ order })) : await keep(this.#kept, orders),
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
      const order = orderSchema.safeParse(object && parseJson(await new Response(object.body).text()))
      if (order.success) messages.push({ order: order.data, kept: key })
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

async function keep(store: ObjectStore, orders: readonly Order[]): Promise<readonly Message[]> {
  let lying = 0
  for await (const _ of store.list(KEPT)) lying++
  if (lying + orders.length > MOST_KEPT) {
    const detail = `the queue holds ${lying} of at most ${MOST_KEPT} images; send fewer, or try again later`
    throw new Problem('rate_limited', detail, { retryAfter: 60 })
  }
  const messages: Message[] = []
  for (const order of orders) {
    const kept = KEPT + nameNow()
    await store.put(kept, Buffer.from(JSON.stringify(order)))
    messages.push({ order, kept })
  }
  return messages
}

/** Processes the messages; each is acknowledged or will be retried. */
export async function consumeOrders(service: Service, messages: readonly QueueMessage[]): Promise<void> {
  await Promise.all(messages.map((message) => consumeOrder(service, message)))
}

async function consumeOrder(service: Service, message: QueueMessage): Promise<void> {
  const parsed = messageSchema.safeParse(message.body)
  if (!parsed.success) return message.ack()
  const { order, kept } = parsed.data
  const { again } = await runOrder(service, order, message.attempts)
  const isLast = message.attempts > MAX_RETRIES
  if (again !== undefined && isLast) {
    // The queue has no further attempt in which to say it.
    await giveUpOrder(service, order, again.problem).catch((error) =>
      console.error('an order was lost:', error),
    )
  }
  if (kept !== undefined && (again === undefined || isLast)) await service.host.store.delete(kept)
  // The last one goes to the dead letter queue.
  if (again === undefined) message.ack()
  else message.retry({ delaySeconds: again.seconds })
}
