/**
 * Fuzzing: every parser gets inputs near those of a kept corpus. This file has every parser of foreign input, as a function of
 * bytes that gets no more than it accepts.
 */

import { diffTextFiles, formatTextDiff } from '../../src/diff/text.ts'
import { policyFromDiveCi } from '../../src/gate/dive-ci.ts'
import { readDocument } from '../../src/gate/document.ts'
import { DIRECTORIES } from '../../src/image/directories.ts'
import { PACKAGES } from '../../src/image/package-table.ts'
import { readAlpmDesc, readAlpmFiles } from '../../src/image/packages/alpm.ts'
import { readApkInstalled } from '../../src/image/packages/apk.ts'
import { readCondaMeta } from '../../src/image/packages/conda.ts'
import { readDpkgList, readDpkgStatus, readDpkgSums } from '../../src/image/packages/deb.ts'
import { UnreadableDatabase } from '../../src/image/packages/found.ts'
import { parsePackageJson } from '../../src/image/packages/npm.ts'
import { readDepsJson } from '../../src/image/packages/nuget.ts'
import { readOsRelease } from '../../src/image/packages/os-release.ts'
import { readCoreMetadata, readInstalledFiles, readRecord } from '../../src/image/packages/pypi.ts'
import { parseRpmHeader } from '../../src/image/packages/rpm.ts'
import { berkeleyHeaders } from '../../src/image/packages/rpm-berkeley.ts'
import { ndbHeaders } from '../../src/image/packages/rpm-ndb.ts'
import { sqliteHeaders } from '../../src/image/packages/rpm-sqlite.ts'
import { readArEntries } from '../../src/inside/ar-members.ts'
import { parseCargoAuditable } from '../../src/inside/cargo-auditable.ts'
import { readElf } from '../../src/inside/elf.ts'
import { areaBytes, realSections } from '../../src/inside/elf-areas.ts'
import { readElfFacts } from '../../src/inside/elf-facts.ts'
import type { ArchiveEntries, ArchiveEntry } from '../../src/inside/entries.ts'
import { BuildInfoSearch } from '../../src/inside/go-build-info-search.ts'
import { readGoFunctions } from '../../src/inside/go-functions.ts'
import { bytesByModule } from '../../src/inside/go-modules.ts'
import { type InflateRoom, readJar } from '../../src/inside/jar.ts'
import { rangesOf } from '../../src/inside/ranges.ts'
import { readTarEntries, tarContent } from '../../src/inside/tar-members.ts'
import { entryContent, storedContent } from '../../src/inside/zip-content.ts'
import { readZipListing } from '../../src/inside/zip-listing.ts'
import { FileExaminer, type Scratch } from '../../src/layer/examine.ts'
import { NoChunks } from '../../src/layer/toc/chunk.ts'
import { TableEntries, UnsaidName } from '../../src/layer/toc/entries.ts'
import { EntrySplitter } from '../../src/layer/toc/split.ts'
import { parseConfig } from '../../src/oci/config.ts'
import { parseDockerConfig, parseRegistryAuth } from '../../src/oci/credential.ts'
import { rebuildDockerfile } from '../../src/oci/dockerfile.ts'
import { parseImageReference } from '../../src/oci/image-reference.ts'
import { parseManifest } from '../../src/oci/manifest.ts'
import { parsePlatform } from '../../src/oci/platform.ts'
import { toRuntimeConfig } from '../../src/oci/runtime-config.ts'
import { maskStep } from '../../src/oci/secret-values.ts'
import { resolveUser } from '../../src/oci/user.ts'
import { readLayout } from '../../src/source/archive/layout.ts'
import { findMembers } from '../../src/source/archive/members.ts'
import type { RangeReader } from '../../src/source/archive/range-reader.ts'
import type { Schema } from '../../src/table/schema.ts'
import { openTable } from '../../src/table/table.ts'
import { compileGlobSet } from '../../src/text/glob.ts'
import { parseBytesLimit } from '../../src/text/limit.ts'
import { pathToKey } from '../../src/text/path.ts'
import { LIMITS, readWhole, sha256Digest } from '../support/blob.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { scanTar } from '../support/scan-tar.ts'

export type Parser = {
  /** Resolves with the parsed result. */
  readonly parse: (bytes: Uint8Array) => unknown
  /** Errors that its callers turn into a problem or a warning. */
  readonly throws?: readonly (new (
    ...parameters: never[]
  ) => Error)[]
}

/** The output a parser may give per byte read, and in any case. */
const ITEMS_A_BYTE = 8
const ITEMS = 10_000
/** The limit for a decompressed layer: bombs stop here. */
const MOST_BYTES = 4_000_000

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const asText = (parse: (text: string) => unknown): Parser => ({ parse: (bytes) => parse(text(bytes)) })

