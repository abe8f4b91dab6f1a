/** A Docker Engine by its API, over a Unix socket or TCP. Podman's socket speaks it as well. */
import { type IncomingMessage, request } from 'node:http'
import { hostname } from 'node:os'
import { z } from 'zod'
import type { Engine } from '../../src/host.ts'
import { Problem } from '../../src/problem.ts'

const inspected = z.object({ Id: z.string().max(200) })

/** Of an answer that is held. */
const MAX_BYTES = 4 * 1024 * 1024
const IDLE_MILLISECONDS = 60_000

export class DockerEngine implements Engine {
  readonly name: string
  readonly #to: { readonly socketPath: string } | { readonly host: string; readonly port: number }

  /** @param address `unix:///var/run/docker.sock` or `tcp://host:port` */
  constructor(address: string) {
    const url = new URL(address)
    this.name = `${hostname()} ${address}`
    this.#to =
      url.protocol === 'unix:'
        ? { socketPath: decodeURIComponent(url.pathname) }
        : { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 2375) }
  }

  async inspect(image: string, signal?: AbortSignal): Promise<{ readonly id: string }> {
    const answer = await this.#get(`/images/${encodeURIComponent(image)}/json`, image, signal)
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of answer) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > MAX_BYTES)
        throw new Problem('too_large', 'the engine says more of the image than can be read')
    }
    const parsed = inspected.safeParse(JSON.parse(Buffer.concat(chunks).toString('utf8')))
    if (!parsed.success) throw new Problem('registry_error', 'the engine gave no ID of the image')
    return { id: parsed.data.Id }
  }

  async save(image: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return streamOf(await this.#get(`/images/${encodeURIComponent(image)}/get`, image, signal))
  }

  async #get(path: string, image: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    const asked = request({ ...this.#to, path, timeout: IDLE_MILLISECONDS, ...(signal ? { signal } : {}) })
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    asked.once('response', resolve).once('error', reject)
    asked.once('timeout', () => asked.destroy(new Error('the engine is silent')))
    asked.end()
    const answer = await promise.catch((error: NodeJS.ErrnoException) => {
      signal?.throwIfAborted()
      throw new Problem('registry_error', `the engine does not answer (${error.code ?? 'error'})`)
    })
    if (answer.statusCode === 200) return answer
    answer.resume()
    if (answer.statusCode === 404)
      throw new Problem('image_not_found', `the engine has no image ${JSON.stringify(image.slice(0, 120))}`)
    throw new Problem('registry_error', `the engine answered ${answer.statusCode}`)
  }
}

function streamOf(answer: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = answer[Symbol.asyncIterator]()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: () => void answer.destroy(),
    },
    { highWaterMark: 0 },
  )
}
