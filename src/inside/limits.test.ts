/** What one file may hold in memory, however it is made. */
import { deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { goProgram } from '../../test/support/go-program.ts'
import { plain, type ZipEntry, zipOf, zipPieces } from '../../test/support/zip.ts'
import { parseCargoAuditable } from './cargo-auditable.ts'
import { BuildInfoSearch } from './go-build-info-search.ts'
import { type InflateRoom, readJar } from './jar.ts'
import { type FileRanges, rangesOf } from './ranges.ts'

const ROOM: InflateRoom = { charge: () => {}, hold: () => Promise.reject(new Error('nothing is held')) }
const MEBIBYTE = 1024 * 1024

/** Counts what is read of a file. */
class CountedFile implements FileRanges {
  readonly bytes: number
  readonly #file: FileRanges
  count = 0
  all = 0
  largest = 0

  constructor(content: Uint8Array) {
    this.#file = rangesOf(content)
    this.bytes = content.length
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = Math.max(0, Math.min(length, this.bytes - offset))
    this.count++
    this.all += bytes
    this.largest = Math.max(this.largest, bytes)
    return this.#file.read(offset, length)
  }
}

function jarOf(entries: Iterable<ZipEntry>): Uint8Array {
  return Buffer.concat([...zipPieces(entries, { zip64: 'yes' })])
}

const artifact = (name: string) => `META-INF/maven/org.x/${name}/pom.properties`
const repeated = (count: number, name: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => name(i))

test.each([
  ['artifacts', 40_000, (i: number) => artifact(`${i}`)],
  ['archives inside', 40_000, (i: number) => `${i}.jar`],
  ['long names', 200, (i: number) => `${'x'.repeat(60_000)}${i}.jar`],
])('a jar with too many %s is refused before one of them is read', async (_, count, name) => {
  const again = repeated(count, name)
  const file = new CountedFile(jarOf([{ ...plain(name(count), Buffer.from('version=1')), again }]))
  await expect(readJar(file, ROOM)).rejects.toMatchObject({ code: 'too_large' })
  const windows = Math.ceil(again.join('').length / 65_536)
  expect(file.count).toBeLessThan(10 + 2 * windows)
  expect(file.largest).toBeLessThan(MEBIBYTE / 2)
})

test('the archives inside a jar share its limit', async () => {
  const inner = jarOf([
    { ...plain(artifact('a'), Buffer.from('version=1')), again: repeated(9_999, (i) => artifact(`${i}`)) },
  ])
  const { inner: found } = await readJar(
    rangesOf(
      zipOf({}, { stored: Object.fromEntries(repeated(5, (i) => `${i}.jar`).map((name) => [name, inner])) }),
    ),
    ROOM,
  )
  expect(found.map(({ jar }) => jar?.artifacts.length)).toEqual([
    10_000,
    10_000,
    undefined,
    undefined,
    undefined,
  ])
})

test('of a large jar only its directory, its end and what is wanted are read', async () => {
  const library = zipOf({ [artifact('a')]: 'version=1' }, { stored: { 'a.class': Buffer.alloc(MEBIBYTE) } })
  const classes = repeated(32, (i) => `${i}.class`).map((name) => plain(name, Buffer.alloc(MEBIBYTE)))
  const libraries = repeated(32, (i) => `${i}.jar`).map((name) => plain(name, library))
  const file = new CountedFile(jarOf([...classes, ...libraries]))
  const { inner } = await readJar(file, ROOM)
  expect(inner.map(({ jar }) => jar?.artifacts.length)).toEqual(repeated(32, () => '').map(() => 1))
  // Most of it the last 64 KiB of each library, in which its end is looked for.
  expect(file.all).toBeLessThan(33 * 70_000)
  expect(file.largest).toBeLessThan(70_000)
})

test('a Go program with more than 50,000 modules has no build info', () => {
  const modulesIn = (count: number) => {
    const search = new BuildInfoSearch()
    search.push(
      goProgram(
        'go1.25.0',
        repeated(count, (i) => `dep\texample.com/${i}\tv1.0.0`),
      ),
    )
    return search.finish()?.modules.length
  }
  expect(modulesIn(50_000)).toBe(50_000)
  expect(modulesIn(50_001)).toBeUndefined()
})

test('a section of cargo-auditable with more than 200,000 values is none', () => {
  const cratesIn = (count: number) => {
    const packages = repeated(count, (i) => `c${i}`).map((name) => ({ name, version: '1' }))
    return parseCargoAuditable(deflateSync(JSON.stringify({ packages })))?.length
  }
  expect(cratesIn(30_000)).toBe(30_000)
  expect(cratesIn(50_000)).toBeUndefined()
})