/** Consumes all output, as long as it is no more than the input allows. */
async function all(bytes: Uint8Array, items: Iterable<unknown> | AsyncIterable<unknown>): Promise<number> {
  const most = ITEMS + ITEMS_A_BYTE * bytes.length
  let count = 0
  for await (const _ of items) if (++count > most) throw new Error(`more than ${most} items`)
  return count
}

const database = (
  read: (content: Iterable<Uint8Array>) => Iterable<unknown> | AsyncIterable<unknown>,
): Parser => ({ parse: (bytes) => all(bytes, read([bytes])), throws: [UnreadableDatabase] })

const wholeDatabase = (read: (bytes: Uint8Array) => Iterable<unknown>): Parser => ({
  parse: (bytes) => all(bytes, read(bytes)),
  throws: [UnreadableDatabase],
})

function* rpmPackages(headers: Iterable<Uint8Array>): Generator<unknown> {
  for (const header of headers) {
    const parsed = parseRpmHeader(header)
    yield parsed?.found
    yield* parsed?.files ?? []
  }
}

const table = <Row>(schema: Schema<Row>): Parser => ({
  async parse(bytes) {
    const store = new MemoryStore()
    store.objects.set(TABLE, bytes)
    const opened = await openTable(store, TABLE, schema)
    return opened && all(bytes, opened.rows())
  },
})
const TABLE = 'a.parquet'

const halves = (bytes: Uint8Array) => {
  const middle = bytes.length >> 1
  return [bytes.subarray(0, middle), bytes.subarray(middle)] as const
}
const side = (bytes: Uint8Array) => ({
  sha256: sha256Digest(bytes).slice('sha256:'.length),
  bytes: bytes.length,
  open: async () => new Blob([Buffer.from(bytes)]).stream(),
})

/** What is found inside a file that comes in these pieces. */
async function examined(path: string, pieces: readonly Uint8Array[]): Promise<string | undefined> {
  const scratch = (): Scratch => {
    const written: Uint8Array[] = []
    return {
      write: (piece) => {
        written.push(new Uint8Array(piece))
      },
      finish: async () => rangesOf(Buffer.concat(written)),
      release: async () => {},
    }
  }
  const examiner = new FileExaminer({ scratch, examined: async () => 'kept' })
  examiner.open(
    pathToKey(path),
    pieces.reduce((sum, { length }) => sum + length, 0),
  )
  for (const piece of pieces) if (piece.length > 0) await examiner.write(piece)
  return JSON.stringify(await examiner.close())
}

const NO_ROOM: InflateRoom = { charge: () => {}, hold: async () => rangesOf(new Uint8Array(0)) }

function* entriesOf<Entry extends ArchiveEntry>(entries: ArchiveEntries<Entry>): Generator<Entry> {
  for (let index = 0; index < entries.count; index++) yield entries.at(index)
}

/** @throws Error if there is more than the entry says */
async function consumed(content: AsyncIterable<Uint8Array>, most: number): Promise<void> {
  let bytes = 0
  for await (const piece of content) bytes += piece.length
  if (bytes > most) throw new Error(`${bytes} bytes of an entry of ${most}`)
}

