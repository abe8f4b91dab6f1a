import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MergedRow } from '../image/merged-entry.ts'
import type { Entry } from '../layer/entry.ts'
import { compareText } from '../text/bytes.ts'
import { compareContents, type FileSum, type PulledContents } from './contents.ts'

/** A regular file: equal letters are equal contents, of as many bytes as the letter's place in the alphabet; `_` is empty. */
function file(key: string, content: string, more: Partial<Entry> = {}): Entry {
  return {
    key: key.replaceAll('/', '\0'),
    type: 'file',
    bytes: content === '_' ? 0 : content.charCodeAt(0) - 96,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0,
    sha256: content.repeat(32),
    ordinal: 0,
    offset: 0,
    ...more,
  }
}

async function* batches<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[], void, undefined> {
  for (let i = 0; i < rows.length; i += 2) yield rows.slice(i, i + 2)
}

function sorted(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => compareText(a.key, b.key))
}

async function compare(
  old: readonly Entry[],
  ...layers: readonly (readonly Entry[])[]
): Promise<PulledContents> {
  const rows = sorted(old).map((entry, inode) => new MergedRow(entry.key, entry, 0, { inode, linked: false }))
  return compareContents(
    { rows: batches(rows), contents: () => batches(rows) },
    layers.map((members, index) => ({ index, members: batches(sorted(members)) })),
  )
}

const sum = (files: number, bytes: number): FileSum => ({ files, bytes })

test('the same content at its path is rewritten, elsewhere moved, and the rest is new', async () => {
  const { layers } = await compare(
    [file('a', 'e'), file('b/c', 'f'), file('d', '_')],
    [file('a', 'e'), file('x', 'f'), file('y', 'g'), file('z', '_'), file('d', '_')],
  )
  expect(layers.get(0)).toMatchObject({ rewritten: sum(2, 5), moved: sum(1, 6), new: sum(2, 7) })
})

test.each([
  ['owner', { uid: 1, mode: 0o600, mtime: 9 }],
  ['owner', { gid: 1 }],
  ['mode', { mode: 0o600, mtime: 9 }],
  ['mode', { xattrs: new Map([['a', 'b']]), mtime: 9 }],
  ['times', { mtime: 1 }],
  ['same', {}],
] as const)('%s is what differs first in a file that is written again', async (cause, change) => {
  const { layers } = await compare([file('a', 'e')], [file('a', 'e', change)])
  expect(layers.get(0)?.byCause[cause]).toEqual(sum(1, 5))
})

test('whiteouts, links and directories are no contents, and hide none', async () => {
  const { layers } = await compare(
    [file('a', 'e')],
    [
      file('.wh.a', '_', { whiteout: 'file' }),
      file('a', '_', { type: 'hardlink', link: 'b' }),
      file('c', '_', { type: 'directory' }),
    ],
    [file('a', 'e')],
  )
  expect(layers.get(0)).toMatchObject({ rewritten: sum(0, 0), new: sum(0, 0) })
  expect(layers.get(1)).toMatchObject({ rewritten: sum(1, 5) })
})

test('an archive in another version at its path is a candidate, largest first', async () => {
  const { archives } = await compare(
    [file('a.jar', 'a'), file('b.whl', 'b'), file('c.zip', 'c'), file('d', 'd')],
    [file('a.jar', 'e'), file('b.whl', 'f'), file('c.zip', 'a'), file('d', 'g'), file('new.jar', 'h')],
  )
  expect(archives).toEqual([
    { key: 'b.whl', layer: 0, bytes: 6 },
    { key: 'a.jar', layer: 0, bytes: 5 },
  ])
})

const someFiles = fc.uniqueArray(
  fc.record({
    key: fc.constantFrom('a', 'a/b', 'b', 'c', 'c/d', 'e'),
    content: fc.constantFrom('_', 'c', 'd', 'e', 'f'),
  }),
  { selector: ({ key }) => key },
)

test('every file counts once, as a search through the whole old image finds it', async () => {
  await fc.assert(
    fc.asyncProperty(someFiles, fc.array(someFiles, { maxLength: 3 }), async (old, layers) => {
      const { layers: found } = await compare(
        old.map(({ key, content }) => file(key, content)),
        ...layers.map((members) => members.map(({ key, content }) => file(key, content))),
      )
      for (const [index, members] of layers.entries()) {
        const kinds = Map.groupBy(members, ({ key, content }) => {
          if (old.some((other) => other.key === key && other.content === content)) return 'rewritten'
          return content !== '_' && old.some((other) => other.content === content) ? 'moved' : 'new'
        })
        for (const kind of ['rewritten', 'moved', 'new'] as const) {
          const expected = (kinds.get(kind) ?? []).map(({ key, content }) => file(key, content).bytes)
          expect(found.get(index)?.[kind]).toEqual(
            sum(
              expected.length,
              expected.reduce((all, bytes) => all + bytes, 0),
            ),
          )
        }
      }
    }),
  )
})
