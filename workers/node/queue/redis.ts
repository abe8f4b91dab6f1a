/** The connections to Redis, and whether it answers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Problem } from '../../../src/problem.ts'
import { type TimeLimit, waitFor } from '../../../src/timeout.ts'
import type { Log } from '../log.ts'

/** A command that takes longer has failed: nobody waits longer for a Redis that hangs. */
const ANSWER_MILLISECONDS = 5_000
const BEAT_MILLISECONDS = 1_000
/** The retry delay for clients that request new work while Redis is away. */
const RETRY_SECONDS = 5

export class RedisLink {
  /** For commands that fail at once while there is no connection. */
  readonly commands: Redis
  readonly #url: string
  readonly #log: Log
  readonly #connections: Redis[] = []
  readonly #beating: NodeJS.Timeout
  #isAway = true
  #wasReported = false

  constructor(url: string, log: Log) {
    this.#url = url
    this.#log = log
    this.commands = this.#connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0 })
    this.commands.on('ready', () => void this.#beat())
    this.commands.on('close', () => this.#found(true))
    this.#beating = setInterval(() => void this.#beat(), BEAT_MILLISECONDS)
    this.#beating.unref()
  }

  /** Whether Redis failed to answer at the last check, at most a second ago. */
  get isAway(): boolean {
    return this.#isAway
  }

  /** A connection that waits for Redis to come back, for taking jobs and receiving events. */
  connect(): Redis {
    return this.#connect({ maxRetriesPerRequest: null })
  }

  /**
   * Sends commands to Redis.
   *
   * @throws Problem `queue_unavailable` if it does not answer, or refuses, as it does when its memory is full
   */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    if (this.#isAway) throw unavailable()
    try {
      return await waitFor(question(this.commands), { limit: ANSWER_LIMIT })
    } catch (error) {
      if (error instanceof Problem) throw error
      this.#log.error({ error: String(error) }, 'redis refused')
      void this.#beat()
      throw unavailable()
    }
  }

  /** Resolves when Redis has answered for the first time, or `milliseconds` have passed. */
  async opened(milliseconds: number): Promise<void> {
    for (const end = Date.now() + milliseconds; this.#isAway && Date.now() < end; ) await sleep(20)
  }

  close(): void {
    clearInterval(this.#beating)
    for (const connection of this.#connections) connection.disconnect()
  }

  async #beat(): Promise<void> {
    try {
      await waitFor(this.commands.ping(), { limit: ANSWER_LIMIT })
      this.#found(false)
    } catch {
      this.#found(true)
    }
  }

  #found(isAway: boolean): void {
    if (isAway !== this.#isAway && this.#wasReported)
      this.#log.warn(isAway ? 'Redis is unreachable' : 'Redis is reachable again')
    this.#isAway = isAway
    this.#wasReported ||= !isAway
  }

  #connect(options: {
    readonly enableOfflineQueue?: boolean
    readonly maxRetriesPerRequest: number | null
  }): Redis {
    const connection = new Redis(this.#url, options)
    // `#found` logs it, once for all connections.
    connection.on('error', () => {})
    this.#connections.push(connection)
    return connection
  }
}

const ANSWER_LIMIT: TimeLimit = {
  milliseconds: ANSWER_MILLISECONDS,
  error: () => new Error(`Redis did not answer within ${ANSWER_MILLISECONDS / 1000} s`),
}

function unavailable(): Problem {
  return new Problem('queue_unavailable', 'the queue of analyses is unavailable; try again later', {
    retryAfter: RETRY_SECONDS,
  })
}
