import { afterEach, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { MemoryStore } from '../../../test/support/memory-store.ts'
import { ANALYSES_PREFIX, LIFE_MILLISECONDS, nameNow, sweepAnalyses } from './analysis-names.ts'

afterEach(() => vi.useRealTimers())

it('analyses are removed from the store after an hour, live ones stay', async () => {
  vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) })
  const store = new MemoryStore()
  const named = async () => {
    const key = ANALYSES_PREFIX + nameNow()
    await store.put(key, Uint8Array.of(1))
    return key
  }
  for (let i = 0; i < 300; i++) await named()
  vi.advanceTimersByTime(LIFE_MILLISECONDS - 1)
  const living = await named()
  await sweepAnalyses(store)
  const before = await Array.fromAsync(store.list(ANALYSES_PREFIX))
  expect(before.length).toBe(301)
  vi.advanceTimersByTime(60_000)
  await sweepAnalyses(store)
  expect((await Array.fromAsync(store.list(ANALYSES_PREFIX))).length).toBeLessThan(110)
  // It cleans up at most once a minute.
  await sweepAnalyses(store)
  expect((await Array.fromAsync(store.list(ANALYSES_PREFIX))).length).toBeGreaterThan(1)
  vi.advanceTimersByTime(60_000)
  await sweepAnalyses(store)
  expect(await Array.fromAsync(store.list(ANALYSES_PREFIX))).toEqual([living])
})

it('names are UUIDs ordered by time', () => {
  vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) })
  const names = Array.from({ length: 100 }, () => {
    vi.advanceTimersByTime(1)
    return nameNow()
  })
  for (const name of names) expect(z.uuid().safeParse(name).success).toBe(true)
  expect(names.toSorted()).toEqual(names)
})
