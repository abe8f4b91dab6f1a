import { expect, test } from 'vitest'
import type { Area } from '../../image/areas.ts'
import { drawTreemap, legendOf, treemapPicture } from './draw.ts'
import { type Cell, placeAreas } from './layout.ts'

const HOSTILE = '"><script>alert(1)</script><a href="javascript:x">\u202egnp.exe\u0007\'&amp;\ud800'

const file = (key: string, bytes: number): Area => ({ key, isDirectory: false, bytes, files: 1, main: 0 })
const directory = (key: string, children: readonly Area[], rest = 0): Area => ({
  key,
  isDirectory: true,
  bytes: children.reduce((sum, { bytes }) => sum + bytes, rest),
  files: 1,
  main: 0,
  children,
})

const frame = { width: 800, height: 400 }

function overlap(a: Cell, b: Cell): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

test('areas are proportional to bytes, do not overlap, and lie inside their directory', () => {
  const top = directory('', [
    directory('usr', [file('usr\0a', 4000), file('usr\0b', 2000)], 1000),
    file('c', 3000),
  ])
  const cells = placeAreas(top, frame)
  const of = (key: string | undefined) => cells.filter(({ area }) => area?.key === key)
  const leaves = cells.filter(({ isOpen }) => !isOpen)
  for (const [at, one] of leaves.entries()) {
    for (const other of leaves.slice(at + 1)) expect(overlap(one, other)).toBe(false)
  }
  const [usr] = of('usr')
  for (const key of ['usr\0a', 'usr\0b', undefined]) {
    const [cell] = of(key)
    expect(cell && usr && overlap(cell, usr)).toBe(true)
  }
  const [c] = of('c')
  expect(((c?.width ?? 0) * (c?.height ?? 0)) / (800 * 400)).toBeCloseTo(0.3, 1)
  expect(of(undefined).map(({ bytes }) => bytes)).toEqual([1000])
})

test('nothing is narrower than two pixels; narrower areas are grouped by kind', () => {
  const many = Array.from({ length: 500 }, (_, i) => file(`f${i}`, 10 + (i % 7)))
  const cells = placeAreas(directory('', [file('huge', 300_000), ...many]), frame)
  for (const { width, height } of cells) expect(Math.min(width, height)).toBeGreaterThanOrEqual(2)
  expect(cells.find(({ area, depth }) => area === undefined && depth === 1)?.bytes).toBeGreaterThan(1000)
})

test('the number of areas is limited', () => {
  const many = Array.from({ length: 5000 }, (_, i) => file(`f${i}`, 10))
  expect(placeAreas(directory('', many), frame).length).toBeLessThanOrEqual(1202)
})

test('an empty directory gives a picture too', () => {
  expect(placeAreas(directory('', []), frame)).toHaveLength(1)
})

test('names stay text in the page and in the picture', async () => {
  const top = directory('', [directory(HOSTILE, [file(`${HOSTILE}\0${HOSTILE}`, 100)]), file('b', 50)])
  const view = { top, colour: 'layer', frame, link: () => `/?x=${HOSTILE}` } as const
  const picture = treemapPicture({ ...view, title: HOSTILE })
  for (const text of [String(await drawTreemap(view)), picture]) {
    expect(text).not.toMatch(/<script|href="javascript|[\u202a-\u202e]/)
    expect(text).toContain('alert(1)')
    expect(text).not.toContain('\u0007')
  }
  expect(picture).not.toMatch(/ style="|<\?|<!|@import|url\(/)
})

test('the legend has only what the map has, and a file is of one layer', () => {
  const of = (main: number, key: string): Area => ({ ...file(key, 100), main })
  const top = directory('', [of(0, 'a'), of(2, 'b'), of(8, 'c'), of(14, 'd'), of(20, 'e')])
  expect(legendOf('layer', top).map(({ text }) => text)).toEqual(['layer 0', 'layer 2, 8, 14, …'])
  expect(legendOf('type', directory('', [of(1, 'a')]))).toHaveLength(1)
  const picture = treemapPicture({ top, colour: 'layer', frame, title: 'x' })
  expect(picture).toContain('b: 100 B, 20.0%, layer 2')
  expect(picture).not.toContain('mostly layer 2')
})

test('a name that does not fit is cut, however wide its letters are', () => {
  const top = directory('', [file('W'.repeat(60), 100), file('i'.repeat(60), 100)])
  const picture = treemapPicture({ top, colour: 'layer', frame: { width: 300, height: 100 }, title: 'x' })
  const labels = [...picture.matchAll(/<text[^>]*>([Wi]+)…<\/text>/g)].map(([, text = '']) => text)
  const [wide = '', thin = ''] = labels.sort()
  expect(wide.length * 10).toBeLessThan(150)
  expect(thin.length).toBeGreaterThan(2 * wide.length)
})

test('a title that does not fit is cut', () => {
  const top = directory('', [file('a', 100)])
  const picture = treemapPicture({
    top,
    colour: 'layer',
    frame: { width: 300, height: 100 },
    title: 'n'.repeat(90),
  })
  const [, title = ''] = /<text class="title"[^>]*>(n+)…<\/text>/.exec(picture) ?? []
  expect(title.length).toBeGreaterThan(20)
  // Bold letters at 14 px are about 9.5 px wide.
  expect(title.length * 9.5).toBeLessThan(300)
})
