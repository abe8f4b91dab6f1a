import { describe, expect, test } from 'vitest'
import { diffNaming, SAME } from '../../test/support/diffs.ts'
import type { Comparison, Diff } from '../diff/summary.ts'
import type { ImageIdentity } from '../image/report.ts'
import { viewDiff } from './diff-view.ts'
import type { Piece } from './table.ts'

const figure = (from: number, to: number): Comparison => ({ from, to, delta: to - from })

const DIFFERENT: Diff = { ...SAME, identical: false }

const words = (pieces: readonly Piece[]): string =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : `‹${piece.name}›`)).join('')

describe('the headline', () => {
  test.each([
    [figure(1000, 500), figure(3000, 4000), '500 B smaller compressed (-50.0%), 1.00 kB larger uncompressed'],
    [figure(1000, 1001), figure(3000, 3000), '1 B larger compressed (+0.100%), same size uncompressed'],
    [figure(1000, 1000), figure(3000, 2990), 'Same size compressed, 10 B smaller uncompressed'],
    [figure(0, 1000), figure(0, 9), '1.00 kB larger compressed, 9 B larger uncompressed'],
  ])('%j, %j', (compressedBytes, uncompressedBytes, headline) => {
    const size = { ...SAME.size, compressedBytes, uncompressedBytes }
    expect(viewDiff({ ...DIFFERENT, size }).headline).toBe(headline)
  })
})

test('a local build is compared by what both have: no compressed size, no percent of it, no sentence about it', () => {
  const size = {
    ...SAME.size,
    compressedBytes: figure(1000, 3000),
    uncompressedBytes: figure(3000, 4500),
    stored: { from: 'compressed', to: 'uncompressed' } as const,
  }
  const to = { ...SAME.to, transport: 'docker-archive' }
  const view = viewDiff({ ...DIFFERENT, to, size })
  expect(view.headline).toBe('1.50 kB larger uncompressed (+50.0%)')
  expect(view.figures.rows.map(({ cells }) => cells[0])).not.toContainEqual(['Compressed size'])
  const { uncompressedBytes: _, ...unknown } = size
  const onDisk = { ...unknown, apparentBytes: figure(2000, 1000) }
  expect(viewDiff({ ...DIFFERENT, to, size: onDisk }).headline).toBe('1.00 kB smaller on disk (-50.0%)')
  const sent = viewDiff({ ...DIFFERENT, size })
  expect(sent.headline).toContain('2.00 kB larger compressed (+200%)')
})

describe('columns are named after what distinguishes the images', () => {
  const { from } = SAME
  const named = (other: Partial<ImageIdentity>): string[] =>
    viewDiff({ ...DIFFERENT, from, to: { ...from, ...other } })
      .figures.columns.slice(1, 3)
      .map(({ title }) => words([title]))

  test.each<[Partial<ImageIdentity>, string[]]>([
    [{ tag: 'v2', reference: 'registry.example/team/app:v2' }, ['‹v1›', '‹v2›']],
    [{ repository: 'team/other', reference: 'registry.example/team/other:v1' }, ['‹app:v1›', '‹other:v1›']],
    [{ platform: 'linux/arm64' }, ['‹linux/amd64›', '‹linux/arm64›']],
    [
      { registry: 'other.example', reference: 'other.example/team/app:v1' },
      ['‹registry.example/team/app:v1›', '‹other.example/team/app:v1›'],
    ],
    [{}, ['‹from›', '‹to›']],
  ])('%j', (other, titles) => {
    expect(named(other)).toEqual(titles)
  })
})

describe('the reasons', () => {
  const reasons = (diff: Partial<Diff>): string[] => viewDiff({ ...DIFFERENT, ...diff }).reasons.map(words)
  const layer = (createdBy: string, wastedBytes: number) => ({
    diffId: '',
    index: 0,
    digest: '',
    compressedBytes: 0,
    uncompressedBytes: 0,
    wastedBytes,
    createdBy,
  })

  test('waste, with the step that caused most of it', () => {
    const removed = [layer('RUN /bin/sh -c apt-get  update # buildkit', 70), layer('COPY . .', 5)]
    expect(reasons({ waste: figure(80, 2), layers: { shared: [], added: [], removed } })).toEqual([
      '78 B less is wasted on files that a later layer removed or replaced; before, ‹RUN apt-get update› alone had wasted 70 B.',
    ])
    expect(reasons({ waste: figure(2, 80), layers: { shared: [], added: removed, removed: [] } })).toEqual([
      '78 B more is wasted on files that a later layer removed or replaced; now, ‹RUN apt-get update› alone wastes 70 B.',
    ])
    expect(reasons({ waste: figure(80, 0) })).toEqual([
      '80 B less is wasted on files that a later layer removed or replaced.',
    ])
  })

  test('negligible waste is not reported', () => {
    expect(reasons({ waste: figure(2, 0) })).toEqual([])
  })

  test('directories and packages by name, paths by number', () => {
    const all = reasons(diffNaming(['a', 'b']))
    expect(all.slice(1)).toEqual([
      'File system: -20.0 MB, most of it in ‹a› +1.00 kB, ‹b› +999 B.',
      'Packages: 2 removed (‹a›, ‹b›), 2 added (‹a›, ‹b›), 2 changed (‹a›, ‹b›).',
      'Paths: 3 added, 4 removed, 5 modified (1 in content).',
    ])
  })

  test('only times differ', () => {
    const files = { ...SAME.files, counts: { ...SAME.files.counts, mtimeOnly: 431 } }
    expect(reasons({ files })).toEqual(['431 paths differ only in their mtime.'])
  })
})

test('long names are cut in the middle, long commands at the end', () => {
  const { tables } = viewDiff(diffNaming([`start/${'x'.repeat(500)}/end`]))
  const cell = (title: string, column: number): string =>
    words(tables.find((table) => table.title.startsWith(title))?.rows[0]?.cells[column] ?? [])
  expect(cell('Where', 1)).toMatch(/^‹start\/x{34}…x+\/end›$/)
  expect(cell('Layers', 3)).toMatch(/^‹start\/x+…›$/)
  expect(cell('Where', 1)).toHaveLength(162)
  expect(cell('Layers', 3)).toHaveLength(162)
})
