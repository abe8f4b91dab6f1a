import { describe, expect, it, vi } from 'vitest'
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
  const stub: JobStub = { start: () => Promise.reject(new Error('not asked for')), watch }
  return { watch, jobs: new DurableJobs({ get: () => stub }) }
}

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

  it('at most five times', async () => {
    const lost = platformError('Network connection lost.', { retryable: true })
    await expect(jobsThatFail(Array(5).fill(lost)).jobs.watch('key', 0, 1_000)).rejects.toMatchObject({
      code: 'analysis_pending',
    })
    const broken = platformError('internal error')
    await expect(jobsThatFail(Array(5).fill(broken)).jobs.watch('key', 0, 1_000)).rejects.toBe(broken)
  })

  it('not if too many are waiting', async () => {
    const { jobs, watch } = jobsThatFail([
      platformError('Durable Object is overloaded.', { overloaded: true }),
    ])
    await expect(jobs.watch('key', 0, 1_000)).rejects.toMatchObject({ code: 'rate_limited' })
    expect(watch).toHaveBeenCalledTimes(1)
  })
})
