import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchesOf, fileSystem } from '../../test/support/file-systems.ts'
import type { FileChange } from './change.ts'
import { type ChangeOrder, type ChangeQuery, pageChanges, streamChanges, type Tables } from './list.ts'

const RUNS = { numRuns: process.env.LAMINA_LONG ? 10_000 : 300 }

const tables = fc
  .tuple(fileSystem, fileSystem)
  .map(([from, to]): Tables => ({ from: batchesOf(from), to: batchesOf(to, 5) }))

const query = fc.record({
  sort: fc.constantFrom<ChangeOrder[]>('path', '-delta'),
  filter: fc.record({
    change: fc.constantFrom('added' as const, 'removed' as const, 'modified' as const, undefined),
    glob: fc.constantFrom(undefined, (path: string) => path.includes('a')),
  }),
})

async function streamed(of: Tables, by: ChangeQuery): Promise<FileChange[]> {
  const items: FileChange[] = []
  for await (const batch of streamChanges(of, by)) items.push(...batch)
  return items
}

async function paged(of: Tables, by: ChangeQuery, limit: number): Promise<FileChange[]> {
  const items: FileChange[] = []
  let position: string | undefined
  do {
    const page = await pageChanges(of, by, { limit, position })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    items.push(...page.items)
    // As text, the way a cursor carries it.
    position = page.next === undefined ? undefined : `${page.next}`
    if (position !== undefined) expect(page.items).toHaveLength(limit)
  } while (position !== undefined)
  return items
}

test('the pages together are the whole list, generated', async () => {
  await fc.assert(
    fc.asyncProperty(tables, query, fc.integer({ min: 1, max: 7 }), async (of, by, limit) => {
      expect(await paged(of, by, limit)).toEqual(await streamed(of, by))
    }),
    RUNS,
  )
})

test('the order by delta is a stable sort of the order by path, generated', async () => {
  await fc.assert(
    fc.asyncProperty(tables, query, async (of, { filter }) => {
      const byPath = await streamed(of, { filter, sort: 'path' })
      const size = ({ delta }: FileChange): number => Math.abs(delta)
      expect(await streamed(of, { filter, sort: '-delta' })).toEqual(
        byPath.toSorted((a, b) => size(b) - size(a)),
      )
    }),
    RUNS,
  )
})

test('filters leave out exactly what they say, generated', async () => {
  await fc.assert(
    fc.asyncProperty(tables, query, async (of, { filter, sort }) => {
      const all = await streamed(of, { filter: {}, sort })
      const { change, glob } = filter
      const wanted = all.filter(
        (item) => (change === undefined || item.change === change) && (glob?.(item.path) ?? true),
      )
      expect(await streamed(of, { filter, sort })).toEqual(wanted)
    }),
    RUNS,
  )
})

describe('an item', () => {
  const plain = { mode: 0o644, uid: 0, gid: 0, mtime: 0, ordinal: 0, offset: 0, layer: 0 }
  const file = (key: string, bytes: number) => ({
    ...plain,
    key,
    type: 'file' as const,
    bytes,
    sha256: String(bytes).padEnd(32),
  })

  test('has both sizes, their difference, and a displayable name', async () => {
    const of: Tables = {
      from: batchesOf([file('a', 5), file('b', 2), { ...plain, key: 'd', type: 'directory', bytes: 0 }]),
      to: batchesOf([file('a', 3), file('c\0\xff', 7), { ...file('d', 4), mode: 0o755 }]),
    }
    expect(await streamed(of, { filter: {}, sort: 'path' })).toEqual([
      { path: 'a', change: 'modified', fields: ['content'], fromBytes: 5, toBytes: 3, delta: -2 },
      { path: 'b', change: 'removed', fromBytes: 2, toBytes: 0, delta: -2 },
      { path: 'c/\ufffd', pathBase64: 'Yy//', change: 'added', fromBytes: 0, toBytes: 7, delta: 7 },
      {
        path: 'd',
        change: 'modified',
        fields: ['content', 'type', 'mode'],
        fromBytes: 0,
        toBytes: 4,
        delta: 4,
      },
    ])
  })

  test.each(['', '1', '1,', 'a,b', '-1,2', '1,2,3', '1e3,2'])('refuses position %j', async (position) => {
    const of: Tables = { from: batchesOf([]), to: batchesOf([]) }
    const page = async () => pageChanges(of, { filter: {}, sort: 'path' }, { limit: 1, position })
    await expect(page()).rejects.toMatchObject({ code: 'invalid_parameter', fields: { parameter: 'cursor' } })
  })
})