/** By the name of their folder in `corpus/`. */
export const PARSERS: Readonly<Record<string, Parser>> = {
  jar: { parse: (bytes) => readJar(rangesOf(bytes), NO_ROOM) },
  'zip-listing': {
    async parse(bytes) {
      const file = rangesOf(bytes)
      const listing = await readZipListing(file)
      if (listing === undefined) return
      await all(bytes, entriesOf(listing.entries))
      for (const entry of entriesOf(listing.entries)) {
        if (entry.bytes > MOST_BYTES) continue
        await consumed(entryContent(await storedContent(file, entry.content), entry.content), entry.bytes)
      }
    },
  },
  'tar-entries': {
    async parse(bytes) {
      const limits = { bytes: { bytes: MOST_BYTES, setting: 'limit' }, entries: ITEMS }
      const { entries } = await readTarEntries(rangesOf(bytes).stream(0, bytes.length), limits)
      await all(bytes, entries)
      for (const { ordinal, bytes: size, isSparse } of entries.slice(0, 20)) {
        if (isSparse) continue
        await consumed(tarContent(rangesOf(bytes).stream(0, bytes.length), limits, ordinal), size)
      }
    },
  },
  ar: {
    async parse(bytes) {
      const { entries } = await readArEntries(rangesOf(bytes).stream(0, bytes.length))
      await all(bytes, entries)
      for (const { offset, bytes: size } of entries)
        if (offset + size > bytes.length) throw new Error('a member behind the end')
    },
  },
  elf: {
    async parse(bytes) {
      const file = rangesOf(bytes)
      const elf = await readElf(file)
      const { needed } = await readElfFacts(file, elf)
      await all(bytes, needed)
      await all(bytes, realSections(elf))
      const areas = areaBytes(elf)
      const sum = areas.reduce((total, area) => total + area.bytes, 0)
      if (sum !== bytes.length) throw new Error(`the areas sum to ${sum} of ${bytes.length} bytes`)
    },
  },
  'go-functions': {
    async parse(bytes) {
      const file = rangesOf(bytes)
      const functions = await readGoFunctions(file, await readElf(file))
      if (functions === undefined) return
      await all(bytes, bytesByModule(functions, { known: new Map() }) ?? [])
    },
  },
  'go-build-info': {
    parse(bytes) {
      const search = new BuildInfoSearch()
      for (const half of halves(bytes)) search.push(half)
      return search.finish()
    },
  },
  'cargo-auditable': { parse: (bytes) => parseCargoAuditable(bytes) },
  examine: {
    async parse(bytes) {
      for (const path of ['opt/a.jar', 'usr/bin/node', 'lib/rbconfig.rb']) {
        const [whole, cut] = [await examined(path, [bytes]), await examined(path, halves(bytes))]
        if (whole !== cut) throw new Error(`in one piece ${whole}, in two ${cut}`)
      }
    },
  },
  'rpm-berkeley': wholeDatabase((bytes) => berkeleyHeaders(bytes)),
  nuget: wholeDatabase((bytes) => readDepsJson(bytes, 'app\0a.deps.json')),
  conda: wholeDatabase((bytes) => readCondaMeta(bytes, 'opt\0conda-meta\0a.json')),
  alpm: database(readAlpmDesc),
  'alpm-files': database(readAlpmFiles),
  step: asText((text) => maskStep(text)),
  tar: { parse: (bytes) => scanTar(bytes, { cuts: [700] }).length },
  layer: {
    parse: (bytes) => readWhole(bytes, { limits: { ...LIMITS, layerBytes: MOST_BYTES, entries: 10_000 } }),
  },
  manifest: { parse: (bytes) => parseManifest(bytes) },
  config: {
    parse(bytes) {
      const config = parseConfig(bytes)
      const manifest = {
        kind: 'image',
        mediaType: '',
        config: EMPTY,
        layers: config.diffIds.map(() => EMPTY),
      } as const
      return [
        rebuildDockerfile(manifest, config),
        toRuntimeConfig(config, resolveUser(undefined, { passwd: '', group: '' })),
      ]
    },
  },
  archive: {
    async parse(bytes) {
      const reader: RangeReader = {
        size: bytes.length,
        read: async ({ offset, length }) =>
          new Blob([Buffer.from(bytes.subarray(offset, offset + length))]).stream(),
      }
      return readLayout(await findMembers(reader), reader)
    },
  },
  contents: {
    parse(bytes) {
      const limits = {
        bytes: { bytes: 2 ** 40, setting: '' },
        entries: 100_000,
        contentEnd: 2 ** 30,
      }
      const [splitter, entries] = [new EntrySplitter(), new TableEntries(limits, new NoChunks())]
      for (const fields of splitter.take(bytes)) entries.take(fields)
      splitter.finish()
      entries.finish()
    },
    throws: [UnsaidName],
  },
  dpkg: database(readDpkgStatus),
  'dpkg-list': database(readDpkgList),
  'dpkg-sums': database(readDpkgSums),
  apk: database(readApkInstalled),
  'rpm-sqlite': database(([file]) => rpmPackages(sqliteHeaders(file ?? new Uint8Array(0)))),
  'rpm-ndb': database(([file]) => rpmPackages(ndbHeaders(file ?? new Uint8Array(0)))),
  rpm: database((headers) => rpmPackages(headers)),
  npm: { parse: (bytes) => parsePackageJson(bytes, pathToKey('node_modules/a/package.json')) },
  pypi: database(readCoreMetadata),
  'pypi-record': database((content) => readRecord(content, pathToKey('usr/lib/a.dist-info/RECORD'))),
  'pypi-files': database((content) =>
    readInstalledFiles(content, pathToKey('usr/lib/a.egg-info/installed-files.txt')),
  ),
  'os-release': { parse: (bytes) => readOsRelease([bytes]) },
  'parquet-directories': table(DIRECTORIES),
  'parquet-packages': table(PACKAGES),
  yaml: asText((words) => readDocument(words, 'yaml', 'policy')),
  json: asText((words) => readDocument(words, 'json', 'policy')),
  'dive-ci': asText(policyFromDiveCi),
  globs: asText((words) => compileGlobSet(words.split('\n'))('usr/share/doc/a.b/c')),
  reference: asText(parseImageReference),
  platform: asText(parsePlatform),
  size: asText((words) => parseBytesLimit('size', words)),
  'registry-auth': asText(parseRegistryAuth),
  'docker-config': { ...asText(parseDockerConfig), throws: [Error] },
  diff: {
    async parse(bytes) {
      const [from, to] = halves(bytes).map(side)
      return formatTextDiff(await diffTextFiles({ path: 'a', from, to }, { context: 3 }))
    },
  },
}

const EMPTY = { mediaType: '', digest: sha256Digest(new Uint8Array(0)), size: 0 }
