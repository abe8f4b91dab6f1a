/** Waits for a job wherever it runs, and reports its progress. */
import type { Jobs } from './host.ts'
import { isFinished, type Job, type JobState, jobKey } from './job.ts'
import { waitFor } from './timeout.ts'

/** One `watch` lasts no longer than this, so that no call to another object or machine stays open for minutes. */
const WATCH_MILLISECONDS = 20_000
/** How long a layer is waited for. The transport's own limits end one that makes no progress; this only bounds the waiting. */
export const LAYER_MILLISECONDS = 6 * 3_600_000

/**
 * Starts or joins the job, and yields each of its states: the first at once, the last when it has finished or `milliseconds`
 * have passed. A job that a restart lost is started again.
 */
export async function* follow(
  jobs: Jobs,
  job: Job,
  milliseconds: number,
  signal?: AbortSignal,
): AsyncGenerator<JobState, void> {
  const deadline = Date.now() + milliseconds
  let state = await jobs.start(job)
  yield state
  while (!isFinished(state)) {
    signal?.throwIfAborted()
    const left = deadline - Date.now()
    if (left <= 0) return
    // A caller that leaves is released before the watch ends.
    const watched = jobs.watch(jobKey(job), state.version, Math.min(left, WATCH_MILLISECONDS))
    const next = await waitFor(watched, { signal })
    state = next ?? (await jobs.start(job))
    yield state
  }
}

/**
 * The same for a job that somebody else has started; starts nothing.
 *
 * @returns whether it ended because no such job is known: it never existed, it finished long ago, or a restart lost it
 */
export async function* observe(
  jobs: Jobs,
  key: string,
  milliseconds: number,
  signal?: AbortSignal,
): AsyncGenerator<JobState, 'unknown' | 'known'> {
  const deadline = Date.now() + milliseconds
  let state = await jobs.watch(key, -1, 0)
  while (state !== undefined) {
    yield state
    if (isFinished(state)) return 'known'
    signal?.throwIfAborted()
    const left = deadline - Date.now()
    if (left <= 0) return 'known'
    const watched = jobs.watch(key, state.version, Math.min(left, WATCH_MILLISECONDS))
    state = await waitFor(watched, { signal })
  }
  return 'unknown'
}
