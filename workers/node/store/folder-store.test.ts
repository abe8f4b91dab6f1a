import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeObjectStore } from '../../../test/support/object-store.ts'
import { FolderStore } from './folder-store.ts'

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-store-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

describeObjectStore('FolderStore', async () => new FolderStore(join(await temporaryFolder(), 'data')))

test.each([
  '',
  '/a',
  'a/',
  'a//b',
  '../a',
  'a/../../b',
  '.',
  'a/./b',
  'a\0b',
  'a\\b',
  '.incoming/x',
  'x'.repeat(256),
])('no key leads out of the folder: %j', async (key) => {
  const folder = await temporaryFolder()
  const store = new FolderStore(join(folder, 'data'))
  await expect(store.put(key, new Uint8Array(1))).rejects.toThrow('invalid object key')
  await expect(store.get(key)).rejects.toThrow('invalid object key')
  await expect(store.has(key)).rejects.toThrow('invalid object key')
  await expect(store.delete(key)).rejects.toThrow('invalid object key')
  expect(await readdir(folder)).toEqual([])
})

test('a listing does not lead out of the folder', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'secret'), 'x')
  const store = new FolderStore(join(folder, 'data'))
  await store.put('a', new Uint8Array(1))
  for (const prefix of ['../', '../s', '/', 'a/../../', '.incoming']) {
    expect(await Array.fromAsync(store.list(prefix)), prefix).toEqual([])
  }
})

test('a store whose folder is a file refuses everything until the file is gone', async () => {
  const folder = join(await temporaryFolder(), 'data')
  await writeFile(folder, 'not a folder')
  const store = new FolderStore(folder)
  for (const operation of [
    () => store.get('a/b'),
    () => store.has('a/b'),
    () => store.put('a/b', new Uint8Array(1)),
    () => store.put('a/b', new Blob(['stream']).stream()),
  ]) {
    const failure: unknown = await operation().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'store_error', fields: { retryAfter: 5 } })
    expect(String(failure)).not.toContain(folder)
  }
  await rm(folder)
  expect(await store.has('a/b')).toBe(false)
  await store.put('a/b', new Uint8Array(1))
  expect(await store.has('a/b')).toBe(true)
})

test('files left by a dead process are removed, those of a live one are not', async () => {
  const folder = await temporaryFolder()
  const long = new Date(Date.now() - 25 * 3_600_000)
  for (const path of [
    '.incoming/old',
    '.incoming/new',
    'temporary/work/old',
    'temporary/busy/new',
    'layers/old',
  ]) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), 'x')
    if (path.endsWith('old')) await utimes(join(folder, path), long, long)
  }
  const store = new FolderStore(folder)
  await store.cleaned()
  const left = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = left.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  expect(files.map((file) => file.slice(folder.length + 1)).sort()).toEqual([
    '.incoming/new',
    'layers/old',
    'temporary/busy/new',
  ])
  expect(await Array.fromAsync(store.list(''))).toEqual(['layers/old', 'temporary/busy/new'])
})

const WRITER = `
import { FolderStore } from ${JSON.stringify(new URL('./folder-store.ts', import.meta.url).href)}
const store = new FolderStore(process.argv[2])
for (let i = 0; i < 40; i++) {
  await store.put('work/one/' + i % 4, new Uint8Array(200_000).fill(7))
  await store.delete('work/one/' + (i + 1) % 4)
}
await store.put('done/' + process.pid, new Uint8Array(1))
`

test('several processes can write and delete in one folder', async () => {
  const folder = await temporaryFolder()
  const script = join(folder, 'writer.mjs')
  await writeFile(script, WRITER)
  const data = join(folder, 'data')
  const writers = [1, 2, 3].map(() => fork(script, [data], { execArgv: [] }))
  const store = new FolderStore(data)
  const ended = Promise.all(writers.map((writer) => once(writer, 'exit')))
  let isRunning = true
  void ended.then(() => {
    isRunning = false
  })
  for (let i = 0; isRunning; i++) {
    const object = await store.get(`work/one/${i % 4}`)
    if (object === undefined) continue
    const bytes = await new Response(object.body).bytes()
    expect([object.size, bytes.length, bytes.every((byte) => byte === 7)]).toEqual([200_000, 200_000, true])
  }
  expect(await ended).toEqual([
    [0, null],
    [0, null],
    [0, null],
  ])
  expect((await Array.fromAsync(store.list('done/'))).length).toBe(3)
  expect(await readdir(join(data, '.incoming'))).toEqual([])
})

test('other users of the machine can read nothing of it, whatever the umask', async () => {
  const before = process.umask(0)
  onTestFinished(() => void process.umask(before))
  const folder = join(await temporaryFolder(), 'data')
  await new FolderStore(folder).put('a/b', new Uint8Array(1))
  const mode = async (...path: string[]) => (await stat(join(folder, ...path))).mode & 0o777
  expect([await mode(), await mode('a'), await mode('.incoming')]).toEqual([0o700, 0o700, 0o700])
  expect(await mode('a', 'b')).toBe(0o600)
})
