/** Analyses as Server-Sent Events. */

import type { Analysis } from '../service/images/analyses.ts'
import { toJson } from '../text/json.ts'
import { analysisBody } from './analysis-body.ts'
import { type Backend, logCut, type RequestContext } from './backend.ts'

/** While nothing changes, a comment is sent this often, so that no proxy on the way takes the silence for an end. */
const KEEP_ALIVE_MILLISECONDS = 15_000

const encoder = new TextEncoder()

/** Resolves with the first state, so that an error at the start is answered as a problem. */
export async function eventStream(
  backend: Backend,
  context: RequestContext,
  states: AsyncGenerator<Analysis, void>,
): Promise<Response> {
  const first = await states.next()
  let keepAlive: ReturnType<typeof setInterval> | undefined
  let isLeft = false
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      keepAlive = setInterval(() => controller.enqueue(encoder.encode(': \n\n')), KEEP_ALIVE_MILLISECONDS)
      if (!first.done) controller.enqueue(encodeEvent(first.value))
    },
    async pull(controller) {
      try {
        const next = await states.next()
        if (!next.done) return controller.enqueue(encodeEvent(next.value))
        controller.close()
      } catch (error) {
        // A stream whose reader has left accepts no event: that is not an error.
        if (!isLeft) logCut(backend, context, error)
        controller.error(error)
      }
      clearInterval(keepAlive)
    },
    async cancel() {
      isLeft = true
      clearInterval(keepAlive)
      await states.return()
    },
  })
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
  })
}

function encodeEvent(analysis: Analysis): Uint8Array {
  const { status } = analysis
  const event = status === 'succeeded' || status === 'failed' ? status : 'progress'
  return encoder.encode(`event: ${event}\ndata: ${toJson(analysisBody(analysis))}\n\n`)
}
