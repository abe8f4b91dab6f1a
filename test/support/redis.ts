/** A real Redis on a free port, which can be stopped, killed, frozen and restarted; `redis-server` must be installed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from './ports.ts'

export class TestRedis {
  readonly url: string
  readonly #port: number
  readonly #folder: string
  #child: ChildProcess | undefined

  private constructor(port: number, folder: string) {
    this.url = `redis://127.0.0.1:${port}`
    this.#port = port
    this.#folder = folder
  }

  /** Each write is in its file before it is acknowledged. */
  static async start(): Promise<TestRedis> {
    const redis = new TestRedis(await freePort(), await mkdtemp(join(tmpdir(), 'lamina-redis-')))
    await redis.up()
    return redis
  }

  /** Starts it again with its data. */
  async up(): Promise<void> {
    const child = spawn(
      'redis-server',
      [
        ...['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', this.#folder],
        ...['--save', '', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'],
      ],
      // Ctrl-C is meant for the process that started it.
      { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
    )
    this.#child = child
    const ready = Promise.withResolvers<void>()
    createInterface(child.stdout).on('line', (line) => {
      if (line.includes('Ready to accept connections')) ready.resolve()
    })
    child.once('error', ready.reject)
    child.once('exit', () => ready.reject(new Error('redis-server did not start')))
    await ready.promise
  }

  /** Kills it. */
  async down(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** Deletes all its data; it must be stopped. */
  async empty(): Promise<void> {
    await rm(this.#folder, { recursive: true })
    await mkdir(this.#folder)
  }

  /** It hangs until it is thawed: connections stay open, and nothing is answered. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    await this.down()
    await rm(this.#folder, { recursive: true })
  }
}
