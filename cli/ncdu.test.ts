/** `lamina tree --format ncdu`, asked by the command in its own process. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../test/registry/fixture.ts'
import { makeImage, makeLayer } from '../test/support/images.ts'
import { runLamina } from '../test/support/lamina.ts'

let registry: FixtureRegistry
let folder: string
let image: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-ncdu-test-'))
  registry = await FixtureRegistry.start()
  const layer = await makeLayer([
    { name: 'usr/', mode: 0o750, uid: 3, gid: 4 },
    { name: 'usr/a "quoted"\u009b\n', content: 'four' },
    { name: 'usr/bin/one', content: '12345', mode: 0o4755 },
    { name: 'usr/bin/two', type: 'link', linkname: 'usr/bin/one' },
    { name: 'usr/lib', type: 'symlink', linkname: 'bin', mode: 0o777 },
    { name: 'zero', mode: 0o644 },
  ])
  image = registry.push('app', 'v1', makeImage([layer]))
})

afterAll(async () => {
  await registry.close()
  await rm(folder, { recursive: true, force: true })
})

const lamina = (words: readonly string[]) =>
  runLamina(words, { HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') })

const owner = { uid: 0, gid: 0 }
const time = { mtime: 1_700_000_000 }
const link = { asize: 5, dsize: 5, ino: 1, hlnkc: true, nlink: 2, ...owner, mode: 0o104755, ...time }
const bin = [
  { name: 'bin', ...owner, mode: 0o040755, mtime: 0 },
  { name: 'one', ...link, ino: expect.any(Number) },
  { name: 'two', ...link, ino: expect.any(Number) },
]

test('the whole tree has directories as lists, and hard links, links and names as ncdu has them', async () => {
  const { out, ...rest } = await lamina(['tree', image, '--format', 'ncdu'])
  expect(rest).toEqual({ code: 0, err: '' })
  expect(out).toContain('"a \\"quoted\\"\\u009b\\n"')
  const [major, minor, about, tree] = JSON.parse(out)
  expect([major, minor]).toEqual([1, 2])
  expect(about).toMatchObject({ progname: 'lamina', timestamp: expect.any(Number) })
  expect(tree).toEqual([
    { name: '/' },
    [
      { name: 'usr', uid: 3, gid: 4, mode: 0o040750, ...time },
      { name: 'a "quoted"\u009b\n', asize: 4, dsize: 4, ...owner, mode: 0o100644, ...time },
      bin,
      { name: 'lib', notreg: true, ...owner, mode: 0o120777, ...time },
    ],
    { name: 'zero', ...owner, mode: 0o100644, ...time },
  ])
  const [, one, two] = tree[1][2]
  expect(one.ino).toBe(two.ino)
})

test('--path has one directory with all below it', async () => {
  const { out } = await lamina(['tree', image, 'usr/bin', '--format', 'ncdu'])
  expect(JSON.parse(out)[3]).toEqual([{ name: '/usr/bin' }, ...bin.slice(1)])
})

test('a file, a path that does not exist, and --depth are errors that say so', async () => {
  const ncdu = (...words: string[]) => lamina(['tree', image, ...words, '--format', 'ncdu'])
  expect(await ncdu('zero')).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('[not_a_directory]'),
  })
  expect(await ncdu('nothing')).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('[path_not_found]'),
  })
  expect((await ncdu('--depth', '2')).err).toContain('--depth does not apply to --format ncdu')
})
