import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchesOf, fileSystem } from '../../test/support/file-systems.ts'
import type { MergedEntry } from '../image/merged-entry.ts'
import type { LayerReport, Package } from '../image/report.ts'
import { type ImageConfig, parseConfig } from '../oci/config.ts'
import { joinRows } from './join.ts'
import { type Diff, type DiffSide, summarise } from './summary.ts'

type Image = {
  readonly rows: readonly MergedEntry[]
  readonly env?: readonly string[]
  readonly packages?: readonly Package[]
  readonly layers?: readonly LayerReport[]
  readonly compressedBytes?: number
  readonly wastedBytes?: number
}

function configOf(env: readonly string[]): ImageConfig {
  return parseConfig(
    new TextEncoder().encode(JSON.stringify({ os: 'linux', architecture: 'amd64', config: { Env: env } })),
  )
}

function sideOf({
  rows,
  env = [],
  packages = [],
  layers = [],
  compressedBytes = 0,
  wastedBytes = 0,
}: Image): DiffSide {
  const sum = rows.reduce((bytes, row) => bytes + row.bytes, 0)
  const none = { bytes: 0, files: 0 }
  return {
    report: {
      image: {
        reference: 'docker.io/library/x:1',
        transport: 'docker',
        registry: 'docker.io',
        id: `sha256:${'c'.repeat(64)}`,
        repository: 'library/x',
        digest: `sha256:${'0'.repeat(64)}`,
        platform: 'linux/amd64',
        mediaType: '',
        os: 'linux',
        architecture: 'amd64',
      },
      size: {
        compressedBytes,
        uncompressedBytes: sum,
        fileBytes: sum,
        rootfsBytes: sum,
        apparentBytes: sum,
        stored: 'compressed',
      },
      counts: {
        layers: layers.length,
        entries: 0,
        paths: rows.length,
        files: rows.filter(({ type }) => type === 'file').length,
        directories: 0,
        symlinks: 0,
        other: 0,
      },
      layers,
      waste: { bytes: wastedBytes, files: 0, removed: none, replaced: none, metadataOnly: none },
      duplicates: { groups: 0, wastedBytes: 0 },
      efficiency: { score: 1, wastedBytes: 0, inefficientPaths: 0 },
      largestFiles: [],
      largestDirectories: [],
      packages: { total: packages.length, byType: {}, ownedBytes: 0, ownedPercent: 0 },
      warnings: [],
    },
    config: configOf(env),
    packages: (async function* () {
      yield packages
    })(),
  }
}

function diff(from: Image, to: Image): Promise<Diff> {
  const steps = joinRows(
    { batches: batchesOf(from.rows)(0), start: 0 },
    { batches: batchesOf(to.rows)(0), start: 0 },
  )
  return summarise(sideOf(from), sideOf(to), steps)
}

const plain = { mode: 0o644, uid: 0, gid: 0, mtime: 0, ordinal: 0, offset: 0, layer: 0 }
const file = (key: string, bytes: number, more: Partial<MergedEntry> = {}): MergedEntry => ({
  ...plain,
  key,
  type: 'file',
  bytes,
  sha256: String(bytes).padEnd(32),
  ...more,
})

test('has the figures of both images and their differences', async () => {
  const found = await diff(
    { rows: [file('a', 5), file('b', 7), file('c', 1)], compressedBytes: 100, wastedBytes: 9 },
    { rows: [file('a', 8), file('c', 1, { mode: 0o755 }), file('d', 2)], compressedBytes: 60 },
  )
  expect(found.size.compressedBytes).toEqual({ from: 100, to: 60, delta: -40 })
  expect(found.size.rootfsBytes).toEqual({ from: 13, to: 11, delta: -2 })
  expect(found.waste).toEqual({ from: 9, to: 0, delta: -9 })
  expect(found.counts.files).toEqual({ from: 3, to: 3, delta: 0 })
  expect(found.files).toMatchObject({
    counts: { added: 1, removed: 1, modified: 2, contentModified: 1, typeChanged: 0, mtimeOnly: 0 },
    bytes: { added: 2, removed: 7, modifiedDelta: 3 },
    largest: [
      { path: 'b', change: 'removed', delta: -7 },
      { path: 'a', change: 'modified', fields: ['content'], delta: 3 },
      { path: 'd', change: 'added', delta: 2 },
    ],
  })
})

