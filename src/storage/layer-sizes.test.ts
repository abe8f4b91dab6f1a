import { expect, it } from 'vitest'
import { entryOf, sortKey } from '../layer/entry.ts'
import type { MemberType } from '../tar/member.ts'
import { pathToKey } from '../text/path.ts'
import { sizesOfLayer } from './layer-sizes.ts'

type Given = { readonly type?: MemberType; readonly bytes?: number; readonly link?: string }

/** The members in the order of a layer's table, each batch with one of them. */
async function* tableOf(members: readonly (readonly [path: string, given?: Given])[]) {
  const entries = members.map(([path, given = {}], ordinal) =>
    entryOf({
      ...{ type: 'file', bytes: 0, ...given },
      ...{ key: pathToKey(path), mode: 0, uid: 0, gid: 0, mtime: 0, ordinal, offset: 0 },
    }),
  )
  const sorted = entries.sort((a, b) =>
    sortKey(a) < sortKey(b) ? -1 : sortKey(a) > sortKey(b) ? 1 : a.ordinal - b.ordinal,
  )
  for (const entry of sorted) yield [entry]
}

const sizes = (...members: readonly (readonly [path: string, given?: Given])[]) =>
  sizesOfLayer(tableOf(members))
const directory = { type: 'directory' } as const

it('counts the root of a layer as a directory', async () => {
  expect(await sizes()).toEqual({ contentBytes: 0, blockBytes: 4_096, headerBytes: 0 })
})

it('rounds each file up to blocks', async () => {
  expect(
    await sizes(['a', { bytes: 0 }], ['b', { bytes: 1 }], ['c', { bytes: 4_096 }], ['d', { bytes: 4_097 }]),
  ).toEqual({
    contentBytes: 8_194,
    blockBytes: 4_096 * 5,
    headerBytes: 8_194,
  })
})

it('counts directories once, named or implied', async () => {
  const below = [
    ['a/b/c', { bytes: 1 }],
    ['a/b/d', { bytes: 1 }],
    ['a/e', { bytes: 1 }],
  ] as const
  const implied = await sizes(...below)
  // The root, a, a/b and three files.
  expect(implied.blockBytes).toBe(4_096 * 6)
  expect(await sizes(['a', directory], ['a/b', directory], ...below)).toEqual(implied)
  // A name that begins like another is not below it.
  expect((await sizes(['a', directory], ['a-b', directory], ['a/c', directory])).blockBytes).toBe(4_096 * 4)
})

it('counts the last of several members of one path, but each header', async () => {
  expect(await sizes(['a', { bytes: 10 }], ['a', { bytes: 3 }])).toEqual({
    contentBytes: 3,
    blockBytes: 8_192,
    headerBytes: 13,
  })
})

it('counts the target of a symlink, and a block if it is long; nothing for a hard link or a device', async () => {
  const link = (length: number) => ({ type: 'symlink', link: 'x'.repeat(length) }) as const
  expect(await sizes(['a', link(59)], ['b', link(60)])).toMatchObject({
    contentBytes: 119,
    blockBytes: 8_192,
  })
  expect(await sizes(['a', { type: 'hardlink', link: 'b' }], ['c', { type: 'character' }])).toMatchObject({
    contentBytes: 0,
    blockBytes: 4_096,
  })
})

it('whiteouts take nothing, but the directories that they are in', async () => {
  expect((await sizes(['a/.wh.b'])).blockBytes).toBe(4_096 * 2)
  expect((await sizes(['a/.wh..wh..opq'], ['a', directory])).blockBytes).toBe(4_096 * 2)
  expect(await sizes(['.wh.b'], ['b', { bytes: 5 }])).toMatchObject({ contentBytes: 5, blockBytes: 8_192 })
})
