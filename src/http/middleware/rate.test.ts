import { afterEach, expect, test, vi } from 'vitest'
import { MinuteRate } from './rate.ts'

afterEach(() => vi.useRealTimers())

test('a client may start so many a minute, and others as many', async () => {
  vi.useFakeTimers({ now: 0 })
  const rate = new MinuteRate(2)
  await rate.admit('a')
  await rate.admit('a')
  vi.setSystemTime(30_000)
  await expect(rate.admit('a')).rejects.toMatchObject({ code: 'rate_limited', fields: { retryAfter: 30 } })
  await rate.admit('b')
  vi.setSystemTime(60_000)
  await rate.admit('a')
})

test('no limit admits all', async () => {
  const rate = new MinuteRate(0)
  for (let i = 0; i < 100; i++) await rate.admit('a')
})
