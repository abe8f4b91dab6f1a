import fc from 'fast-check'
import { expect, test } from 'vitest'
import { terminalText } from '../../src/formats/escape.ts'
import { cutEnd, cutMiddle, widthOf } from './clusters.ts'
import { difference, Grid } from './grid.ts'

const SIZE = { columns: 40, rows: 3 }

test('any name, cut in either way, fits its columns and is written without control characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 40 }), (name, width) => {
      const text = terminalText(name)
      for (const cut of [cutEnd(text, width), cutMiddle(text, width)])
        expect(widthOf(cut)).toBeLessThanOrEqual(width)
      const grid = new Grid(SIZE)
      expect(grid.put({ x: 0, y: 1 }, text)).toBeLessThanOrEqual(SIZE.columns)
      expect(difference(new Grid(SIZE), grid).replaceAll('\x1b[', '')).not.toMatch(/\p{Cc}/u)
    }),
  )
})

test('an equal screen writes nothing, and a changed cell little', () => {
  const one = new Grid(SIZE)
  one.put({ x: 0, y: 0 }, '日本語 text', '1')
  const other = new Grid(SIZE)
  other.put({ x: 0, y: 0 }, '日本語 test', '1')
  expect(difference(one, one)).toBe('')
  expect(difference(one, other)).toBe('\x1b[1;10H\x1b[0;1ms\x1b[0m')
})
