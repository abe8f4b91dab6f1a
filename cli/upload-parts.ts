/**
 * Sends an archive in parts: several at once, each again after a break, so that neither a limit on one request nor a lost connection
 * ends it.
 */
import { z } from 'zod'
import { parseJson } from '../src/text/json.ts'
import { pause } from '../src/timeout.ts'
import type { Client, Question } from './client.ts'
import { Failure } from './failure.ts'
import { failureOf } from './problem.ts'

export type PartsContext = {
  readonly client: Client
  readonly signal: AbortSignal
  /** Hears how many bytes the service has stored. */
  readonly onStored: (bytes: number) => void
}

const PARTS_AT_ONCE = 4
/** How long a part may take. */
const PART_MILLISECONDS = 120_000
const LEAST_PAUSE_MILLISECONDS = 500
const MOST_PAUSE_MILLISECONDS = 8_000
/** After this long without an answer, the service counts as gone. */
const PATIENCE_MILLISECONDS = 120_000
const DELETE_MILLISECONDS = 2_000

const beginningSchema = z.object({ id: z.string(), partBytes: z.int().positive() })

/** @returns the upload's ID. @throws Failure; then nothing of it remains at the service, if that answers */
export async function sendInParts(context: PartsContext, chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const begun = await again(context, '/v1/uploads?parts=1', { method: 'POST', headers: {} })
  const { data } = beginningSchema.safeParse(parseJson(await begun.text()))
  if (data === undefined) throw new Failure('server_error', 'the service answered the upload without an id')
  const path = `/v1/uploads/${data.id}`
  try {
    const parts = await sendParts(context, path, inParts(chunks, data.partBytes))
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    const complete = { method: 'POST', headers, body: JSON.stringify({ parts }) }
    await (await again(context, `${path}/complete`, complete)).body?.cancel()
    return data.id
  } catch (error) {
    const signal = AbortSignal.timeout(DELETE_MILLISECONDS)
    await context.client.request(path, { method: 'DELETE', headers: {}, signal }).catch(() => {})
    throw error
  }
}

/** @returns how many parts there are */
async function sendParts(
  context: PartsContext,
  path: string,
  parts: AsyncGenerator<Uint8Array<ArrayBuffer>>,
): Promise<number> {
  let count = 0
  let stored = 0
  const failed = new AbortController()
  const signal = AbortSignal.any([context.signal, failed.signal])
  const headers = { 'content-type': 'application/octet-stream' }
  // Each takes the next part when its last one is stored: no more than these are in memory.
  const send = async () => {
    for (let part = await parts.next(); !part.done; part = await parts.next()) {
      const question = { method: 'PUT', headers, body: part.value, milliseconds: PART_MILLISECONDS }
      await again({ ...context, signal }, `${path}/parts/${count++}`, question)
      stored += part.value.length
      context.onStored(stored)
    }
  }
  try {
    await Promise.all(
      Array.from({ length: PARTS_AT_ONCE }, () =>
        send().catch((error) => {
          failed.abort(error)
          throw error
        }),
      ),
    )
  } finally {
    await parts.return(undefined)
  }
  return count
}

/** Cuts the chunks anew: all pieces but the last have this size. */
async function* inParts(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let part = new Uint8Array(bytes)
  let filled = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + bytes - filled)
      part.set(piece, filled)
      filled += piece.length
      at += piece.length
      if (filled < bytes) continue
      yield part
      part = new Uint8Array(bytes)
      filled = 0
    }
  }
  if (filled > 0) yield part.subarray(0, filled)
}

type Repeatable = Omit<Question, 'signal' | 'body'> & {
  readonly body?: string | Uint8Array<ArrayBuffer>
  /** How long one attempt may take; unlimited by default. */
  readonly milliseconds?: number
}

/** Asks until the service answers; each attempt leaves the same state. @throws Failure that the answer tells, or the last one */
async function again(
  { client, signal }: PartsContext,
  path: string,
  { milliseconds, ...question }: Repeatable,
): Promise<Response> {
  const end = Date.now() + PATIENCE_MILLISECONDS
  for (let wait = LEAST_PAUSE_MILLISECONDS; ; wait = Math.min(2 * wait, MOST_PAUSE_MILLISECONDS)) {
    const limit = milliseconds === undefined ? [] : [AbortSignal.timeout(milliseconds)]
    const failure = await attempt(client, path, { ...question, signal: AbortSignal.any([signal, ...limit]) })
    if (failure instanceof Response) return failure
    signal.throwIfAborted()
    if (!failure.mayPass || Date.now() > end) throw failure.error
    await pause(wait * (0.5 + Math.random() / 2), signal)
  }
}

type Failed = { readonly error: unknown; readonly mayPass: boolean }

async function attempt(client: Client, path: string, question: Question): Promise<Response | Failed> {
  try {
    const answer = await client.request(path, question)
    if (answer.ok) return answer
    const mayPass = answer.status === 429 || answer.status >= 500
    return { error: await failureOf(answer, client.reader), mayPass }
  } catch (error) {
    return { error, mayPass: true }
  }
}
