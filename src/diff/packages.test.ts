import { expect, test } from 'vitest'
import type { Package } from '../image/report.ts'
import { diffPackages, type PackageDiff } from './packages.ts'

type Given = Partial<Package> & Pick<Package, 'name' | 'version'>

async function* batches(packages: readonly Given[]): AsyncGenerator<readonly Package[]> {
  for (const one of packages) yield [{ type: 'npm', purl: '', layer: 0, ...one }]
}

const diff = (from: readonly Given[], to: readonly Given[]): Promise<PackageDiff> =>
  diffPackages(batches(from), batches(to))

const NONE = { added: [], removed: [], changed: [] }

test('added, removed and changed packages with their bytes', async () => {
  const deb = { type: 'deb', architecture: 'amd64' } as const
  expect(
    await diff(
      [
        { ...deb, name: 'curl', version: '1', bytes: 10 },
        { ...deb, name: 'gone', version: '2', bytes: 7 },
        { ...deb, name: 'same', version: '3', bytes: 1 },
      ],
      [
        { ...deb, name: 'same', version: '3', bytes: 1 },
        { ...deb, name: 'new', version: '4' },
        { ...deb, name: 'curl', version: '2', bytes: 15 },
      ],
    ),
  ).toEqual({
    added: [{ ...deb, name: 'new', to: '4' }],
    removed: [{ ...deb, name: 'gone', from: '2', deltaBytes: -7 }],
    changed: [{ ...deb, name: 'curl', from: '1', to: '2', deltaBytes: 5 }],
  })
})

test('the same name in two types or architectures is two packages', async () => {
  expect(
    await diff(
      [
        { name: 'x', version: '1', type: 'deb', architecture: 'amd64' },
        { name: 'x', version: '1', type: 'npm' },
      ],
      [
        { name: 'x', version: '1', type: 'deb', architecture: 'arm64' },
        { name: 'x', version: '1', type: 'pypi' },
      ],
    ),
  ).toMatchObject({
    added: [{ type: 'deb', architecture: 'arm64' }, { type: 'pypi' }],
    removed: [{ type: 'deb', architecture: 'amd64' }, { type: 'npm' }],
    changed: [],
  })
})

test('a package that only moved is unchanged', async () => {
  expect(
    await diff([{ name: 'x', version: '1', path: 'a' }], [{ name: 'x', version: '1', path: 'b' }]),
  ).toEqual(NONE)
})

test('each of several copies is paired with the one it became', async () => {
  const copies = (versions: Readonly<Record<string, string>>): Given[] =>
    Object.entries(versions).map(([path, version]) => ({ name: 'x', version, path }))
  const change = (path: string, from?: string, to?: string) => ({
    type: 'npm',
    name: 'x',
    path,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  })
  // By version first: the copy at `c` moved to `a`, so version 1 is the one removed.
  expect(await diff(copies({ a: '1', c: '2' }), copies({ a: '2' }))).toEqual({
    ...NONE,
    removed: [change('a', '1')],
  })
  // Then by path, then in order.
  expect(await diff(copies({ a: '1', b: '2', c: '3' }), copies({ b: '4', d: '5', e: '6', f: '7' }))).toEqual({
    added: [change('f', undefined, '7')],
    removed: [],
    changed: [change('b', '2', '4'), change('d', '1', '5'), change('e', '3', '6')],
  })
  // The same version twice on one side.
  expect(await diff(copies({ a: '1' }), copies({ a: '1', b: '1' }))).toEqual({
    ...NONE,
    added: [change('b', undefined, '1')],
  })
})

test('nothing changed if only the order differs', async () => {
  const all: Given[] = [
    { name: 'a', version: '1', path: 'p' },
    { name: 'a', version: '1', path: 'q' },
    { name: 'b', version: '2', type: 'rpm' },
  ]
  expect(await diff(all, all.toReversed())).toEqual(NONE)
})
