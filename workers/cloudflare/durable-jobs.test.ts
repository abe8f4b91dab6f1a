import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { JobState } from '../../src/job.ts'
import { DurableJobs, type JobStub } from './durable-jobs.ts'

/** Errors as workerd reports them for calls to another object. */
function platformError(message: string, fields: Record<string, true> = {}): Error {
  return Object.assign(new Error(message), { remote: true, ...fields })
}

/** Objects that fail once with each of these errors before they answer. */
function jobsThatFail(errors: readonly Error[]) {
  const left = [...errors]
  const watch = vi.fn(async (): Promise<JobState | undefined> => {
    const error = left.shift()
    if (error !== undefined) throw error
    return undefined
  })
  const outgrew = vi.fn(async () => {})
  const stub: JobStub = { start: () => Promise.reject(new Error('not asked for')), watch, outgrew }
  return { watch, outgrew, jobs: new DurableJobs({ get: () => stub }) }
}

/** As production sets its flags after a reset for lack of memory. */
const outOfMemory = () =>
  platformError('Durable Object exceeded its memory limit and was reset.', {
    overloaded: true,
    durableObjectReset: true,
  })

describe('a call that fails is retried', () => {
  it.each([
    ['after a reset', platformError('Durable Object reset', { durableObjectReset: true })],
    ['after a broken connection', platformError('Network connection lost.', { retryable: true })],
    [
      'after a confusion of objects',
      platformError('Cannot perform I/O on behalf of a different Durable Object.'),
    ],
  ])('%s', async (_, error) => {
    const { jobs, watch } = jobsThatFail([error, error])
    expect(await jobs.watch('key', 0, 1_000)).toBeUndefined()
    expect(watch).toHaveBeenCalledTimes(3)
  })

  it('after a reset for lack of memory, which the object is told of before', async () => {
    const { jobs, watch, outgrew } = jobsThatFail([outOfMemory()])
    expect(await jobs.watch('key', 0, 1_000)).toBeUndefined()
    expect(watch).toHaveBeenCalledTimes(2)
    expect(outgrew).toHaveBeenCalledTimes(1)
    expect(outgrew.mock.invocationCallOrder[0]).toBeLessThan(watch.mock.invocationCallOrder[1] ?? 0)
  })

  it('after a deployment, which does not count', async () => {
    const { jobs, outgrew } = jobsThatFail([platformError('reset', { durableObjectReset: true })])
    await jobs.watch('key', 0, 1_000)
    expect(outgrew).not.toHaveBeenCalled()
  })

  it('at most three times', async () => {
    const lost = platformError('Network connection lost.', { retryable: true })
    await expect(jobsThatFail(Array(3).fill(lost)).jobs.watch('key', 0, 1_000)).rejects.toMatchObject({
      code: 'analysis_pending',
    })
    const broken = platformError('internal error')
    await expect(jobsThatFail(Array(3).fill(broken)).jobs.watch('key', 0, 1_000)).rejects.toBe(broken)
  })

  it('not if too many are waiting', async () => {
    const { jobs, watch } = jobsThatFail([
      platformError('Durable Object is overloaded.', { overloaded: true }),
    ])
    await expect(jobs.watch('key', 0, 1_000)).rejects.toMatchObject({ code: 'rate_limited' })
    expect(watch).toHaveBeenCalledTimes(1)
  })
})

describe('who waits for the same news', () => {
  const NEWS: JobState = {
    status: 'running',
    version: 3,
    place: 'r/a',
    createdAt: '',
    progress: { layers: 1, layersDone: 0, layersReused: 0, bytes: 1, bytesDone: 0 },
  }

  /** Objects whose calls a test answers. */
  function held() {
    const answers: ((state: JobState) => void)[] = []
    const watch = vi.fn(() => new Promise<JobState>((resolve) => answers.push(resolve)))
    const stub: JobStub = { start: () => Promise.reject(new Error()), watch, outgrew: async () => {} }
    return { watch, answers, jobs: new DurableJobs({ get: () => stub }) }
  }

  it('shares one call', async () => {
    const { watch, answers, jobs } = held()
    const waiting = Array.from({ length: 200 }, () => jobs.watch('key', 2, 20_000))
    expect(watch).toHaveBeenCalledTimes(1)
    answers[0]?.(NEWS)
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => NEWS))
  })

  it('but not with another job, or with who has older news', async () => {
    const { watch, answers, jobs } = held()
    const waiting = [jobs.watch('key', 2, 20_000), jobs.watch('key', 1, 20_000), jobs.watch('other', 2, 1)]
    expect(watch).toHaveBeenCalledTimes(3)
    for (const answer of answers) answer(NEWS)
    await Promise.all(waiting)
  })

  it('and makes its own if that one was lost with the request that made it', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { watch, answers, jobs } = held()
    const [, ...others] = Array.from({ length: 10 }, () => jobs.watch('key', 2, 20_000))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(watch.mock.calls.length).toBeGreaterThan(1)
    expect(watch.mock.calls.length).toBeLessThan(5)
    // The first call is never answered.
    for (const answer of answers.slice(1)) answer(NEWS)
    expect(await Promise.all(others)).toEqual(others.map(() => NEWS))
  })
})
