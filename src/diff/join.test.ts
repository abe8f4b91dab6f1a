import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchesOf, fileSystem, IMPLICIT } from '../../test/support/file-systems.ts'
import type { MergedEntry } from '../image/merged-entry.ts'
import type { Change, ChangedField, JoinedRow } from './change.ts'
import { joinRows } from './join.ts'

const RUNS = { numRuns: process.env.LAMINA_LONG ? 50_000 : 1_000 }

type Rows = readonly MergedEntry[]

async function diff(
  from: Rows,
  to: Rows,
  sizes: readonly [number, number] = [2, 3],
  start: readonly [number, number] = [0, 0],
) {
  const changes: Change[] = []
  let mtimeOnly = 0
  const [fromRows, toRows] = [batchesOf(from, sizes[0]), batchesOf(to, sizes[1])]
  const steps = joinRows(
    { batches: fromRows(start[0]), start: start[0] },
    { batches: toRows(start[1]), start: start[1] },
  )
  for await (const step of steps) {
    changes.push(...step.changes)
    mtimeOnly += step.mtimeOnly
  }
  return { changes, mtimeOnly }
}

const FILE: MergedEntry = {
  key: 'a',
  type: 'file',
  bytes: 3,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 1,
  sha256: 'x'.repeat(32),
  ordinal: 0,
  offset: 0,
  layer: 0,
}

async function fieldsOf(
  from: MergedEntry,
  to: MergedEntry,
): Promise<readonly ChangedField[] | 'none' | 'mtime'> {
  const { changes, mtimeOnly } = await diff([from], [to])
  const [change] = changes
  if (change?.kind === 'modified') return change.fields
  return mtimeOnly === 1 ? 'mtime' : 'none'
}

describe('differences at one path', () => {
  const symlink: MergedEntry = { ...FILE, type: 'symlink', bytes: 0, sha256: undefined, link: 'b' }
  const device: MergedEntry = { ...FILE, type: 'block', bytes: 0, sha256: undefined, device: [8, 0] }
  const directory: MergedEntry = { ...FILE, type: 'directory', bytes: 0, sha256: undefined, mode: 0o755 }
  const implicit: MergedEntry = { ...IMPLICIT, key: 'a' }
  const attribute = (name: string, value: string): MergedEntry => ({
    ...FILE,
    xattrs: new Map([[name, value]]),
  })

  test.each<[string, MergedEntry, MergedEntry, readonly ChangedField[] | 'none' | 'mtime']>([
    ['nothing', FILE, { ...FILE }, 'none'],
    ['another position in the image', FILE, { ...FILE, layer: 1, ordinal: 7, offset: 512, inode: 3 }, 'none'],
    ['another time', FILE, { ...FILE, mtime: 2 }, 'mtime'],
    ['other content of the same size', FILE, { ...FILE, sha256: 'y'.repeat(32) }, ['content']],
    ['other content and time', FILE, { ...FILE, bytes: 4, sha256: 'y'.repeat(32), mtime: 2 }, ['content']],
    ['another mode and owner', FILE, { ...FILE, mode: 0o4755, uid: 1, gid: 2 }, ['mode', 'uid', 'gid']],
    ['a symlink in place of a file', FILE, symlink, ['content', 'type', 'link']],
    ['another target', symlink, { ...symlink, link: 'c' }, ['link']],
    ['another device', device, { ...device, device: [8, 1] }, ['device']],
    ['a device in place of a directory', directory, { ...device, mode: 0o755 }, ['type', 'device']],
    ['no attributes on either side', FILE, { ...FILE, xattrs: new Map() }, 'none'],
    ['one more attribute', FILE, attribute('user.a', ''), ['xattrs']],
    ['an attribute with another name', attribute('user.a', ''), attribute('user.b', ''), ['xattrs']],
    ['an attribute with another value', attribute('user.a', '1'), attribute('user.a', '2'), ['xattrs']],
    ['a directory that now has an entry', implicit, { ...implicit, implicit: false }, ['mode', 'uid', 'gid']],
    ['two directories without entries', implicit, { ...implicit, mode: 0, uid: 7, mtime: 9 }, 'none'],
    [
      'a file in place of a directory without an entry',
      implicit,
      { ...FILE, mode: 0o755 },
      ['content', 'type', 'mode', 'uid', 'gid'],
    ],
  ])('%s', async (_, from, to, fields) => {
    expect(await fieldsOf(from, to)).toEqual(fields)
    expect(await fieldsOf(to, from)).toEqual(fields)
  })
})

