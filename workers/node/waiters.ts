/** Who waits for a job, over all servers: a job that nobody waits for is given up by whoever does it. */
import { randomUUID } from 'node:crypto'
import type { RedisLink } from './redis.ts'

/** What is kept of a job that ended without anybody saying so, as where Redis was away. */
const KEPT_MILLISECONDS = 3_600_000

export class Waiters {
  readonly #link: RedisLink
  readonly #server = randomUUID()
  readonly #prefix: string

  constructor(link: RedisLink, prefix: string) {
    this.#link = link
    this.#prefix = prefix
  }

  /**
   * Notes that somebody on this server waits, or waited.
   *
   * @param until milliseconds since 1970; ahead of now where the waiting goes on, so that it outlives this server for a while
   */
  async note(name: string, until: number): Promise<void> {
    const key = this.#keyOf(name)
    await this.#link.ask((redis) =>
      redis.multi().zadd(key, until, this.#server).pexpire(key, KEPT_MILLISECONDS).exec(),
    )
  }

  /** Until when somebody waits or waited, on any server; undefined if nobody is known to have. */
  async last(name: string): Promise<number | undefined> {
    const key = this.#keyOf(name)
    const [, until] = await this.#link.ask((redis) => redis.zrevrange(key, 0, 0, 'WITHSCORES'))
    return until === undefined ? undefined : Number(until)
  }

  /** The job has ended. */
  async forget(name: string): Promise<void> {
    await this.#link.ask((redis) => redis.del(this.#keyOf(name)))
  }

  #keyOf(name: string): string {
    return `${this.#prefix}:waiters:${name}`
  }
}
