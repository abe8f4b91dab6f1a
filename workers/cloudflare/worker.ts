/** The Worker: the service on Cloudflare, or on Miniflare through `npm start`. */
import { createApp } from '../../src/http/app.ts'
import { assetsOf, type Environment, isLocal, serviceOf } from './environment.ts'
import { consumeQueuedImages, type QueueMessage } from './image-queue.ts'
import { BoundRate, CLIENT_HEADER } from './rate.ts'

export { JobObject } from './job-object.ts'
export { UploadObject } from './upload-object.ts'

/** The part of the platform's interface that is used. */
type ExecutionContext = { waitUntil(work: Promise<unknown>): void }

let app: ReturnType<typeof createApp> | undefined

const worker = {
  fetch(
    request: Request,
    environment: Environment,
    execution: ExecutionContext,
  ): Response | Promise<Response> {
    const { RATE } = environment
    // Set by Cloudflare or the front of `npm start`, whatever a client sends.
    const client = isLocal(environment) ? CLIENT_HEADER : 'CF-Connecting-IP'
    app ??= createApp(serviceOf(environment), {
      assets: assetsOf(environment),
      clientOf: (context) => context.req.header(client) ?? '',
      keepAlive: (context, work) => context.executionCtx.waitUntil(work),
      ...(RATE ? { rate: new BoundRate(RATE) } : {}),
    })
    return app.fetch(
      request,
      {},
      {
        waitUntil: (work) => execution.waitUntil(work),
        passThroughOnException: () => {},
        props: {},
      },
    )
  },
  queue(
    { messages }: { readonly messages: readonly QueueMessage[] },
    environment: Environment,
  ): Promise<void> {
    return consumeQueuedImages(serviceOf(environment), messages)
  },
}

export default worker
/** What the front of `npm start` calls: a separate entry point, past what Miniflare puts in front of a Worker. */
export const local = worker