test('an image does not differ from itself, generated', async () => {
  await fc.assert(
    fc.asyncProperty(fileSystem, async (rows) => {
      expect(await diff(rows, rows)).toEqual({ changes: [], mtimeOnly: 0 })
    }),
    RUNS,
  )
})

test('the changes, applied to one side, give the other, generated', async () => {
  await fc.assert(
    fc.asyncProperty(fileSystem, fileSystem, fc.integer({ min: 1, max: 30 }), async (from, to, size) => {
      const { changes } = await diff(from, to, [size, 2])
      const rows = new Map<string, JoinedRow>(from.map((row) => [row.key, row]))
      for (const change of changes) {
        if (change.kind === 'removed') expect(rows.delete(change.key)).toBe(true)
        else rows.set(change.key, change.to)
      }
      expect([...rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).map(withoutTime)).toEqual(
        to.map(withoutTime),
      )
      expect(changes.map(({ key }) => key)).toEqual(changes.map(({ key }) => key).sort())
      const same = to.length - changes.filter(({ kind }) => kind !== 'removed').length
      expect(same).toBe(from.length - changes.filter(({ kind }) => kind !== 'added').length)
    }),
    RUNS,
  )
})

/** What the join compares; nothing is known of a directory that no layer has an entry for. */
function withoutTime({ mtime, implicit, mode, uid, gid, xattrs, ...row }: JoinedRow) {
  const attributes = [...(xattrs ?? [])]
  return implicit ? { ...row, implicit } : { ...row, mode, uid, gid, attributes }
}

test('swapping the images turns added into removed, generated', async () => {
  await fc.assert(
    fc.asyncProperty(fileSystem, fileSystem, async (from, to) => {
      const there = await diff(from, to)
      const back = await diff(to, from, [3, 2])
      expect({ ...back, changes: back.changes.map(mirrored) }).toEqual(there)
    }),
    RUNS,
  )
})

function mirrored(change: Change): Change {
  const { key, fromRow: toRow, toRow: fromRow } = change
  switch (change.kind) {
    case 'added':
      return { kind: 'removed', key, from: change.to, fromRow, toRow }
    case 'removed':
      return { kind: 'added', key, to: change.from, fromRow, toRow }
    case 'modified':
      return {
        kind: 'modified',
        key,
        from: change.to,
        to: change.from,
        fields: change.fields,
        fromRow,
        toRow,
      }
  }
}

test('it can resume after any change, generated', async () => {
  await fc.assert(
    fc.asyncProperty(fileSystem, fileSystem, async (from, to) => {
      const { changes } = await diff(from, to)
      for (const [i, { fromRow, toRow }] of changes.entries()) {
        expect((await diff(from, to, [4, 1], [fromRow, toRow])).changes).toEqual(changes.slice(i + 1))
      }
    }),
    { numRuns: RUNS.numRuns / 10 },
  )
})

test('both tables are closed when the reader stops early', async () => {
  const closed: string[] = []
  async function* table(name: string): AsyncGenerator<readonly MergedEntry[]> {
    try {
      for (let i = 0; ; i++) yield [{ ...FILE, key: `${name}${String(i).padStart(9, '0')}` }]
    } finally {
      closed.push(name)
    }
  }
  for await (const step of joinRows({ batches: table('a'), start: 0 }, { batches: table('b'), start: 0 })) {
    expect(step.changes).toHaveLength(1)
    break
  }
  expect(closed).toEqual(['a', 'b'])
})
