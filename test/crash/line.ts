/** The connection to a server, which can be cut: open connections break, and new ones are refused until it is restored. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { portOf } from '../support/ports.ts'

export class Line {
  /** Stays the same however often it is cut. */
  readonly port: number
  readonly #target: number
  readonly #open = new Set<Socket>()
  #server: Server | undefined

  private constructor(target: number, server: Server) {
    this.#target = target
    this.#server = server
    this.port = portOf(server)
  }

  /** @param target a port on this machine */
  static async to(target: number): Promise<Line> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const line = new Line(target, server)
    line.#pass(server)
    return line
  }

  async cut(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#open) socket.destroy()
    await closed
  }

  async mend(): Promise<void> {
    const server = createServer()
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    this.#server = server
    this.#pass(server)
  }

  #pass(server: Server): void {
    server.on('connection', (near) => {
      const far = connect(this.#target, '127.0.0.1')
      for (const socket of [near, far]) {
        this.#open.add(socket)
        socket.once('close', () => this.#open.delete(socket))
        socket.on('error', () => {})
      }
      near.pipe(far).pipe(near)
      near.once('close', () => far.destroy())
      far.once('close', () => near.destroy())
    })
  }
}
