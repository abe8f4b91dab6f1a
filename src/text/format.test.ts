import { expect, test } from 'vitest'
import { formatBytes, formatCount, formatDelta, formatFigure, formatPercent } from './format.ts'

test.each([
  [0, '0 B'],
  [7, '7 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [85_400_123, '85.4 MB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [-1_204_000_000, '-1.20 GB'],
  [1_035, '1.04 kB'],
  [1_005_000, '1.01 MB'],
  [9_995, '10.0 kB'],
  [5e18, '5,000 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

test.each([
  [0, '0'],
  [0.012345, '0.0123'],
  [9.8765, '9.88'],
  [100, '100'],
  [1234.5, '1,235'],
  [1e-9, '0'],
  [1e-6, '0.00000100'],
  [0.0099951, '0.0100'],
  [-1.035, '-1.04'],
])('%d is %s', (value, text) => {
  expect(formatFigure(value)).toBe(text)
})

test('thousands are grouped', () => {
  expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567'])
})

test('a delta shows its sign', () => {
  expect([1_200_000, -312_000, 0].map(formatDelta)).toEqual(['+1.20 MB', '-312 kB', '0 B'])
})

test('a percentage has three digits, too', () => {
  expect([-36.94, 4, 0.5, 100].map(formatPercent)).toEqual(['-36.9%', '4.00%', '0.500%', '100%'])
})

test('what is not all of it never reads as 100%', () => {
  expect([99.94, 99.95, 99.999, 100, 100.04].map(formatPercent)).toEqual([
    '99.9%',
    '99.9%',
    '99.9%',
    '100%',
    '100%',
  ])
})

test('every size below a megabyte is rounded half up in decimal', () => {
  const wrong: number[] = []
  for (let bytes = 1000; bytes < 1_000_000; bytes++) {
    const step = bytes < 9_995 ? 10 : bytes < 99_950 ? 100 : 1000
    const half = Math.floor((bytes + step / 2) / step) * step
    const text = formatBytes(bytes)
    const shown = text.endsWith(' MB')
      ? Number(text.slice(0, -3)) * 1e6
      : Math.round(Number(text.slice(0, -3)) * 1000)
    if (shown !== half) wrong.push(bytes)
  }
  expect(wrong).toEqual([])
})
