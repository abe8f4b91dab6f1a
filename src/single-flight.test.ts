import { expect, it } from 'vitest'
import { Problem } from './problem.ts'
import { SingleFlight } from './single-flight.ts'

const isVerdict = (error: unknown) => error instanceof Problem
const joining = { milliseconds: 60_000, isVerdict }

/** A fetch that the test completes, and that counts how often it was started. */
function controlled() {
  const begun: PromiseWithResolvers<string>[] = []
  const fetch = () => {
    const flight = Promise.withResolvers<string>()
    begun.push(flight)
    return flight.promise
  }
  return { begun, fetch }
}

/** Waits until every settled promise has been handled. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

it('fetches once for concurrent callers, and again for later ones', async () => {
  const singleFlight = new SingleFlight<string>()
  const { begun, fetch } = controlled()
  const all = Array.from({ length: 10 }, () => singleFlight.share('key', fetch, joining))
  begun[0]?.resolve('answer')
  expect(new Set(await Promise.all(all))).toEqual(new Set(['answer']))
  expect(begun).toHaveLength(1)
  void singleFlight.share('key', fetch, joining)
  expect(begun).toHaveLength(2)
})

it('gives a definite answer to all who wait', async () => {
  const singleFlight = new SingleFlight<string>()
  const { begun, fetch } = controlled()
  const all = Array.from({ length: 10 }, () => singleFlight.share('key', fetch, joining))
  begun[0]?.reject(new Problem('image_not_found', 'there is none'))
  for (const { status } of await Promise.allSettled(all)) expect(status).toBe('rejected')
  expect(begun).toHaveLength(1)
})

it('restarts with one of the waiting callers if the first leaves, and the others join', async () => {
  const singleFlight = new SingleFlight<string>()
  const { begun, fetch } = controlled()
  const first = singleFlight.share('key', fetch, joining)
  const others = Array.from({ length: 10 }, () => singleFlight.share('key', fetch, joining))
  begun[0]?.reject(new Error('aborted'))
  await expect(first).rejects.toThrow('aborted')
  await settle()
  expect(begun).toHaveLength(2)
  begun[1]?.resolve('answer')
  expect(new Set(await Promise.all(others))).toEqual(new Set(['answer']))
})

it('replaces a fetch that never ends: later callers join the new one at once', async () => {
  const singleFlight = new SingleFlight<string>()
  const { begun, fetch } = controlled()
  void singleFlight.share('key', fetch, joining)
  const impatient = singleFlight.share('key', fetch, { milliseconds: 10, isVerdict })
  await expect.poll(() => begun.length).toBe(2)
  const later = singleFlight.share('key', fetch, joining)
  begun[1]?.resolve('answer')
  expect(await Promise.all([impatient, later])).toEqual(['answer', 'answer'])
  expect(begun).toHaveLength(2)
})

it('lets a caller leave while the others keep waiting', async () => {
  const singleFlight = new SingleFlight<string>()
  const { begun, fetch } = controlled()
  const going = new AbortController()
  const first = singleFlight.share('key', fetch, { ...joining, signal: going.signal })
  const second = singleFlight.share('key', fetch, { ...joining, signal: going.signal })
  const third = singleFlight.share('key', fetch, joining)
  going.abort(new Error('gone'))
  await expect(first).rejects.toThrow('gone')
  await expect(second).rejects.toThrow('gone')
  begun[0]?.resolve('answer')
  expect(await third).toBe('answer')
  expect(begun).toHaveLength(1)
})
