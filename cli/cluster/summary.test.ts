import { expect, test } from 'vitest'
import { type FoundImage, summarise } from './summary.ts'
import type { UsedImage } from './uses.ts'

const image = (digest: string, blobs: Readonly<Record<string, number>>): FoundImage => ({
  digest,
  platform: 'linux/amd64',
  compressedBytes: Object.values(blobs).reduce((sum, bytes) => sum + bytes, 0),
  layers: Object.keys(blobs).length,
  blobs: new Map(Object.entries(blobs)),
})
const problem = { type: 't', title: 't', status: 404, detail: 'gone', code: 'image_not_found' }

const FOUND: Readonly<Record<string, FoundImage>> = {
  v1: image('one', { base: 100, a: 5 }),
  latest: image('one', { base: 100, a: 5 }),
  v2: image('two', { base: 100, b: 30 }),
  gone: { problem },
}

const used = (reference: string, node?: string): UsedImage => ({
  reference,
  read: reference,
  use: { kind: 'Pod', name: `pod of ${reference}` },
  ...(node === undefined ? {} : { node }),
})

test('an image is a row with all its names; a layer counts once on each node and in all', () => {
  const given = [used('v1', 'n1'), used('latest', 'n2'), used('v2', 'n2'), used('gone', 'n2'), used('v2')]
  const ignored = new Map([['Service', 2]])
  const cluster = summarise({ used: given, ignored }, ({ reference }) => FOUND[reference] ?? { problem })
  const common = { platform: 'linux/amd64', layers: 2, sharedBytes: 100 }
  const use = (name: string) => ({ kind: 'Pod', name: `pod of ${name}` })
  expect(cluster).toEqual({
    images: [
      {
        ...common,
        references: ['v2'],
        digest: 'two',
        compressedBytes: 130,
        uniqueBytes: 30,
        uses: [use('v2'), use('v2')],
        nodes: ['n2'],
      },
      {
        ...common,
        references: ['latest', 'v1'],
        digest: 'one',
        compressedBytes: 105,
        uniqueBytes: 5,
        uses: [use('v1'), use('latest')],
        nodes: ['n1', 'n2'],
      },
      { references: ['gone'], problem, uses: [use('gone')], nodes: ['n2'] },
    ],
    nodes: [
      { node: 'n2', images: 2, problems: 1, compressedBytes: 235, storedBytes: 135 },
      { node: 'n1', images: 1, problems: 0, compressedBytes: 105, storedBytes: 105 },
    ],
    total: {
      images: 2,
      problems: 1,
      layers: 3,
      compressedBytes: 235,
      storedBytes: 135,
      nodes: 2,
      nodeBytes: 240,
    },
    ignored: [{ kind: 'Service', count: 2 }],
  })
})
