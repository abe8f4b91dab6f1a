/** Images of this machine for a service that cannot read them: uploaded, asked for as `upload:<id>`, and deleted afterwards. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { type ImageReference, parseImageReference } from '../src/oci/image-reference.ts'
import { Problem } from '../src/problem.ts'
import { parseJson } from '../src/text/json.ts'
import { layoutAsTar } from '../workers/node/local-archive.ts'
import { webStream } from '../workers/node/web-stream.ts'
import type { Client } from './client.ts'
import { findEngine } from './engine.ts'
import { openEngine } from './engine-images.ts'
import { Failure, systemReason } from './failure.ts'
import { failureOf } from './problem.ts'
import type { ProgressLine } from './progress.ts'

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
    const place = placeOf(reference)
    const id = this.#sent.get(place) ?? (await this.#send(text, reference))
    this.#sent.set(place, id)
    if (reference.digest !== undefined) return `upload:${id}@${reference.digest}`
    const isNamed = reference.transport !== 'docker-daemon' && reference.name !== undefined
    return isNamed ? `upload:${id}:${reference.name}` : `upload:${id}`
  }

  async #send(text: string, reference: LocalReference): Promise<string> {
    const { client, signal, progress } = this.#context
    const { body, size } = await this.#open(reference)
    let bytes = 0
    const counted = body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          bytes += chunk.length
          progress.showSent(text, { bytes, of: size })
          controller.enqueue(chunk)
        },
      }),
    )
    try {
      const headers = { 'content-type': 'application/x-tar', accept: 'application/json' }
      const response = await client.request('/v1/uploads', { method: 'POST', headers, body: counted, signal })
      if (response.status !== 201) throw await failureOf(response, client.reader)
      const upload = uploadSchema.safeParse(parseJson(await response.text()))
      if (upload.success) return upload.data.id
      throw new Failure('server_error', 'the service answered the upload without an id')
    } finally {
      progress.clear()
    }
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

/** Undefined for references that the service reads itself, or rejects. */
function localReference(text: string): LocalReference | undefined {
  try {
    const reference = parseImageReference(text)
    return reference.transport === 'docker' || reference.transport === 'upload' ? undefined : reference
  } catch {
    return undefined
  }
}

function placeOf(reference: LocalReference): string {
  if (reference.transport === 'docker-daemon') return `docker-daemon:${reference.name}`
  return reference.path === '-' ? '-' : resolve(reference.path)
}

function fail(error: unknown): never {
  throw error instanceof Problem ? new Failure(error.code, error.message) : error
}
