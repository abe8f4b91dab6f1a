/**
 * Answers kept in memory. An entity tag identifies everything that an answer is made of, and an image never changes, so two
 * answers with the same tag at the same address are equal: comparing two images a second time costs next to nothing.
 */
import type { Backend, RequestContext } from './backend.ts'

/** Larger answers are not kept. The page of an image of 6,000 files has 340 kB. */
const LARGEST_BYTES = 512 * 1024

/**
 * The kept answer to the same question. The caller must be allowed to see it.
 *
 * @param tag identifies everything that the answer is made of
 */
export function keptAnswer(
  backend: Backend,
  context: RequestContext,
  headers: Headers,
  tag = headers.get('ETag'),
): Response | undefined {
  // The thread that this one answers for keeps it.
  if (context.env?.requestId !== undefined) return undefined
  const key = `${tag} ${context.req.raw.url}`
  const body = backend.memory.answers.get(key)
  if (body !== undefined) return new Response(body, { headers })
  context.set('answerKey', key)
  return undefined
}

/** The same answer; a small body is kept for {@link keptAnswer} once it was read to its end. */
export function keepAnswer(backend: Backend, context: RequestContext, answer: Response): Response {
  const { status, headers, body } = answer
  const key = context.var.answerKey
  if (key === undefined || status !== 200 || body === null) return answer
  const kept = keeping((whole) => backend.memory.answers.set(key, whole))
  return new Response(body.pipeThrough(kept), { status, headers })
}

function keeping(keep: (whole: Uint8Array<ArrayBuffer>) => void): TransformStream<Uint8Array, Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes <= LARGEST_BYTES) chunks.push(chunk)
      else chunks.length = 0
      controller.enqueue(chunk)
    },
    flush() {
      if (bytes > LARGEST_BYTES) return
      // Copied, since Node's small buffers are parts of larger ones, which they would keep.
      keep(new Uint8Array(Buffer.concat(chunks)))
    },
  })
}
