import { expect, it } from 'vitest'
import { inBoth } from './ranges.ts'

it('the smaller of two ranges is in both, and other ranges have nothing in common', () => {
  expect(inBoth(['10.0.0.0/8', '192.168.0.0/16', 'fc00::/7'], ['10.77.0.1/32', '0.0.0.0/0'])).toEqual([
    '10.77.0.1/32',
    '10.0.0.0/8',
    '192.168.0.0/16',
  ])
  expect(inBoth(['127.0.0.0/8'], ['10.0.0.0/8', '::/0'])).toEqual([])
})
