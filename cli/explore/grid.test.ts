import fc from 'fast-check'
import { expect, test } from 'vitest'
import { terminalText } from '../../src/formats/escape.ts'
import { Emulator } from '../../test/support/emulator.ts'
import { cutEnd, cutMiddle, widthOf } from './clusters.ts'
import { difference, Grid, type Style } from './grid.ts'

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

/** Names with what terminals disagree about: emoji, flags, variations, marks, and characters of half and of two columns. */
const PIECES = [
  'a',
  'Bc',
  ' ',
  '日本',
  '한',
  'ｱ',
  'ａ',
  'é',
  'e\u0301',
  'क्षि',
  'ก็',
  '👍🏽',
  '🇩🇪',
  '❤️',
  '☎',
  '✅',
  '…',
  '─',
  'ﷺ',
  'א',
  '\u0301',
  '\ufffd',
]
const name = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((pieces) => pieces.join(''))
const style = fc.constantFrom<Style>('', '1', '7', '1;34')
const screen = fc.array(fc.record({ x: fc.nat(SIZE.columns - 1), y: fc.nat(SIZE.rows - 1), name, style }), {
  maxLength: 6,
})

function drawn(puts: readonly { x: number; y: number; name: string; style: Style }[]): Grid {
  const grid = new Grid(SIZE)
  for (const { x, y, name, style } of puts) grid.put({ x, y }, terminalText(name), style)
  return grid
}

test('a terminal shows every screen in its columns, whatever it showed before and how wide it takes characters', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(screen, { minLength: 1, maxLength: 5 }), async (screens) => {
      const emulator = new Emulator(SIZE)
      try {
        await emulator.show('\x1b[?7l')
        let before: Grid | undefined
        for (const puts of screens) {
          const grid = drawn(puts)
          await emulator.show(difference(before, grid))
          expect(seen(grid, emulator)).toEqual(meant(grid))
          before = grid
        }
      } finally {
        await emulator.close()
      }
    }),
    { numRuns: 100 },
  )
})

/** What is in each cell, and whether it is in reverse video; `?` where a terminal may take a cluster for wider or narrower. */
function meant(grid: Grid): readonly string[] {
  return rows(grid, (x, y) => `${grid.text(x, y)}${grid.style(x, y) === '7' ? '!' : ''}`)
}

function seen(grid: Grid, emulator: Emulator): readonly string[] {
  const cells = Array.from({ length: SIZE.rows }, (_, y) => emulator.cells(y))
  return rows(grid, (x, y) => {
    const cell = cells[y]?.[x]
    return `${cell?.text}${cell?.isInverse ? '!' : ''}`
  })
}

const COMMON = /^[\x20-\x7e…─é日本한]$/u

function rows(grid: Grid, of: (x: number, y: number) => string): readonly string[] {
  return Array.from({ length: SIZE.rows }, (_, y) =>
    Array.from({ length: SIZE.columns }, (_, x) => {
      let start = x
      while (start > 0 && grid.text(start, y) === '') start--
      return COMMON.test(grid.text(start, y)) ? of(x, y) : '?'
    }).join('|'),
  )
}
