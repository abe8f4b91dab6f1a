import { expect, test } from 'vitest'
import { tableRows } from '../../../test/layers/generate.ts'
import type { Entry } from '../../layer/entry.ts'
import { pathToKey } from '../../text/path.ts'
import { findLinkedDatabases, findLinkedExamined } from './linked-databases.ts'

/** `path` is a file of `bytes`; with `link` a hard link. */
type Described = { readonly path: string; readonly bytes?: number; readonly link?: string }

function layerOf(described: readonly Described[]): Entry[] {
  return described.map(({ path, bytes = 0, link }, ordinal) => ({
    key: pathToKey(path),
    type: link === undefined ? 'file' : 'hardlink',
    bytes,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0,
    ordinal,
    offset: 512 * ordinal,
    ...(link === undefined ? { sha256: String(ordinal).padEnd(32, '.') } : { link }),
  }))
}

async function found(described: readonly Described[], room = 1000): Promise<readonly string[]> {
  const members = await findLinkedDatabases(() => tableRows(layerOf(described)), room)
  return members.map(({ key, ordinal, bytes }) => `${ordinal} ${key} ${bytes}`)
}

const packageJson = (name: string) => `node_modules/${name}/package.json`

test('finds the content of a link when it is created, through other links, in tar order', async () => {
  expect(
    await found([
      { path: 's', bytes: 1 },
      { path: 't', bytes: 2 },
      { path: 'u', link: 't' },
      { path: packageJson('a'), link: 'u' },
      { path: packageJson('b'), link: 's' },
      { path: packageJson('c'), link: './s' },
      { path: 's', bytes: 3 },
    ]),
  ).toEqual(['0 s 1', '1 t 2'])
})

test('leaves out databases already kept, files that no database links to, and dangling links', async () => {
  expect(
    await found([
      { path: packageJson('a'), bytes: 1 },
      { path: packageJson('b'), link: packageJson('a') },
      { path: 's', bytes: 2 },
      { path: 'other', link: 's' },
      { path: packageJson('c'), link: 'missing' },
      { path: 'usr/lib/sysimage/rpm/rpmdb.sqlite-wal', link: 's' },
    ]),
  ).toEqual([])
})

test('leaves out what does not fit', async () => {
  const members = [
    { path: 's', bytes: 600 },
    { path: 't', bytes: 600 },
    { path: 'u', bytes: 400 },
    ...['s', 't', 'u'].map((link) => ({ path: packageJson(link), link })),
  ]
  expect(await found(members)).toEqual(['0 s 600', '2 u 400'])
})

test('finds the content of archives and runtimes under the first name by which they are examined', async () => {
  const members = await findLinkedExamined(() =>
    tableRows(
      layerOf([
        { path: 'bin/[', bytes: 1 },
        { path: 'bin/busybox', link: 'bin/[' },
        { path: 'bin/ls', link: 'bin/[' },
        { path: 'store/1', bytes: 2 },
        { path: 'store/copy', link: 'store/1' },
        { path: 'opt/b.jar', link: 'store/copy' },
        { path: 'opt/a.war', link: 'opt/b.jar' },
        { path: 'opt/read.jar', bytes: 3 },
        { path: 'opt/again.ear', link: 'opt/read.jar' },
        { path: 'opt/data', bytes: 4 },
        { path: 'opt/more', link: 'opt/data' },
        { path: 'opt/missing.jar', link: 'nowhere' },
      ]),
    ),
  )
  expect(members.map(({ key, ordinal, bytes }) => [key, ordinal, bytes])).toEqual([
    [pathToKey('bin/busybox'), 0, 1],
    [pathToKey('opt/a.war'), 3, 2],
  ])
})
