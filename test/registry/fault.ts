/** What can go wrong between a registry and its client, and how an answer is sent when it does. */
import type { ServerResponse } from 'node:http'

/** Each member is one fault; several can be had at once. */
export type Fault = {
  /** Answers this status, with `headers` and `body`, instead of what was asked for. */
  readonly status?: number
  /** Sets headers of the answer, or removes them with null. */
  readonly headers?: Readonly<Record<string, string | null>>
  /** Replaces the true body. */
  readonly body?: Uint8Array | string
  /** The connection is cut after this many bytes of the body; 0: before the headers. */
  readonly resetAfter?: number
  /** Nothing is sent after this many bytes of the body, and the connection stays open. */
  readonly stallAfter?: number
  /** The body is sent in pieces of `bytes`, one every `milliseconds`. */
  readonly drip?: { readonly bytes: number; readonly milliseconds: number }
  /** The body never ends; it starts with the true one. */
  readonly endless?: true
  /** The `Content-Length` header, whatever the body's length. */
  readonly contentLength?: number
  /** A Range request is answered with the whole body. */
  readonly ignoreRange?: true
  /** Waits before it answers. */
  readonly delayMilliseconds?: number
  /** The rest of the body is sent once `until` has resolved. */
  readonly holdAfter?: { readonly bytes: number; readonly until: Promise<unknown> }
  /** Answers once this has resolved. */
  readonly until?: Promise<unknown>
}

type Sent = { status: number; bytes: number; readonly method: string }

type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

const PIECE_BYTES = 65_536

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Writes with back-pressure; false when the client has gone. */
async function write(response: ServerResponse, sent: Sent, piece: Uint8Array): Promise<boolean> {
  if (response.destroyed) return false
  sent.bytes += piece.byteLength
  if (response.write(piece)) return true
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle)
      resolve(!response.destroyed)
    }
    response.on('drain', settle).on('close', settle)
  })
}

async function* piecesOf(body: Uint8Array, fault: Fault): AsyncGenerator<Uint8Array> {
  const size = fault.drip?.bytes ?? PIECE_BYTES
  for (let at = 0; at < body.byteLength; at += size) {
    if (fault.drip && at > 0) await sleep(fault.drip.milliseconds)
    yield body.subarray(at, at + size)
  }
  const filler = new Uint8Array(PIECE_BYTES).fill(0x20)
  while (fault.endless) yield filler
}

function headersOf(answer: Answer, body: Uint8Array, fault: Fault): Record<string, string | number> {
  const { headers = {}, status } = fault
  const all: Record<string, string | number> = { ...(status === undefined ? answer.headers : {}) }
  if (!fault.endless) all['content-length'] = body.byteLength
  if (fault.contentLength !== undefined) all['content-length'] = fault.contentLength
  for (const [name, value] of Object.entries(headers)) {
    if (value === null) delete all[name]
    else all[name] = value
  }
  return all
}

/** Not copied: blobs may be large, and little of them is sent for a HEAD or a range. */
export function bytesOf(body: Uint8Array | string): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body
}

/** Sends the answer with its faults; resolves when all of it is sent or the client has gone. */
export async function sendBody(
  response: ServerResponse,
  sent: Sent,
  answer: Answer,
  fault: Fault,
): Promise<void> {
  if (fault.delayMilliseconds !== undefined) await sleep(fault.delayMilliseconds)
  await fault.until
  const body = bytesOf(fault.body ?? (fault.status === undefined ? (answer.body ?? '') : ''))
  sent.status = fault.status ?? answer.status
  if (fault.resetAfter === 0) {
    response.socket?.resetAndDestroy()
    return
  }
  // Node refuses to write a body that does not match its Content-Length only if told to.
  response.strictContentLength = false
  response.writeHead(sent.status, headersOf(answer, body, fault))
  if (sent.method === 'HEAD') {
    response.end()
    return
  }
  const end = Math.min(
    fault.resetAfter ?? Number.POSITIVE_INFINITY,
    fault.stallAfter ?? Number.POSITIVE_INFINITY,
  )
  let left = end
  for await (const piece of piecesOf(body, fault)) {
    if (fault.holdAfter !== undefined && sent.bytes >= fault.holdAfter.bytes) await fault.holdAfter.until
    if (!(await write(response, sent, piece.subarray(0, Math.min(left, piece.byteLength))))) return
    left -= piece.byteLength
    if (left <= 0) break
  }
  if (left > 0) {
    response.end()
    return
  }
  // Closed, not reset, so that what was written reaches the client, which then still misses the rest.
  if (fault.resetAfter !== undefined) response.socket?.destroySoon()
}
