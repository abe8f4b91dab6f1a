/** Bodies of requests: text of at most 1 MiB. */
import { Problem } from '../../problem.ts'

const BODY_BYTES = 1024 * 1024
/** A body that is too large is read and dropped up to here: a client that is still sending would miss the answer. */
const DROPPED_BYTES = 16 * BODY_BYTES

/** Bodies already read, for requests that another thread then answers. */
const read = new WeakMap<Request, string>()

/** The body's text if `bodyText` has read it. */
export function textRead(request: Request): string | undefined {
  return read.get(request)
}

/** @throws Problem `too_large` past 1 MiB */
export async function bodyBytes(request: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > DROPPED_BYTES) break
    if (bytes > BODY_BYTES) chunks.length = 0
    else chunks.push(chunk)
  }
  if (bytes > BODY_BYTES)
    throw new Problem('too_large', 'the body is larger than 1 MiB', { parameter: 'body' })
  return Buffer.concat(chunks)
}

/** @throws Problem `too_large` past 1 MiB; `invalid_parameter` if it is not UTF-8 */
export async function bodyText(request: Request): Promise<string> {
  const bytes = await bodyBytes(request)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    read.set(request, text)
    return text
  } catch {
    throw new Problem('invalid_parameter', 'the body is not UTF-8', { parameter: 'body' })
  }
}

/** @throws Problem `too_large` past 1 MiB; `invalid_parameter` if it is not JSON */
export async function bodyJson(request: Request): Promise<unknown> {
  const type = request.headers.get('Content-Type') ?? 'application/json'
  if (!/^\s*application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new Problem('invalid_parameter', 'the body must be application/json', { parameter: 'body' })
  }
  try {
    return JSON.parse(await bodyText(request))
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem('invalid_parameter', 'the body is not JSON', { parameter: 'body' })
  }
}
