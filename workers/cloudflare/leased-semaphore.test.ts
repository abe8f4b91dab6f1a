import { expect, it, onTestFinished, vi } from 'vitest'
import { LeasedSemaphore } from './leased-semaphore.ts'

const TIMES = { leaseMilliseconds: 15_000, beatMilliseconds: 1_000 }
const { signal } = new AbortController()

/** Whether the request has been admitted by now. */
async function isAdmitted(reserved: Promise<unknown>): Promise<boolean> {
  let isAdmitted = false
  void reserved.then(() => {
    isAdmitted = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  return isAdmitted
}

it("an object's leases and pending requests end when it restarts", async () => {
  const leases = new LeasedSemaphore({ total: 10 })
  await leases.of('reset', 10).acquire([], signal)
  const own = leases.of('reset', 10).acquire([], signal)
  const other = leases.of('other', 10).acquire([], signal)
  expect(await isAdmitted(other)).toBe(false)
  leases.forget('reset')
  expect(await isAdmitted(other)).toBe(true)
  expect(await isAdmitted(own)).toBe(false)
})

it('a lease that is not renewed expires', async () => {
  vi.useFakeTimers({ now: 0, toFake: ['Date', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const leases = new LeasedSemaphore({ total: 1 }, TIMES)
  await leases.of('a', 1).acquire([], signal)
  vi.advanceTimersByTime(60_000)
  const second = leases.of('b', 1).acquire([], signal)
  expect(await isAdmitted(second)).toBe(false)
  // The timers of a reset object stop.
  vi.clearAllTimers()
  vi.setSystemTime(75_001)
  expect(await isAdmitted(leases.of('c', 1).acquire([], signal))).toBe(true)
})

it('one that lost its lease while it waited asks again, as long as it lives', async () => {
  vi.useFakeTimers({ now: 0, toFake: ['Date', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const leases = new LeasedSemaphore({ total: 1 }, TIMES)
  const permit = await leases.of('a').acquire([], signal)
  const waiting = leases.of('b').acquire([], signal)
  vi.setSystemTime(20_000)
  expect(leases.of('c').waiting).toBe(0)
  vi.advanceTimersByTime(1_000)
  permit.release()
  expect(await isAdmitted(waiting)).toBe(true)
})

it('one that leaves while it waits holds nothing', async () => {
  const leases = new LeasedSemaphore({ total: 1 })
  const permit = await leases.of('a').acquire([], signal)
  const leaving = new AbortController()
  const waiting = leases.of('b').acquire([], leaving.signal)
  leaving.abort(new Error('left'))
  await expect(waiting).rejects.toThrow('left')
  permit.release()
  expect(await isAdmitted(leases.of('c').acquire([], signal))).toBe(true)
})
