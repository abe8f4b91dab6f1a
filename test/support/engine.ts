/** A Docker Engine for tests: the part of its API that serves images, over a Unix socket or TCP, with or without TLS. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dockerSave, packArchive } from './archives.ts'
import type { TestImage } from './images.ts'

export type TestEngineOptions = {
  /** On a port of 127.0.0.1 instead of a socket. */
  readonly tcp?: true
  readonly tls?: ServerOptions
}

export class TestEngine {
  /** The value for `LAMINA_DOCKER_HOST`. */
  readonly address: string
  /** Paths of all requests, in their order. */
  readonly requests: string[] = []
  readonly #server: Server
  readonly #folder: string
  /** By name and by ID. */
  readonly #images = new Map<string, TestImage>()
  readonly #listeners = new Set<ServerResponse>()
  readonly #events: { readonly time: number; readonly line: string }[] = []
  /** Saving an image waits for this. */
  #gate: Promise<void> = Promise.resolve()

  private constructor(server: Server, address: string, folder: string) {
    this.#server = server
    this.address = address
    this.#folder = folder
  }

  static async start({ tcp, tls }: TestEngineOptions = {}): Promise<TestEngine> {
    const folder = await mkdtemp(join(tmpdir(), 'lamina-test-engine-'))
    const answer = (request: IncomingMessage, response: ServerResponse) =>
      void engine.#answer(request, response)
    const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
    const socket = join(folder, 'docker.sock')
    if (tcp) server.listen(0, '127.0.0.1')
    else server.listen(socket)
    await once(server, 'listening')
    const at = server.address()
    const address = typeof at === 'object' && at !== null ? `tcp://127.0.0.1:${at.port}` : `unix://${socket}`
    const engine: TestEngine = new TestEngine(server, address, folder)
    return engine
  }

  /** How often images were saved. */
  get savings(): number {
    return this.requests.filter((path) => path.endsWith('/get')).length
  }

  /** Names an image, and sends the event that `docker load` or `docker tag` sends. */
  add(name: string, image: TestImage, action: 'load' | 'tag' | 'pull' | 'delete' = 'load'): void {
    const id = image.config.descriptor.digest
    this.#images.set(name, image).set(id, image)
    const time = Math.floor(Date.now() / 1000)
    const actor = { ID: action === 'pull' ? name : id, Attributes: { name } }
    const line = JSON.stringify({ Type: 'image', Action: action, Actor: actor, scope: 'local', time })
    this.#events.push({ time, line })
    for (const listener of this.#listeners) listener.write(`${line}\n`)
  }

  /** Holds up saving images until the returned function is called. */
  holdSavings(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    return resolve
  }

  /** Breaks the connections of all event listeners. @returns how many there were */
  breakEvents(): number {
    const listeners = [...this.#listeners]
    for (const listener of listeners) listener.destroy()
    this.#listeners.clear()
    return listeners.length
  }

  get listeners(): number {
    return this.#listeners.size
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://engine')
    this.requests.push(url.pathname + url.search)
    if (url.pathname === '/events') return this.#listen(url, response)
    if (url.pathname === '/images/json') return void response.end(JSON.stringify(this.#list()))
    const [, name = '', what] = /^\/images\/([^/]+)\/(json|get)$/.exec(url.pathname) ?? []
    const image = this.#images.get(decodeURIComponent(name))
    if (image === undefined) {
      response.writeHead(404).end('{"message":"No such image"}')
    } else if (what === 'json') {
      response.end(JSON.stringify({ Id: image.config.descriptor.digest, RepoTags: [] }))
    } else {
      await this.#gate
      response.end(packArchive(dockerSave(image, ['app:dev'])))
    }
  }

  #list() {
    return [...new Set(this.#images.values())].map((image) => ({
      Id: image.config.descriptor.digest,
      RepoTags: [...this.#images].flatMap(([name, other]) =>
        other === image && !name.startsWith('sha256:') ? [name] : [],
      ),
      Created: 1_700_000_000,
      Size: 123_456,
    }))
  }

  /** As the engine does: first the events since then, then new ones. */
  #listen(url: URL, response: ServerResponse): void {
    const since = Number(url.searchParams.get('since'))
    response.flushHeaders()
    for (const { time, line } of this.#events) if (time >= since) response.write(`${line}\n`)
    this.#listeners.add(response)
    response.once('close', () => this.#listeners.delete(response))
  }
}
