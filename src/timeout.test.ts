import { setImmediate as nextTurn } from 'node:timers'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { pause, SharedTimer, waitFor, within } from './timeout.ts'

test('a failure after the caller has left is ignored and crashes nothing', async () => {
  const unheard: unknown[] = []
  const hear = (reason: unknown) => unheard.push(reason)
  process.on('unhandledRejection', hear)
  const gone = AbortSignal.abort(new Error('gone'))
  await expect(waitFor(Promise.reject(new Error('late')), { signal: gone })).rejects.toThrow('gone')
  await setImmediate()
  process.off('unhandledRejection', hear)
  expect(unheard).toEqual([])
})

describe('a promise that never settles', () => {
  const never = new Promise<never>(() => {})

  test('is awaited up to its limit', async () => {
    const limit = { milliseconds: 1, error: () => new Error('too late') }
    await expect(waitFor(never, { limit })).rejects.toThrow('too late')
  })

  test('is awaited until the caller leaves', async () => {
    const caller = new AbortController()
    const waiting = waitFor(never, { signal: caller.signal })
    caller.abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
  })
})

test('work is aborted when its time is up', async () => {
  const error = new Error('too late')
  const signals: AbortSignal[] = []
  const work = (signal: AbortSignal) => {
    signals.push(signal)
    return new Promise<never>(() => {})
  }
  await expect(within({ milliseconds: 1, error: () => error }, work)).rejects.toBe(error)
  expect(signals[0]?.reason).toBe(error)
})

test('work that finished in time is not aborted afterwards', async () => {
  const signals: AbortSignal[] = []
  const work = async (signal: AbortSignal) => signals.push(signal)
  await within({ milliseconds: 5, error: () => new Error('too late') }, work)
  await pause(50)
  expect(signals[0]?.aborted).toBe(false)
})

test('an answer that arrived while this process was busy is in time', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const waiting = waitFor(promise, { limit: { milliseconds: 5, error: () => new Error('too late') } })
  nextTurn(() => {
    for (const end = performance.now() + 20; performance.now() < end; );
    // The limit's timer is due, and its turn is before that of what has arrived, as before the bytes of a socket.
    nextTurn(() => resolve('answer'))
  })
  expect(await waiting).toBe('answer')
})

test('a pause ends when its signal is aborted', async () => {
  const signal = AbortSignal.abort(new Error('gone'))
  await expect(pause(60_000, signal)).rejects.toThrow('gone')
})

describe('waits that share a timer', () => {
  const limit = { milliseconds: 40, error: () => new Error('too late') }

  test('each have the whole time', async () => {
    const timer = new SharedTimer()
    for (let i = 0; i < 3; i++) await waitFor(pause(25), { limit, timer })
    const began = performance.now()
    await expect(waitFor(new Promise(() => {}), { limit, timer })).rejects.toThrow('too late')
    expect(performance.now() - began).toBeGreaterThanOrEqual(limit.milliseconds - 1)
  })

  test('leave no timer behind', async () => {
    const before = process.getActiveResourcesInfo().length
    const timer = new SharedTimer()
    await waitFor(Promise.resolve(), { limit, timer })
    timer.clear()
    expect(process.getActiveResourcesInfo().length).toBe(before)
  })
})
