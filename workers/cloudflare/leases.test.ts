import { expect, it, onTestFinished, vi } from 'vitest'
import { Leases } from './leases.ts'

const TIMES = { leaseMilliseconds: 15_000, beatMilliseconds: 1_000 }
const { signal } = new AbortController()

/** Whether it has been admitted by now. */
async function isAdmitted(reserved: Promise<unknown>): Promise<boolean> {
  let isAdmitted = false
  void reserved.then(() => {
    isAdmitted = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  return isAdmitted
}

it('admits what fits, in the order of asking, however little would fit before', async () => {
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

it('what is larger than all there is has it alone', async () => {
  const leases = new Leases(10)
  const release = await leases.reserve({ places: 50, holder: 'a' }, signal)
  const other = leases.reserve({ places: 1, holder: 'b' }, signal)
  expect(await isAdmitted(other)).toBe(false)
  release()
  expect(await isAdmitted(other)).toBe(true)
})

it('groups take turns, and what is of none goes first', async () => {
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

it('one that no longer waits holds up no other', async () => {
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

it('what an object held, and what it waited for, ends when it begins anew', async () => {
  const leases = new Leases(10)
  await leases.reserve({ places: 10, holder: 'reset' }, signal)
  const own = leases.reserve({ places: 10, holder: 'reset' }, signal)
  const other = leases.reserve({ places: 10, holder: 'other' }, signal)
  expect(await isAdmitted(other)).toBe(false)
  leases.forget('reset')
  expect(await isAdmitted(other)).toBe(true)
  expect(await isAdmitted(own)).toBe(false)
})

it('a lease that is not renewed ends by itself', async () => {
  vi.useFakeTimers({ now: 0, toFake: ['Date', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const leases = new Leases(1, TIMES)
  await leases.reserve({ places: 1, holder: 'a' }, signal)
  vi.advanceTimersByTime(60_000)
  const second = leases.reserve({ places: 1, holder: 'b' }, signal)
  expect(await isAdmitted(second)).toBe(false)
  // A reset object's timers stop.
  vi.clearAllTimers()
  vi.setSystemTime(75_001)
  expect(await isAdmitted(leases.reserve({ places: 1, holder: 'c' }, signal))).toBe(true)
})
