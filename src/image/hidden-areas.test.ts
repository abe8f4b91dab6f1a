import { expect, test } from 'vitest'
import type { Area } from './areas.ts'
import { withHidden } from './hidden-areas.ts'

const file = (key: string, bytes: number): Area => ({ key, isDirectory: false, bytes, files: 1 })
const directory = (key: string, bytes: number, children?: readonly Area[]): Area => ({
  key,
  isDirectory: true,
  bytes,
  files: 1,
  ...(children && { children }),
})

test('what is hidden is an area at its path, and counts in the directories above it', () => {
  const top = directory('', 100, [
    directory('usr', 60, [file('usr\0bin', 50), directory('usr\0share', 10)]),
    file('etc', 40),
  ])
  const rows = [
    { key: 'var\0lib\0lists\0a', bytes: 500, layer: 1 },
    { key: 'var\0lib\0lists\0b', bytes: 300, layer: 2 },
    { key: 'usr\0bin', bytes: 30, layer: 0 },
    { key: 'usr\0share\0doc', bytes: 7, layer: 0 },
    { key: 'etc', bytes: 3, layer: 0 },
  ]
  expect(withHidden(top, rows)).toEqual({
    ...directory('', 940),
    files: 6,
    children: [
      { key: 'var', isDirectory: true, bytes: 800, files: 2, hiddenIn: 1 },
      {
        ...directory('usr', 97),
        files: 3,
        children: [
          file('usr\0bin', 50),
          { key: 'usr\0bin', isDirectory: false, bytes: 30, files: 1, hiddenIn: 0 },
          // A closed directory only grows.
          { ...directory('usr\0share', 17), files: 2 },
        ],
      },
      file('etc', 40),
      { key: 'etc', isDirectory: false, bytes: 3, files: 1, hiddenIn: 0 },
    ],
  })
  expect(withHidden(top, [])).toBe(top)
})
