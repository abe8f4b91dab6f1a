import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Cache } from './cache.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('forgets values that are too old', () => {
  const cache = new Cache<number>({ bytes: 10_000, milliseconds: 1_000 })
  cache.set('a', 1)
  vi.advanceTimersByTime(999)
  expect(cache.get('a')).toBe(1)
  vi.advanceTimersByTime(2)
  expect(cache.get('a')).toBeUndefined()
})

it('a value that is taken is forgotten', () => {
  const cache = new Cache<number>({ bytes: 10_000, milliseconds: 1_000 })
  cache.set('a', 1)
  expect([cache.take('a'), cache.take('a'), cache.bytes]).toEqual([1, undefined, 0])
})

it('reading a value does not extend its life', () => {
  const cache = new Cache<number>({ bytes: 10_000, milliseconds: 1_000 })
  cache.set('a', 1)
  vi.advanceTimersByTime(900)
  cache.get('a')
  vi.advanceTimersByTime(200)
  expect(cache.get('a')).toBeUndefined()
})

it('a value lives no longer than the limit, and shorter on request', () => {
  const cache = new Cache<number>({ bytes: 10_000, milliseconds: 1_000 })
  cache.set('a', 1, 100)
  cache.set('b', 2, 5_000)
  vi.advanceTimersByTime(100)
  expect([cache.get('a'), cache.get('b')]).toEqual([undefined, 2])
  vi.advanceTimersByTime(900)
  expect(cache.get('b')).toBeUndefined()
})

it('evicts the least recently used value first', () => {
  const cache = new Cache<string>({ bytes: 3_000, milliseconds: 1_000, sizeOf: (text) => text.length })
  cache.set('a', 'x'.repeat(1_000))
  cache.set('b', 'x'.repeat(1_000))
  cache.get('a')
  cache.set('c', 'x'.repeat(1_000))
  expect([cache.get('a'), cache.get('b'), cache.get('c')].map((text) => text?.length)).toEqual([
    1_000,
    undefined,
    1_000,
  ])
})

it('never holds more bytes than its limit, for any number and size of values', () => {
  const cache = new Cache<string>({ bytes: 100_000, milliseconds: 60_000, sizeOf: (text) => text.length })
  for (let i = 0; i < 5_000; i++) {
    cache.set(`key ${i}`, 'x'.repeat((i * 7_919) % 9_000))
    expect(cache.bytes).toBeLessThanOrEqual(100_000)
  }
  cache.set('too large', 'x'.repeat(100_001))
  expect(cache.get('too large')).toBeUndefined()
  for (let i = 0; i < 1_000; i++) cache.set('one key', 'x'.repeat(i))
  expect(cache.bytes).toBeLessThanOrEqual(100_000)
})

it('counts keys too, since callers choose them', () => {
  const cache = new Cache<true>({ bytes: 100_000, milliseconds: 60_000 })
  for (let i = 0; i < 1_000; i++) cache.set(`${i}`.padEnd(1_000), true)
  expect(cache.size).toBeLessThan(50)
})

it('drops expired values even if nobody reads them again', () => {
  const cache = new Cache<string>({ bytes: 100_000, milliseconds: 30_000, sizeOf: (text) => text.length })
  for (let i = 0; i < 50; i++) cache.set(`old ${i}`, 'x'.repeat(1_000))
  vi.advanceTimersByTime(30_000)
  cache.set('new', 'x')
  expect(cache.size).toBe(1)
  expect(cache.bytes).toBeLessThan(1_000)
})

it('drops what no longer fits when its limit shrinks', () => {
  const cache = new Cache<string>({ bytes: 4_000, milliseconds: 1_000, sizeOf: () => 800 })
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, key)
  expect(cache.size).toBe(4)
  cache.resize(1 / 2)
  cache.set('e', 'e')
  expect(cache.size).toBe(2)
})
