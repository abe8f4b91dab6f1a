import { expect, it, onTestFinished, vi } from 'vitest'
import { Leases } from './leases.ts'

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

it('admits what fits in order of arrival, even if a later smaller one would fit first', async () => {
  const leases = new Leases(10)
  const release = await leases.reserve({ places: 6, holder: 'a' }, signal)
  const large = leases.reserve({ places: 8, holder: 'b' }, signal)
  const small = leases.reserve({ places: 2, holder: 'c' }, signal)
  expect(await isAdmitted(large)).toBe(false)
  expect(await isAdmitted(small)).toBe(false)
  release()
  expect(await isAdmitted(large)).toBe(true)
  expect(await isAdmitted(small)).toBe(true)
})

it('a request larger than the total runs alone', async () => {
  const leases = new Leases(10)
  const release = await leases.reserve({ places: 50, holder: 'a' }, signal)
  const other = leases.reserve({ places: 1, holder: 'b' }, signal)
  expect(await isAdmitted(other)).toBe(false)
  release()
  expect(await isAdmitted(other)).toBe(true)
})

it('groups take turns, and requests without a group go first', async () => {
  const leases = new Leases(3)
  const reserve = (group?: string) => leases.reserve({ places: 1, holder: 'a', group }, signal)
  const first = await reserve('many')
  const second = await reserve('many')
  await reserve('many')
  const [third, other, none] = [reserve('many'), reserve('few'), reserve()]
  first()
  expect(await isAdmitted(none)).toBe(true)
  expect(await isAdmitted(other)).toBe(false)
  second()
  expect(await isAdmitted(other)).toBe(true)
  expect(await isAdmitted(third)).toBe(false)
})

it('an abandoned request holds up no other', async () => {
  const leases = new Leases(10)
  await leases.reserve({ places: 6, holder: 'a' }, signal)
  const leaving = new AbortController()
  const large = leases.reserve({ places: 8, holder: 'b' }, leaving.signal)
  const small = leases.reserve({ places: 2, holder: 'c' }, signal)
  expect(await isAdmitted(small)).toBe(false)
  leaving.abort(new Error('left'))
  await expect(large).rejects.toThrow('left')
  expect(await isAdmitted(small)).toBe(true)
})

it("an object's leases and pending requests end when it restarts", async () => {
  const leases = new Leases(10)
  await leases.reserve({ places: 10, holder: 'reset' }, signal)
  const own = leases.reserve({ places: 10, holder: 'reset' }, signal)
  const other = leases.reserve({ places: 10, holder: 'other' }, signal)
  expect(await isAdmitted(other)).toBe(false)
  leases.forget('reset')
  expect(await isAdmitted(other)).toBe(true)
  expect(await isAdmitted(own)).toBe(false)
})

it('a lease that is not renewed expires', async () => {
  vi.useFakeTimers({ now: 0, toFake: ['Date', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const leases = new Leases(1, TIMES)
  await leases.reserve({ places: 1, holder: 'a' }, signal)
  vi.advanceTimersByTime(60_000)
  const second = leases.reserve({ places: 1, holder: 'b' }, signal)
  expect(await isAdmitted(second)).toBe(false)
  // The timers of a reset object stop.
  vi.clearAllTimers()
  vi.setSystemTime(75_001)
  expect(await isAdmitted(leases.reserve({ places: 1, holder: 'c' }, signal))).toBe(true)
})
