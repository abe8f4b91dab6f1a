/**
 * Sources that are known to be slow. Their jobs together may not take all permits, so that there is always room for the jobs of
 * others. A job that waits for a slow source gives its permit to a job that wants it, and starts again behind it.
 */
import { Cache } from '../cache.ts'
import type { JobProgress } from '../job.ts'
import type { SemaphoreLimits } from '../semaphore.ts'

/** A source that sends at least this many bytes per second is not slow. */
const SLOW = 128 * 1024
const POOL = 'slow'
const REMEMBERED = { bytes: 256 * 1024, milliseconds: 300_000 }

/** Limits a semaphore's pool of slow sources to half of it. */
export function slowPool(total: number): NonNullable<SemaphoreLimits['pools']> {
  return { [POOL]: Math.max(1, Math.floor(total / 2)) }
}

export class SlowSources {
  readonly #known = new Cache<true>(REMEMBERED)

  /** @param origin the registry or upload */
  add(origin: string): void {
    this.#known.set(origin, true)
  }

  /** The pool for jobs of this origin; undefined if it is not known to be slow. */
  poolOf(origin: string): string | undefined {
    return this.#known.get(origin) && POOL
  }
}

/** A job that waits for its source reports it every second. @param milliseconds for which it may wait, however little arrives */
export function waitsForSlowSource(
  { layers, layersDone, bytes, bytesDone, waitedMilliseconds = 0 }: JobProgress,
  milliseconds: number,
): boolean {
  // All bytes have arrived: only computing remains.
  if (layersDone === layers || bytesDone >= bytes) return false
  return waitedMilliseconds >= milliseconds && (1_000 * bytesDone) / waitedMilliseconds < SLOW
}
