import { describe, expect, it } from 'vitest'
import { drawChart } from './chart.ts'

const WIDTH = 640
/** The average width of a letter in 11-pixel Verdana; bold letters are wider. */
const LETTER = { plain: 6.6, bold: 7.8 }

type Text = { readonly text: string; readonly y: number; readonly from: number; readonly to: number }

/** The position of each text in the picture, estimated from its letters. */
function textsOf(svg: string): readonly Text[] {
  const found = svg.matchAll(
    /<text x="([\d.]+)" y="([\d.]+)"(?: text-anchor="(\w+)")? [^>]*?( font-weight="bold")?>([^<]*)</g,
  )
  return Array.from(found, ([, x, y, anchor, bold, text = '']) => {
    const width = text.length * (bold ? LETTER.bold : LETTER.plain)
    const before = anchor === 'end' ? width : anchor === 'middle' ? width / 2 : 0
    const from = Number(x) - before
    return { text, y: Number(y), from, to: from + width }
  })
}

const sizes = (names: readonly string[]) => names.map((name, i) => ({ name, bytes: 1_000_000 * (i + 1) }))
const numbered = (count: number, name: (i: number) => string) =>
  sizes(Array.from({ length: count }, (_, i) => name(i)))

describe.each([
  ['of one image', numbered(1, () => 'a-very-long-tag-of-an-image'), 'app'],
  ['of short names', numbered(50, (i) => `1.${i}`), 'ghcr.io/owner/app'],
  ['of long names', numbered(200, (i) => `2026.${i}-bookworm-slim-amd64`), 'ghcr.io/owner/app'],
  [
    'of a long repository',
    numbered(7, (i) => `sha-0123456789abcdef${i}`),
    `registry.example/${'team/'.repeat(40)}app`,
  ],
])('a chart %s', (_, points, label) => {
  const texts = textsOf(drawChart(points, { label }))

  it('has no text that overlaps another or the edge', () => {
    for (const { text, from, to } of texts) expect([text, from >= 0, to <= WIDTH]).toEqual([text, true, true])
    for (const row of Map.groupBy(texts, ({ y }) => y).values()) {
      const sorted = row.toSorted((a, b) => a.from - b.from)
      for (const [i, { text, from }] of sorted.entries())
        expect([text, from > (sorted[i - 1]?.to ?? 0) - 1]).toEqual([text, true])
    }
  })

  it('labels the newest value, and names it below the line', () => {
    const last = points.at(-1)?.name ?? ''
    const named = texts.filter(({ text }) => text.startsWith(last.slice(0, 12)))
    expect(named.map(({ y }) => y)).toEqual(expect.arrayContaining([20, 206]))
  })
})

it('has whole bytes on its axis, without trailing zeros', () => {
  const axis = (bytes: number) =>
    textsOf(drawChart([{ name: 'a', bytes }], { label: 'x' }))
      .map(({ text }) => text)
      .filter((text) => / ?[kMG]?B$/.test(text) && !text.startsWith('a:'))
  expect(axis(1)).toEqual(['0 B', '1 B'])
  expect(axis(80_000_000)).toEqual(['0 B', '20 MB', '40 MB', '60 MB', '80 MB'])
  expect(axis(3_000_000_000)).toEqual(['0 B', '1 GB', '2 GB', '3 GB'])
})
