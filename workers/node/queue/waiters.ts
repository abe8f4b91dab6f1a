/** Who waits for a job, over all servers: the server that runs a job cancels it when nobody waits. */
import { randomUUID } from 'node:crypto'
import type { RedisLink } from './redis.ts'

/** Expiry for a job whose end was never recorded, for example because Redis was away. */
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
   * Records that somebody on this server is or was waiting.
   *
   * @param until milliseconds since 1970; in the future while somebody waits, so that it outlives this server for a while
   */
  async record(name: string, until: number): Promise<void> {
    const key = this.#keyOf(name)
    await this.#link.ask((redis) =>
      redis.multi().zadd(key, until, this.#server).pexpire(key, KEPT_MILLISECONDS).exec(),
    )
  }

  /** Until when somebody waits or waited, on any server; undefined if unknown. */
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
