import { afterEach, expect, test, vi } from 'vitest'
import { clientOfAddress, MinuteRate } from './rate.ts'

afterEach(() => vi.useRealTimers())

test('each client may start a limited number per minute', async () => {
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

test('without a limit all are admitted', async () => {
  const rate = new MinuteRate(0)
  for (let i = 0; i < 100; i++) await rate.admit('a')
})

test('any number of clients per minute takes no more memory than ten thousand', async () => {
  vi.useFakeTimers({ now: 0 })
  const rate = new MinuteRate(1)
  for (let i = 0; i < 10_001; i++) await rate.admit(`${i}`)
  // The first was forgotten to make room for the last; the others were not.
  await rate.admit('0')
  await expect(rate.admit('10000')).rejects.toMatchObject({ code: 'rate_limited' })
  await expect(rate.admit('5000')).rejects.toMatchObject({ code: 'rate_limited' })
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
  ['2001:db8:1:2::', '2001:db8:1:2::'],
  ['fe80::1%eth0', 'fe80::'],
  ['', ''],
])('the address %s belongs to the client %s', (address, client) => {
  expect(clientOfAddress(address)).toBe(client)
})
