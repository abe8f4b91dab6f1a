import { expect, test } from 'vitest'
import { HOSTILE_NAMES } from '../../test/support/verdicts.ts'
import type { WastedFile } from '../image/report.ts'
import { listMarkdown, listText } from './list.ts'
import { WASTE_TABLE } from './list-tables.ts'
import { lengthOf } from './table.ts'

const heading = { subject: 'docker.io/library/app:v1 (linux/amd64)', total: ['1.00 kB wasted by 2 files'] }

const wasted = (path: string, bytes = 500): WastedFile => ({
  path,
  bytes,
  layer: 0,
  reason: 'removed',
  byLayer: 1,
})

async function* batches<Item>(...all: readonly (readonly Item[])[]): AsyncGenerator<readonly Item[]> {
  yield* all
}

async function joined(parts: AsyncIterable<string>): Promise<string> {
  return (await Array.fromAsync(parts)).join('')
}

const text = (files: AsyncIterable<readonly WastedFile[]>, width = 80, more?: string) =>
  joined(listText(heading, files, WASTE_TABLE, { colour: false, width, more }))

test('has a heading, column titles, and a row for each item of every batch', async () => {
  expect(await text(batches([wasted('var/a')], [], [wasted('var/b', 20_000)]), 80, 'There are more.')).toBe(`\
docker.io/library/app:v1 (linux/amd64)
1.00 kB wasted by 2 files

   Size  Why      Layer  By  Path
  500 B  removed      0   1  var/a
20.0 kB  removed      0   1  var/b
There are more.
`)
  expect(await joined(listMarkdown(heading, batches([wasted('a|b')], [wasted('c')]), WASTE_TABLE))).toBe(`\
### 1.00 kB wasted by 2 files

\`docker.io/library/app:v1 (linux/amd64)\`

| Size | Why | Layer | By | Path |
| ---: | --- | ---: | ---: | --- |
| 500 B | removed | 0 | 1 | \`a\`&#124;\`b\` |
| 500 B | removed | 0 | 1 | \`c\` |
`)
})

test('says that there is nothing', async () => {
  expect(await text(batches())).toMatch(/\nNothing is wasted\.\n$/)
  expect(await joined(listMarkdown(heading, batches([]), WASTE_TABLE))).toMatch(/\nNothing is wasted\.\n$/)
})

test.each([40, 80, 120])('no line is wider than %d columns, wide characters counted twice', async (width) => {
  const names = ['漢字'.repeat(100), 'x'.repeat(300), ...HOSTILE_NAMES]
  // The last rows come after the columns are laid out.
  const many = Array.from({ length: 600 }, () => wasted('a'))
  const lines = (
    await text(
      batches(
        many,
        names.map((name) => wasted(name, 1e9)),
      ),
      width,
    )
  ).split('\n')
  expect(lines.filter((line) => lengthOf(line) > width)).toEqual([])
  expect(lengthOf('漢字e\u0301')).toBe(5)
  expect(lines.filter((line) => /^\s*(::|##\[)/.test(line))).toEqual([])
})

test('an error before the first row is not hidden behind a heading', async () => {
  async function* failing(): AsyncGenerator<readonly WastedFile[]> {
    yield []
    throw new Error('the table is damaged')
  }
  await expect(listText(heading, failing(), WASTE_TABLE, { colour: false }).next()).rejects.toThrow('damaged')
  await expect(listMarkdown(heading, failing(), WASTE_TABLE).next()).rejects.toThrow('damaged')
})