describe('images are identical', () => {
  const one: Image = { rows: [file('a', 1)], env: ['A=1'], compressedBytes: 5 }
  test.each<[string, Image, boolean]>([
    ['when nothing differs', one, true],
    ['when only the compression differs', { ...one, compressedBytes: 4, wastedBytes: 3 }, true],
    ['not when a file differs', { ...one, rows: [file('a', 1, { uid: 1 })] }, false],
    ['not when a time differs', { ...one, rows: [file('a', 1, { mtime: 1 })] }, false],
    ['not when the config differs', { ...one, env: ['A=2'] }, false],
  ])('%s', async (_, other, identical) => {
    expect((await diff(one, other)).identical).toBe(identical)
    expect((await diff(other, one)).identical).toBe(identical)
  })
})

const images = fc.record({
  rows: fileSystem,
  env: fc.subarray(['A=1', 'B=2', 'B=3']),
  packages: fc.subarray<Package>([
    { type: 'npm', name: 'x', version: '1', path: 'a', purl: '', layer: 0, bytes: 3 },
    { type: 'npm', name: 'x', version: '2', path: 'a', purl: '', layer: 0, bytes: 5 },
    { type: 'deb', name: 'x', version: '1', architecture: 'amd64', purl: '', layer: 0 },
  ]),
  compressedBytes: fc.nat(9),
})

test('an image is identical to itself, generated', async () => {
  await fc.assert(
    fc.asyncProperty(images, async (image) => {
      const found = await diff(image, image)
      expect(found).toMatchObject({
        identical: true,
        packages: { added: [], removed: [], changed: [] },
        config: [],
        files: { directories: [], largest: [], bytes: { added: 0, removed: 0, modifiedDelta: 0 } },
      })
    }),
    { numRuns: 200 },
  )
})

test('swapping the images inverts every figure, generated', async () => {
  await fc.assert(
    fc.asyncProperty(images, images, async (from, to) => {
      const [there, back] = [await diff(from, to), await diff(to, from)]
      expect(back.files.counts).toEqual({
        ...there.files.counts,
        added: there.files.counts.removed,
        removed: there.files.counts.added,
      })
      // Adding to nothing keeps 0 from being -0.
      const turned = (delta: number): number => 0 - delta
      expect(back.files.bytes).toEqual({
        added: there.files.bytes.removed,
        removed: there.files.bytes.added,
        modifiedDelta: turned(there.files.bytes.modifiedDelta),
      })
      expect(back.files.directories).toEqual(
        there.files.directories.map(({ delta, added, removed, ...rest }) => ({
          ...rest,
          delta: turned(delta),
          added: removed,
          removed: added,
        })),
      )
      expect(back.files.largest.map(({ path, delta }) => [path, delta])).toEqual(
        there.files.largest.map(({ path, delta }) => [path, turned(delta)]),
      )
      expect(back.packages.added.map(({ to }) => to)).toEqual(there.packages.removed.map(({ from }) => from))
      expect(back.packages.changed.map(({ from, to }) => [to, from])).toEqual(
        there.packages.changed.map(({ from, to }) => [from, to]),
      )
      expect(back.identical).toBe(there.identical)
      const { bytes } = there.files
      expect(bytes.added - bytes.removed + bytes.modifiedDelta).toBe(there.size.apparentBytes.delta)
    }),
    { numRuns: process.env.LAMINA_LONG ? 10_000 : 300 },
  )
})
