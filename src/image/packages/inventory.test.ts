import { expect, it } from 'vitest'
import { pieces } from '../../../test/support/findings.ts'
import { ndbDatabase, rpmDatabase, rpmHeader } from '../../../test/support/rpm.ts'
import { pathToKey } from '../../text/path.ts'
import type { MergedEntry } from '../merged-entry.ts'
import { type DatabaseMember, Inventory, takeInventory } from './inventory.ts'
import { ShownDatabases } from './shown-databases.ts'

type File = {
  readonly path: string
  readonly content?: string | Uint8Array
  readonly bytes?: number
  readonly link?: string
}

/** Layers that only add and replace files; `hidden` are paths that the image does not show. */
async function inventory(
  layers: readonly (readonly File[])[],
  hidden: readonly string[] = [],
): Promise<Inventory> {
  const merged = new Map<string, MergedEntry>()
  const databases = layers.map((files, layer) => ({
    layer,
    members: members(files.map((file, ordinal) => member(file, ordinal))),
  }))
  for (const [layer, files] of layers.entries()) {
    for (const [ordinal, file] of files.entries()) merged.set(file.path, row(file, layer, ordinal))
  }
  for (const path of hidden) merged.delete(path)
  const shown = new ShownDatabases()
  for (const entry of merged.values()) shown.see(entry)
  const taken = await takeInventory(databases, shown)
  for (const entry of merged.values()) taken.see(entry)
  return taken
}

async function* members(list: readonly DatabaseMember[]): AsyncGenerator<DatabaseMember> {
  yield* list
}

function member({ path, content = '' }: File, ordinal: number): DatabaseMember {
  const bytes = Buffer.byteLength(content)
  return { key: pathToKey(path), ordinal, bytes, content: pieces(content, 10_000) }
}

function row(
  { path, content = '', bytes = content.length, link }: File,
  layer: number,
  ordinal: number,
): MergedEntry {
  return {
    key: pathToKey(path),
    type: link === undefined ? 'file' : 'symlink',
    bytes: link === undefined ? bytes : 0,
    ...(link === undefined ? {} : { link }),
    inode: layer * 1000 + ordinal,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0,
    layer,
    ordinal,
    offset: 0,
  }
}

const STATUS = 'var/lib/dpkg/status'

function status(...packages: readonly string[]): string {
  return packages
    .map((text) => text.split('='))
    .map(
      ([name, version]) =>
        `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`,
    )
    .join('\n')
}

it('reports which layer added a package, and lists none that a later one removed', async () => {
  const taken = await inventory([
    [{ path: STATUS, content: status('a=1', 'b=1', 'gone=1') }],
    [{ path: STATUS, content: status('a=1', 'b=2', 'c=1') }],
    [{ path: STATUS, content: status('a=1', 'b=2') }],
    [{ path: STATUS, content: status('a=1', 'b=2', 'c=1') }],
  ])
  expect(taken.packages().map(({ name, version, layer }) => [name, version, layer])).toEqual([
    ['a', '1', 0],
    ['b', '2', 1],
    ['c', '1', 3],
  ])
})

it('lists nothing of a database that the image does not show', async () => {
  const taken = await inventory([[{ path: STATUS, content: status('a=1') }]], [STATUS])
  expect(taken.packages()).toEqual([])
})

it('sums the files of a dpkg package, even if its list says /bin for /usr/bin', async () => {
  const taken = await inventory([
    [
      { path: 'bin', link: 'usr/bin' },
      { path: 'usr/bin/a', bytes: 1 },
      { path: 'usr/share/a', bytes: 20 },
      { path: 'usr/share/other', bytes: 300 },
      { path: 'usr/share/b', bytes: 4000 },
      { path: 'usr/lib/os-release', content: 'ID=devuan\n' },
      { path: STATUS, content: status('a=1', 'b=1', 'c=1') },
      { path: 'var/lib/dpkg/info/a.list', content: '/.\n/bin\n/bin/a\n/usr\n/usr/share\n/usr/share/a\n' },
      { path: 'var/lib/dpkg/info/b:amd64.list', content: '/.\n/usr\n/usr/share\n/usr/share/b\n' },
    ],
  ])
  const shape = { type: 'deb', version: '1', architecture: 'amd64', layer: 0 }
  expect(taken.packages()).toEqual([
    { ...shape, name: 'a', purl: 'pkg:deb/devuan/a@1?arch=amd64', bytes: 21 },
    { ...shape, name: 'b', purl: 'pkg:deb/devuan/b@1?arch=amd64', bytes: 4000 },
    { ...shape, name: 'c', purl: 'pkg:deb/devuan/c@1?arch=amd64' },
  ])
})

it('reads the parts that distroless images have', async () => {
  const taken = await inventory([
    [
      { path: 'etc/services', bytes: 12_813 },
      {
        path: 'var/lib/dpkg/status.d/netbase',
        content: 'Package: netbase\nVersion: 6.4\nArchitecture: all\n',
      },
      {
        path: 'var/lib/dpkg/status.d/netbase.md5sums',
        content: 'd41d8cd98f00b204e9800998ecf8427e  etc/services\n',
      },
    ],
  ])
  expect(taken.packages()).toEqual([
    {
      type: 'deb',
      name: 'netbase',
      version: '6.4',
      architecture: 'all',
      purl: 'pkg:deb/debian/netbase@6.4?arch=all',
      bytes: 12_813,
      layer: 0,
    },
  ])
})

