/** A Docker Engine through its API, over a Unix socket or TCP, with or without TLS. Podman's socket works, too. */
import { readFileSync } from 'node:fs'
import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import { request as requestOverTls } from 'node:https'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { z } from 'zod'
import type { Engine, EngineEvent, ObjectStore } from '../../../src/host.ts'
import { Problem } from '../../../src/problem.ts'
import { webStream } from '../web-stream.ts'

const listedSchema = z.array(
  z.object({
    Id: z.string(),
    RepoTags: z.array(z.string()).nullish(),
    Created: z.number(),
    Size: z.int().nonnegative(),
  }),
)

/** As the engine lists it. */
export type EngineImage = {
  /** Names with their tags; none if it lost its last one to another image. */
  readonly names: readonly string[]
  readonly id: string
  /** By the engine's clock, in seconds since 1970. */
  readonly created: number
  /** Disk usage as the engine counts it. */
  readonly bytes: number
}

const inspectedSchema = z.object({ Id: z.string().max(200) })

const eventSchema = z.object({
  Action: z.enum(['pull', 'load', 'import', 'tag']),
  Actor: z.object({ ID: z.string().min(1).max(400) }),
  time: z.int().nonnegative(),
})
const EVENTS = JSON.stringify({ type: ['image'], event: eventSchema.shape.Action.options })

/** Limits on an answer that is held in memory, and on an event. */
const MAX_BYTES = 4 * 1024 * 1024
const MAX_EVENT_BYTES = 1024 * 1024
const IDLE_MILLISECONDS = 60_000
/** Before the first byte of an image, an engine writes all of it to its own disk. */
const SAVING_MILLISECONDS = 600_000
/** An idle engine sends nothing; the kernel's keep-alive probes find a dead connection. */
const PROBE_MILLISECONDS = 30_000

type Address = Pick<RequestOptions, 'socketPath' | 'host' | 'port'>
/** In PEM. */
type Certificates = { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer }

type Question = {
  readonly path: string
  /** The requested thing, if it may not exist. */
  readonly image?: string
  /** Silence after which the request ends. */
  readonly milliseconds?: number
  readonly signal?: AbortSignal | undefined
}

export type EngineOptions = {
  /** Where saved images are stored while they are read. */
  readonly files: ObjectStore
  /** Folder with `ca.pem`, `cert.pem` and `key.pem`: the connection then uses TLS, and both sides authenticate. */
  readonly certificates?: string | undefined
}

export class DockerEngine implements Engine {
  readonly name: string
  readonly files: ObjectStore
  readonly thread = threadId
  /** As given. */
  readonly #place: string
  readonly #address: Address
  readonly #certificates: Certificates | undefined

  /**
   * @param address `unix:///var/run/docker.sock` or `tcp://host:port`
   * @throws Error if a certificate cannot be read
   */
  constructor(address: string, { files, certificates }: EngineOptions) {
    const url = new URL(address)
    this.name = `${hostname()} ${address}`
    this.#place = address
    this.files = files
    this.#address =
      url.protocol === 'unix:'
        ? { socketPath: decodeURIComponent(url.pathname) }
        : { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) }
    const read = (folder: string, name: string) => readFileSync(join(folder, name))
    this.#certificates =
      certificates === undefined || url.protocol === 'unix:'
        ? undefined
        : {
            ca: read(certificates, 'ca.pem'),
            cert: read(certificates, 'cert.pem'),
            key: read(certificates, 'key.pem'),
          }
  }

  async inspect(image: string, signal?: AbortSignal): Promise<{ readonly id: string }> {
    const answer = await this.#get({ path: `/images/${encodeURIComponent(image)}/json`, image, signal })
    const parsed = inspectedSchema.safeParse(parse(await bytesOf(answer)))
    if (!parsed.success) throw new Problem('registry_error', 'the engine did not send the ID of the image')
    return { id: parsed.data.Id }
  }

  /** Its images, newest first. */
  async list(signal?: AbortSignal): Promise<readonly EngineImage[]> {
    const parsed = listedSchema.safeParse(
      parse(await bytesOf(await this.#get({ path: '/images/json', signal }))),
    )
    if (!parsed.success) throw new Problem('registry_error', 'the engine sent an invalid list of images')
    return parsed.data
      .map(({ Id, RepoTags, Created, Size }) => ({
        names: (RepoTags ?? []).filter((name) => name !== '<none>:<none>'),
        id: Id,
        created: Created,
        bytes: Size,
      }))
      .sort((a, b) => b.created - a.created)
  }

  async save(image: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const path = `/images/${encodeURIComponent(image)}/get`
    return webStream(await this.#get({ path, image, milliseconds: SAVING_MILLISECONDS, signal }))
  }

  async *events(since: number, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const query = new URLSearchParams({ since: String(since), filters: EVENTS })
    const answer = await this.#get({ path: `/events?${query}`, milliseconds: 0, signal })
    answer.socket.setKeepAlive(true, PROBE_MILLISECONDS)
    for await (const line of linesOf(answer)) {
      const { data } = eventSchema.safeParse(parse(line))
      if (data !== undefined) yield { action: data.Action, image: data.Actor.ID, time: data.time }
    }
  }

  async #get({ path, image, milliseconds = IDLE_MILLISECONDS, signal }: Question): Promise<IncomingMessage> {
    const options = { ...this.#address, path, timeout: milliseconds, ...(signal ? { signal } : {}) }
    const asked =
      this.#certificates === undefined
        ? request(options)
        : requestOverTls({ ...options, ...this.#certificates })
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    asked.once('response', resolve).on('error', reject)
    asked.once('timeout', () => asked.destroy(new Error('the engine is not responding')))
    asked.end()
    const answer = await promise.catch((error: NodeJS.ErrnoException) => {
      signal?.throwIfAborted()
      throw new Problem(
        'registry_error',
        `could not connect to the engine at ${this.#place} (${error.code ?? 'no answer'})`,
      )
    })
    if (answer.statusCode === 200) return answer
    answer.resume()
    if (answer.statusCode === 404 && image !== undefined)
      throw new Problem('image_not_found', `the engine has no image ${JSON.stringify(image.slice(0, 120))}`)
    throw new Problem('registry_error', `the engine answered ${answer.statusCode}`)
  }
}

async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_BYTES)
      throw new Problem('too_large', `the engine's answer has more than ${MAX_BYTES} bytes`)
  }
  return Buffer.concat(chunks)
}

/** Undefined if it is not JSON. */
function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

/** Engines end each event with a line feed. */
async function* linesOf(answer: IncomingMessage): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer) {
    let rest: Buffer = chunk
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield Buffer.concat([...parts, rest.subarray(0, end)])
      parts = []
      bytes = 0
      rest = rest.subarray(end + 1)
    }
    parts.push(rest)
    bytes += rest.length
    if (bytes > MAX_EVENT_BYTES)
      throw new Problem('registry_error', `an event of the engine has more than ${MAX_EVENT_BYTES} bytes`)
  }
}
