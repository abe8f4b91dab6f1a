/** A figure has the same name and format wherever people read it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Report } from '../../src/image/report.ts'
import { FIGURES } from '../../src/text/figures.ts'
import { formatBytes, formatCount, formatPercent } from '../../src/text/format.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { makeImage, makeLayer } from '../support/images.ts'

let registry: FixtureRegistry
let image: string
let report: Report
const { ask } = startApp()

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  const noise = (seed: string) => `${seed} ${'x'.repeat(90)}\n`.repeat(40)
  const lower = await makeLayer([
    { name: 'shown', content: noise('shown') },
    { name: 'copy', content: noise('shown') },
    { name: 'hidden', content: noise('hidden').repeat(3) },
    { name: 'link', type: 'link', linkname: 'shown' },
  ])
  const upper = await makeLayer([{ name: '.wh.hidden', content: '' }], { compression: 'none' })
  image = registry.push('figures', 'v1', makeImage([lower, upper]))
  report = JSON.parse(await read('/v1/report'))
})

afterAll(() => registry?.close())

async function read(path: string, query: Record<string, string> = {}, accept = '*/*'): Promise<string> {
  const answer = await ask(`${path}?${new URLSearchParams({ image, wait: '60', ...query })}`, {
    headers: { accept },
  })
  const said = await answer.text()
  expect(answer.status, said).toBe(200)
  return said
}

/** The value of each figure, as written everywhere. */
function written(): Record<keyof typeof FIGURES, string> {
  const { size, waste, duplicates, efficiency, counts } = report
  return {
    compressed: formatBytes(size.compressedBytes),
    uncompressed: formatBytes(size.uncompressedBytes ?? 0),
    fileSystem: formatBytes(size.apparentBytes),
    wasted: formatBytes(waste.bytes),
    duplicated: formatBytes(duplicates.wastedBytes),
    efficiency: formatPercent(100 * efficiency.score),
    files: formatCount(counts.files),
    layers: formatCount(counts.layers),
  }
}

type Names = Partial<Record<keyof typeof FIGURES, string>>

/** The text before each figure's value, for figures that appear there. */
function namesIn(text: string, between: RegExp): Names {
  const found = Object.entries(written()).flatMap(([figure, value]) => {
    const name = new RegExp(`([A-Z][a-z]+(?: [a-z]+)?)${between.source}${value}(?![\\d.,])`).exec(text)?.[1]
    return name === undefined ? [] : [[figure, name] as const]
  })
  return Object.fromEntries(found)
}

const pick = (length: 'label' | 'short'): Names =>
  Object.fromEntries(Object.entries(FIGURES).map(([figure, names]) => [figure, names[length]]))

test('in text and in Markdown', async () => {
  // There is no room for more figures.
  const names = {
    ...pick('label'),
    compressed: FIGURES.compressed.short,
    uncompressed: FIGURES.uncompressed.short,
  }
  expect(namesIn(await read('/v1/report', { format: 'text' }), / +/)).toEqual(names)
  expect(namesIn(await read('/v1/report', { format: 'markdown' }), / +\| +/)).toEqual(names)
})

test('in the page', async () => {
  const page = await read('/', {}, 'text/html')
  const { files, layers, ...headed } = pick('label')
  expect(namesIn(page, /<\/dt><dd class="figure \w*">(?:<data [^>]*>)?/)).toEqual(headed)
  const heads = [...page.matchAll(/<th[^>]*>([^<]*)</g)].map(([, head]) => head)
  expect(heads).toEqual(expect.arrayContaining([FIGURES.compressed.short, FIGURES.uncompressed.short]))
})

test('in column headings', async () => {
  const { compressed, uncompressed, wasted, layers } = FIGURES
  const report = await read('/v1/report', { format: 'text' })
  expect(report).toMatch(
    new RegExp(`^Layer +${compressed.short} +${uncompressed.short} +${wasted.short} +Step$`, 'm'),
  )
  const query = new URLSearchParams({ repository: image.replace(/:v1$/, ''), format: 'text' })
  const images = await (await ask(`/v1/images?${query}`)).text()
  expect(images).toMatch(new RegExp(`^Tag .* ${compressed.short} +${layers.short}$`, 'm'))
})

test('in badges', async () => {
  for (const [metric, figure] of [
    ['uncompressed', 'uncompressed'],
    ['wasted', 'wasted'],
    ['files', 'files'],
    ['layers', 'layers'],
  ] as const) {
    const { label, message } = JSON.parse(await read(`/badge/${metric}.json`))
    expect({ label, message }).toEqual({
      label: FIGURES[figure].label.toLowerCase(),
      message: written()[figure],
    })
  }
})