it('lists each npm package.json with everything below it', async () => {
  const json = (name: string) => JSON.stringify({ name, version: '1.0.0' })
  const taken = await inventory([
    [
      { path: 'app/node_modules/a/package.json', content: json('a'), bytes: 1 },
      { path: 'app/node_modules/a/lib/x.js', bytes: 20 },
      { path: 'app/node_modules/a/node_modules/b/package.json', content: json('b'), bytes: 300 },
    ],
    [{ path: 'app/node_modules/a/package.json', content: json('a'), bytes: 1 }],
  ])
  const shape = { type: 'npm', version: '1.0.0', layer: 0 }
  expect(taken.packages()).toEqual([
    { ...shape, name: 'a', purl: 'pkg:npm/a@1.0.0', bytes: 21, path: 'app/node_modules/a/package.json' },
    {
      ...shape,
      name: 'b',
      purl: 'pkg:npm/b@1.0.0',
      bytes: 300,
      path: 'app/node_modules/a/node_modules/b/package.json',
    },
  ])
})

it('lists packages installed by pip, apk and rpm', async () => {
  const header = rpmHeader({
    1000: 'r',
    1001: '1',
    1002: '2',
    1022: 'noarch',
    1116: [0],
    1117: ['r'],
    1118: ['/usr/sbin/'],
  })
  const taken = await inventory([
    [
      { path: 'usr/sbin/r', bytes: 7 },
      { path: 'usr/bin/k', bytes: 8 },
      { path: 'venv/p/__init__.py', bytes: 9 },
      { path: 'venv/p-1.dist-info/METADATA', content: 'Name: p\nVersion: 1\n' },
      { path: 'venv/p-1.dist-info/RECORD', content: 'p/__init__.py,sha256=x,9\n' },
      { path: 'lib/apk/db/installed', content: 'P:k\nV:1-r0\nA:x86_64\nF:usr/bin\nR:k\n' },
      { path: 'var/lib/rpm/rpmdb.sqlite', content: await rpmDatabase([header]) },
    ],
  ])
  expect(taken.packages()).toEqual([
    {
      type: 'apk',
      name: 'k',
      version: '1-r0',
      architecture: 'x86_64',
      purl: 'pkg:apk/alpine/k@1-r0?arch=x86_64',
      bytes: 8,
      layer: 0,
    },
    {
      type: 'pypi',
      name: 'p',
      version: '1',
      purl: 'pkg:pypi/p@1',
      bytes: 9,
      path: 'venv/p-1.dist-info/METADATA',
      layer: 0,
    },
    {
      type: 'rpm',
      name: 'r',
      version: '1-2',
      architecture: 'noarch',
      purl: 'pkg:rpm/r@1-2?arch=noarch',
      bytes: 7,
      layer: 0,
    },
  ])
})

it('lists packages installed by composer and RubyGems', async () => {
  const taken = await inventory([
    [
      {
        path: 'app/vendor/composer/installed.json',
        content: '{"packages":[{"name":"psr/log","version":"v3.0.0"},{"name":"A/B","version":"1"}]}',
      },
      { path: 'usr/specifications/rack-3.0.8.gemspec', content: '# stub: rack 3.0.8 ruby lib\n' },
      { path: 'usr/specifications/n-1-java.gemspec', content: '# stub: n 1 java lib\n' },
    ],
  ])
  expect(taken.packages().map(({ purl, path }) => [purl, path])).toEqual([
    ['pkg:composer/a/b@1', 'app/vendor/composer/installed.json'],
    ['pkg:composer/psr/log@v3.0.0', 'app/vendor/composer/installed.json'],
    ['pkg:gem/n@1?platform=java', 'usr/specifications/n-1-java.gemspec'],
    ['pkg:gem/rack@3.0.8', 'usr/specifications/rack-3.0.8.gemspec'],
  ])
})

it("reads SUSE's rpm database", async () => {
  const header = rpmHeader({ 1000: 'r', 1001: '1', 1002: '2', 1116: [0], 1117: ['r'], 1118: ['/usr/bin/'] })
  const taken = await inventory([
    [
      { path: 'usr/lib/sysimage/rpm/Packages.db', content: ndbDatabase([header]) },
      { path: 'usr/bin/r', bytes: 5 },
      { path: 'etc/os-release', content: 'ID="opensuse-leap"\n' },
    ],
  ])
  expect(taken.packages()).toEqual([
    { type: 'rpm', name: 'r', version: '1-2', purl: 'pkg:rpm/opensuse-leap/r@1-2', bytes: 5, layer: 0 },
  ])
})

