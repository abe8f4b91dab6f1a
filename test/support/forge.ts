/** The parts of GitHub's and GitLab's APIs that write comments. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { json } from 'node:stream/consumers'
import { z } from 'zod'

type ForgeRequest = { readonly method: string; readonly path: string; readonly body: unknown }
type Written = { readonly id: number; body: string; readonly author: 'us' | 'stranger' }

/** Knows one pull request, whose comments are in order. */
export class TestForge {
  readonly requests: ForgeRequest[] = []
  readonly comments: Written[] = []
  /** What GitHub says of open pull requests. */
  pulls: readonly unknown[] = []
  refuses = false
  readonly #server: Server

  constructor() {
    this.#server = createServer(async (request, response) => {
      const { method = '', url = '', headers } = request
      const { pathname, searchParams } = new URL(url, 'http://forge')
      const body = method === 'GET' ? undefined : await json(request)
      this.requests.push({ method, path: pathname, body })
      const answer = (status: number, value: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      if (headers.authorization !== 'Bearer a-token' && headers['private-token'] !== 'a-token')
        return answer(401, { message: 'Bad credentials' })
      if (pathname === '/user') return answer(200, { id: 1 })
      if (pathname.endsWith('/pulls')) return answer(200, this.pulls)
      const page = Number(searchParams.get('page'))
      if (method === 'GET') return answer(200, this.comments.slice((page - 1) * 100, page * 100).map(shown))
      if (this.refuses) return answer(403, { message: 'Resource not accessible by integration' })
      const { body: text } = z.object({ body: z.string() }).parse(body)
      if (method === 'POST') this.write(text)
      const [, id] = /\/(?:comments|notes)\/(\d+)$/.exec(pathname) ?? []
      const comment = this.comments.find((one) => one.id === Number(id))
      if (comment !== undefined && method !== 'POST') comment.body = text
      return answer(200, {})
    })
  }

  write(body: string, author: Written['author'] = 'us'): void {
    this.comments.push({ id: this.comments.length + 1, body, author })
  }

  /** What was asked for besides reading: `POST /repos/…`. */
  get changes(): readonly string[] {
    return this.requests
      .filter(({ method }) => method !== 'GET')
      .map(({ method, path }) => `${method} ${path}`)
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const at = this.#server.address()
    return `http://127.0.0.1:${typeof at === 'object' ? at?.port : ''}`
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

/** As both show it. */
function shown({ id, body, author }: Written) {
  const isOurs = author === 'us'
  return {
    id,
    body,
    user: { type: isOurs ? 'Bot' : 'User' },
    author_association: 'NONE',
    author: { id: isOurs ? 1 : 2 },
  }
}
