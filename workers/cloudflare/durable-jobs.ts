/** `Jobs` with Durable Objects: each job runs in its own object, named by the job's key. */
import type { Jobs } from '../../src/host.ts'
import { type Job, type JobState, jobKey } from '../../src/job.ts'
import { Problem, type ProblemDocument } from '../../src/problem.ts'
import { SingleFlight } from '../../src/single-flight.ts'
import { pause, waitFor } from '../../src/timeout.ts'

/** A `Problem` does not survive a call to another object, so a start returns it instead of throwing. */
export type Started = { readonly state: JobState } | { readonly problem: ProblemDocument }

/** The calls of a job's object. */
export type JobStub = {
  start(job: Job): Promise<Started>
  watch(key: string, version: number, milliseconds: number): Promise<JobState | undefined>
  /** Tells the object that its last life ended because it used too much memory or CPU time. */
  outgrew(): Promise<void>
}

/** The binding of the objects. Those of `npm start` have no storage, and are found by their names alone. */
export type JobObjects = { idFromName?(name: string): unknown; get(id: unknown): JobStub }

/**
 * Attempts per question: every deployment resets all objects, and this may happen twice in a row. More are of no use: within each,
 * the runtime repeats a call that it can repeat up to five times in ten seconds.
 */
const CALLS = 3
/** Delay before the second attempt; doubled before each further one. */
const PAUSE_MILLISECONDS = 100
/** An object that does not answer for this long after it should have counts as lost. */
const SILENCE_MILLISECONDS = 30_000
/** How long to wait for a call that another request made: it is lost if that request ends first. */
const JOINED_MILLISECONDS = 2_000

export class DurableJobs implements Jobs {
  readonly #objects: JobObjects
  /**
   * All who wait for the same news of a job share one call: an object takes about a thousand calls a second, and each is billed.
   */
  readonly #watching = new SingleFlight<JobState | undefined>()

  constructor(objects: JobObjects) {
    this.#objects = objects
  }

  async start(job: Job): Promise<JobState> {
    const started = await this.#call(jobKey(job), 0, (object) => object.start(job))
    if ('problem' in started) throw Problem.from(started.problem)
    return started.state
  }

  async watch(key: string, version: number, milliseconds: number): Promise<JobState | undefined> {
    const deadline = Date.now() + milliseconds
    const ask = () => {
      const left = Math.max(0, deadline - Date.now())
      return this.#call(key, left, (object) => object.watch(key, version, left))
    }
    if (milliseconds === 0) return ask()
    return this.#watching.share(`${version} ${key}`, ask, {
      milliseconds: Math.min(milliseconds, JOINED_MILLISECONDS),
      isVerdict: (error) => error instanceof Problem,
    })
  }

  /**
   * Asks the object, and asks again if that fails: a job's own failures are part of its state, so an exception is the
   * platform's. Mostly the object was reset; its work is then lost, and it says so.
   *
   * @param milliseconds that the answer may take
   */
  async #call<T>(key: string, milliseconds: number, ask: (object: JobStub) => Promise<T>): Promise<T> {
    let outgrew = false
    for (let call = 1; ; call++) {
      try {
        // A stub that failed once keeps failing.
        const object = this.#objects.get(this.#objects.idFromName?.(key) ?? key)
        const answer = outgrew ? object.outgrew().then(() => ask(object)) : ask(object)
        return await waitFor(answer, {
          limit: {
            milliseconds: milliseconds + SILENCE_MILLISECONDS,
            error: () => new SilentObject('the object does not answer'),
          },
        })
      } catch (error) {
        // Both at once: the object was reset because it, or another one in its isolate, exceeded a limit.
        if (isReset(error)) outgrew ||= isOverloaded(error)
        else if (isOverloaded(error)) {
          throw new Problem('rate_limited', 'too many clients are waiting for this analysis', {
            retryAfter: 5,
          })
        }
        if (call === CALLS) {
          if (!isTransient(error)) throw error
          throw new Problem('analysis_pending', 'the analysis was interrupted; try again', { retryAfter: 5 })
        }
        if (!isTransient(error))
          console.warn('a call of a job\u2019s object failed, and is made again:', error)
        await pause(PAUSE_MILLISECONDS * 2 ** (call - 1) * (0.5 + Math.random()))
      }
    }
  }
}

class SilentObject extends Error {
  readonly retryable = true
}

function isOverloaded(error: unknown): boolean {
  return error instanceof Error && 'overloaded' in error && error.overloaded === true
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'durableObjectReset' in error && error.durableObjectReset === true
}

/** Whether the platform says that the object was reset, or that the connection to it broke. */
function isTransient(error: unknown): boolean {
  return isReset(error) || (error instanceof Error && 'retryable' in error && error.retryable === true)
}