it.each([
  ['Berkeley DB', 'var/lib/rpm/Packages', 'x', 1],
  ['an empty file in its place', 'var/lib/rpm/Packages', '', 1],
  ['changes that are not in the database yet', 'var/lib/rpm/rpmdb.sqlite-wal', 'x', 1],
  ['no such changes', 'var/lib/rpm/rpmdb.sqlite-wal', '', 0],
  ['a damaged ndb', 'usr/lib/sysimage/rpm/Packages.db', 'x', 1],
  ['a package.json of a megabyte', 'node_modules/a/package.json', ' '.repeat(1_000_000), 1],
  ['a truncated composer file', 'vendor/composer/installed.json', '[', 1],
])('warns of %s', async (_, path, content, count) => {
  const taken = await inventory([[{ path, content }]])
  expect(taken.unread).toHaveLength(count)
  expect(taken.packages()).toEqual([])
})

it('warns of a database that no layer has kept', async () => {
  const shown = new ShownDatabases()
  shown.see(row({ path: STATUS, content: status('a=1') }, 3, 5))
  const taken = await takeInventory([], shown)
  expect(taken.unread).toEqual([{ layer: 3, key: pathToKey(STATUS), count: 1 }])
})

it('reads a member at every path where it is visible', async () => {
  const shown = new ShownDatabases()
  const content = '{"name":"a","version":"1"}'
  for (const path of ['x/node_modules/a/package.json', 'y/node_modules/a/package.json']) {
    shown.see(row({ path, content }, 0, 5))
  }
  const stored = { ...member({ path: 'store/a', content }, 5), ordinal: 5 }
  const taken = await takeInventory([{ layer: 0, members: members([stored]) }], shown)
  expect(taken.packages().map(({ path }) => path)).toEqual([
    'x/node_modules/a/package.json',
    'y/node_modules/a/package.json',
  ])
})

it('tells in which files more was found than there is room for', async () => {
  const found = JSON.stringify({ go: { modules: [{ name: 'example.org/app', isMain: true }] } })
  const mebibytes = [40, 30, 20]
  const taken = new Inventory(new ShownDatabases())
  for (const [ordinal, size] of mebibytes.entries()) {
    const key = pathToKey(`app${ordinal}`)
    const content = pieces(found, 10_000)
    await taken.read(0, { key, ordinal, bytes: size * 1024 ** 2, isExamined: true, content })
  }
  for (const [ordinal] of mebibytes.entries()) taken.survey(row({ path: `app${ordinal}` }, 0, ordinal))
  expect(taken.leftOut).toEqual([{ layer: 0, key: 'app1', count: 1 }])
  const mains = taken.packages().filter(({ name }) => name === 'example.org/app')
  expect(mains.map(({ path }) => path)).toEqual(['app0', 'app2'])
})

it('leaves out a file with more packages inside than any real image has, but not the image', async () => {
  const jar = (count: number) => ({
    artifacts: Array.from({ length: count }, (_, i) => ({ group: 'g', name: `a${i}` })),
    inner: [],
  })
  const taken = new Inventory(new ShownDatabases())
  for (const [ordinal, count] of [150_000, 60_000, 2].entries()) {
    const content = pieces(JSON.stringify({ jar: jar(count) }), 1_000_000)
    await taken.read(0, { key: pathToKey(`${ordinal}.jar`), ordinal, bytes: 1, isExamined: true, content })
  }
  for (const ordinal of [0, 1, 2]) taken.survey(row({ path: `${ordinal}.jar` }, 0, ordinal))
  expect(taken.leftOut).toEqual([{ layer: 0, key: '1.jar', count: 1 }])
  expect(taken.packages()).toHaveLength(150_002)
})

it('refuses more packages than any real image has', async () => {
  const half = (from: number) => status(...Array.from({ length: 100_001 }, (_, i) => `p${from + i}=1`))
  const many = `${half(0)}\n${half(200_000)}`
  await expect(inventory([[{ path: STATUS, content: many }]])).rejects.toMatchObject({
    code: 'too_large',
    permanent: true,
  })
})

it('refuses names that are too large in total', async () => {
  const name = 'n'.repeat(1000)
  const many = status(...Array.from({ length: 65_000 }, (_, i) => `${i}${name}=1`))
  await expect(inventory([[{ path: STATUS, content: many.slice(0, 33_000_000) }]])).resolves.toBeDefined()
  const half = many.slice(0, 30_000_000)
  const layers = ['lib/apk/db/installed', 'usr/lib/apk/db/installed'].map((path) => [
    { path, content: half.replaceAll('Package: ', 'P:') },
  ])
  await expect(inventory([[{ path: STATUS, content: half }], ...layers])).rejects.toThrow('names')
})

it('warns of a database that cannot be read, and reads the others', async () => {
  const path = 'var/lib/rpm/rpmdb.sqlite'
  const broken = new Uint8Array(4096).fill(1)
  const taken = await inventory([
    [{ path, content: broken }],
    [
      { path, content: broken },
      { path: STATUS, content: status('a=1') },
    ],
  ])
  expect(taken.unread).toEqual([{ layer: 1, key: pathToKey(path), count: 1 }])
  expect(taken.packages().map(({ name }) => name)).toEqual(['a'])
})
