import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Cache } from './cache.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('forgets what is too old', () => {
  const cache = new Cache<number>({ entries: 10, milliseconds: 1_000 })
  cache.set('a', 1)
  vi.advanceTimersByTime(999)
  expect(cache.get('a')).toBe(1)
  vi.advanceTimersByTime(2)
  expect(cache.get('a')).toBeUndefined()
})

it('does not live longer for being asked', () => {
  const cache = new Cache<number>({ entries: 10, milliseconds: 1_000 })
  cache.set('a', 1)
  vi.advanceTimersByTime(900)
  cache.get('a')
  vi.advanceTimersByTime(200)
  expect(cache.get('a')).toBeUndefined()
})

it('lets the least recently used go first', () => {
  const cache = new Cache<number>({ entries: 2, milliseconds: 1_000 })
  cache.set('a', 1)
  cache.set('b', 2)
  cache.get('a')
  cache.set('c', 3)
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3])
})
