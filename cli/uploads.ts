/** Images of this machine for a service that cannot read them: uploaded, asked for as `upload:<id>`, and deleted afterwards. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { type ImageReference, parseImageReference } from '../src/oci/image-reference.ts'
import { Problem } from '../src/problem.ts'
import { parseJson } from '../src/text/json.ts'
import { layoutAsTar } from '../workers/node/engine/local-archive.ts'
import { webStream } from '../workers/node/web-stream.ts'
import type { Client } from './client.ts'
import { findEngine } from './engine.ts'
import { openEngine } from './engine-images.ts'
import { Failure, systemReason } from './failure.ts'
import { failureOf } from './problem.ts'
import type { ProgressLine } from './progress.ts'
import { sendInParts } from './upload-parts.ts'

export type UploadContext = {
  readonly client: Client
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  readonly progress: ProgressLine
}

type LocalReference = Exclude<ImageReference, { readonly transport: 'docker' | 'upload' }>

/** Known only for a file. */
type Opened = { readonly body: ReadableStream<Uint8Array>; readonly size?: number }

const uploadSchema = z.object({ id: z.string() })
/** Larger archives are sent in parts: Cloudflare takes requests of at most 100 MB on most plans. */
const WHOLE_BYTES = 50_000_000
/** Time limit for the deletion, also after an interruption. */
const DELETE_MILLISECONDS = 2_000

/**
 * Uploads those of these references that name images of this machine, for the duration of `answer`.
 *
 * @param answer receives the reference to send to the service in place of each
 */
export async function withUploads<T>(
  context: UploadContext,
  references: readonly string[],
  answer: (uploaded: ReadonlyMap<string, string>) => Promise<T>,
): Promise<T> {
  const uploads = new Uploads(context)
  try {
    const uploaded = new Map<string, string>()
    for (const reference of references) uploaded.set(reference, await uploads.referenceTo(reference))
    return await answer(uploaded)
  } finally {
    await uploads.delete()
  }
}

class Uploads {
  readonly #context: UploadContext
  /** Ids by place: an image that is needed twice is uploaded once. */
  readonly #sent = new Map<string, string>()

  constructor(context: UploadContext) {
    this.#context = context
  }

  /** The reference to send to the service in place of this one. */
  async referenceTo(text: string): Promise<string> {
    const reference = localReference(text)
    if (reference === undefined) return text
    const place = locationOf(reference)
    const id = this.#sent.get(place) ?? (await this.#send(text, reference))
    this.#sent.set(place, id)
    if (reference.digest !== undefined) return `upload:${id}@${reference.digest}`
    const isNamed = reference.transport !== 'docker-daemon' && reference.name !== undefined
    return isNamed ? `upload:${id}:${reference.name}` : `upload:${id}`
  }

  async #send(text: string, reference: LocalReference): Promise<string> {
    const { client, signal, progress } = this.#context
    const { body, size } = await this.#open(reference)
    const onStored = (bytes: number) => progress.showSent(text, { bytes, of: size })
    try {
      if (size !== undefined && size > WHOLE_BYTES)
        return await sendInParts({ client, signal, onStored }, body)
      if (size !== undefined) return await this.#sendWhole(counted(body, onStored))
      const { first, rest } = await readFirst(body)
      return rest === undefined
        ? await this.#sendWhole(counted(new Blob(first).stream(), onStored))
        : await sendInParts({ client, signal, onStored }, rest)
    } finally {
      progress.clear()
    }
  }

  async #sendWhole(body: ReadableStream<Uint8Array>): Promise<string> {
    const { client, signal } = this.#context
    const headers = { 'content-type': 'application/x-tar', accept: 'application/json' }
    const response = await client.request('/v1/uploads', { method: 'POST', headers, body, signal })
    if (response.status !== 201) throw await failureOf(response, client.reader)
    const upload = uploadSchema.safeParse(parseJson(await response.text()))
    if (upload.success) return upload.data.id
    throw new Failure('server_error', 'the service answered the upload without an id')
  }

  async #open(reference: LocalReference): Promise<Opened> {
    const { env, signal } = this.#context
    if (reference.transport === 'docker-daemon') {
      const engine = openEngine(await findEngine(env))
      return { body: await engine.save(reference.name, signal).catch(fail) }
    }
    const { path } = reference
    if (path === '-') return { body: webStream(process.stdin) }
    const stats = await stat(path).catch((error) => {
      throw new Failure('image_not_found', `cannot read ${path}: ${systemReason(error)}`)
    })
    if (stats.isDirectory()) return { body: await layoutAsTar(path).catch(fail) }
    return { body: webStream(createReadStream(path)), size: stats.size }
  }

  async delete(): Promise<void> {
    const signal = AbortSignal.timeout(DELETE_MILLISECONDS)
    // In any case the service deletes it some time after its last use.
    for (const id of this.#sent.values())
      await this.#context.client
        .request(`/v1/uploads/${id}`, { method: 'DELETE', headers: {}, signal })
        .then((response) => response.body?.cancel())
        .catch(() => {})
  }
}

function counted(
  body: ReadableStream<Uint8Array>,
  onSent: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  let bytes = 0
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.length
        onSent(bytes)
        controller.enqueue(chunk)
      },
    }),
  )
}

type Start = {
  readonly first: Uint8Array<ArrayBuffer>[]
  /** All of it, if it has more bytes than a whole upload may. */
  readonly rest?: AsyncIterable<Uint8Array>
}

/** Reads up to {@link WHOLE_BYTES} of a body of unknown size. */
async function readFirst(body: ReadableStream<Uint8Array>): Promise<Start> {
  const chunks = body[Symbol.asyncIterator]()
  const first: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  for (let chunk = await chunks.next(); !chunk.done; chunk = await chunks.next()) {
    first.push(new Uint8Array(chunk.value))
    bytes += chunk.value.length
    if (bytes > WHOLE_BYTES) return { first, rest: joined(first, chunks) }
  }
  return { first }
}

/** Forgets each of the first ones when it was given. */
async function* joined(
  first: Uint8Array[],
  rest: AsyncIterator<Uint8Array, unknown>,
): AsyncGenerator<Uint8Array> {
  for (let chunk = first.shift(); chunk !== undefined; chunk = first.shift()) yield chunk
  for (let chunk = await rest.next(); !chunk.done; chunk = await rest.next()) yield chunk.value
}

/** Undefined for references that the service reads itself, or rejects. */
function localReference(text: string): LocalReference | undefined {
  try {
    const reference = parseImageReference(text)
    return reference.transport === 'docker' || reference.transport === 'upload' ? undefined : reference
  } catch {
    return undefined
  }
}

function locationOf(reference: LocalReference): string {
  if (reference.transport === 'docker-daemon') return `docker-daemon:${reference.name}`
  return reference.path === '-' ? '-' : resolve(reference.path)
}

function fail(error: unknown): never {
  throw error instanceof Problem ? new Failure(error.code, error.message) : error
}
