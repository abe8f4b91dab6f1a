/** Turns of waiting jobs: registries take turns, so that the many jobs of one do not delay the few of another. */

import type { EncryptedJobs } from './encrypted-jobs.ts'
import type { RedisLink } from './redis.ts'

/** BullMQ's limit on priorities. Later jobs are taken in order of arrival. */
const LAST_TURN = 2_097_151

/**
 * A registry's next job comes one turn after its last one, but never before what waits already: a turn once given is passed only by
 * the earlier jobs of other registries, so no job starves. BullMQ scores what waits by 2^32 times its priority, and a counter.
 *
 * KEYS: what waits, the last turn of each registry. ARGV: the registry, the last turn that there is.
 */
const TAKE_TURN = `
local lowest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
local turn = 1
if lowest then
  turn = math.floor(tonumber(lowest) / 4294967296)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. turn)
  turn = math.max(turn, tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0) + 1)
else
  redis.call('DEL', KEYS[2])
end
turn = math.min(turn, tonumber(ARGV[2]))
redis.call('ZADD', KEYS[2], turn, ARGV[1])
return turn`

export class Turns {
  readonly #link: RedisLink
  readonly #encrypted: EncryptedJobs

  constructor(link: RedisLink, encrypted: EncryptedJobs) {
    this.#link = link
    this.#encrypted = encrypted
  }

  /**
   * The priority of a job about to be queued; 1 is next.
   *
   * @param waiting the key of the queue's jobs that wait by priority
   * @param origin the job's registry or upload
   */
  async take(waiting: string, origin: string): Promise<number> {
    // The ID of an upload is a secret.
    const registry = this.#encrypted.nameOf(origin)
    const turn = await this.#link.ask((redis) =>
      redis.eval(TAKE_TURN, 2, waiting, `${waiting}:turns`, registry, LAST_TURN),
    )
    return Number(turn)
  }
}
