/** What a file is made of: its kind by its bytes, and the lists of its parts. */

import type { Limits } from '../configuration.ts'
import type { WasmModules } from '../host.ts'
import { readArEntries } from '../inside/ar-members.ts'
import { type ElfFile, readElf, readSection, sectionNamed } from '../inside/elf.ts'
import { type AreaBytes, areaBytes } from '../inside/elf-areas.ts'
import { type ElfFacts, readElfFacts } from '../inside/elf-facts.ts'
import { isElf } from '../inside/elf-header.ts'
import {
  type ArchiveEntries,
  type ArchiveEntry,
  type ArchiveWarning,
  MAX_ENTRIES,
} from '../inside/entries.ts'
import { findBuildInfo, type GoBuildInfo, parseBuildInfo } from '../inside/go-build-info.ts'
import { readGoFunctions } from '../inside/go-functions.ts'
import { bytesByModule, type GoModules, type ModuleBytes } from '../inside/go-modules.ts'
import { damaged, type FileContent } from '../inside/ranges.ts'
import { asArchive, readTarEntries } from '../inside/tar-members.ts'
import { readZipListing } from '../inside/zip-listing.ts'
import { BlobReader } from '../layer/blob.ts'
import { decode } from '../layer/decode/decode.ts'
import { type ByteLimit, byteLimit } from '../layer/limits.ts'
import { type Compression, compressionOf } from '../oci/compression.ts'
import { Problem } from '../problem.ts'

export type ArchiveKind = 'zip' | 'tar' | 'ar'

export type ArchiveInside = {
  readonly kind: ArchiveKind
  /** Of a tar. */
  readonly compression: Compression
  readonly entries: ArchiveEntries
  readonly warnings: readonly ArchiveWarning[]
}

export type ElfInside = {
  readonly kind: 'elf'
  readonly file: ElfFile
  readonly facts: ElfFacts
  readonly areas: readonly AreaBytes[]
  readonly modules?: readonly ModuleBytes[]
}

export type Inside = ArchiveInside | ElfInside

/** Limits what is inflated out of one file of an image, all levels of archives together. */
export class InflateBudget {
  readonly #layer: ByteLimit
  /** What the levels above have taken. */
  #used = 0
  /** That of the first level. */
  #first: ByteLimit | undefined

  constructor(limits: Limits) {
    this.#layer = byteLimit(limits)
  }

  /** What is left. @param compressed bytes that are read: the limit is a multiple of those that are inflated first */
  limitFor(compressed: number): ByteLimit {
    const { bytes, setting } = this.#first ?? this.#limitOf(compressed)
    return { bytes: bytes - this.#used, setting }
  }

  /** Counts a level that is entered. @throws Problem `too_large` */
  enter(compressed: number, inflated: number): void {
    enforce(this.limitFor(compressed), inflated)
    this.#first ??= this.#limitOf(compressed)
    this.#used += inflated
  }

  #limitOf(compressed: number): ByteLimit {
    const bytes = Math.max(64 * 1024 * 1024, 1000 * compressed)
    const setting = '64 MiB and 1,000 times the compressed bytes'
    return bytes < this.#layer.bytes ? { bytes, setting } : this.#layer
  }
}

/** @throws Problem `too_large` */
function enforce({ bytes, setting }: ByteLimit, inflated: number): void {
  if (inflated <= bytes) return
  throw new Problem(
    'too_large',
    `what is compressed in this file takes more than ${bytes} bytes, all levels together (${setting})`,
  )
}

async function* limited(pieces: AsyncIterable<Uint8Array>, limit: ByteLimit): AsyncGenerator<Uint8Array> {
  let inflated = 0
  for await (const piece of pieces) {
    inflated += piece.length
    enforce(limit, inflated)
    yield piece
  }
}

export type InsideOptions = {
  readonly limits: Limits
  readonly wasm: WasmModules
  readonly budget: InflateBudget
}

const HEAD_BYTES = 512
export const AR = '!<arch>\n'

/** @throws Problem `unknown_format`, `invalid_archive`, `too_large` */
export async function readInside(file: FileContent, options: InsideOptions): Promise<Inside> {
  const head = await file.read(0, HEAD_BYTES)
  if (isElf(head)) return elfInside(file)
  if (Buffer.from(head.subarray(0, AR.length)).toString('latin1') === AR) {
    return { kind: 'ar', compression: 'none', ...listed(await readArEntries(file.stream(0, file.bytes))) }
  }
  const compression = compressionOf(head.subarray(0, 4))
  if (isTar(head) || compression !== 'none') return tarInside(file, compression, options)
  const zip = await readZipListing(file)
  if (zip !== undefined) return { kind: 'zip', compression: 'none', ...zip }
  if (Buffer.from(head.subarray(0, 4)).toString('latin1') === 'PK\x03\x04')
    throw damaged('the file begins as a zip, but has no end record whose comment ends with the file')
  throw new Problem('unknown_format', 'the file is neither a zip, a tar, an ar archive nor an ELF file')
}

export function isTar(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(257, 262)).toString('latin1') === 'ustar'
}

async function tarInside(
  file: FileContent,
  compression: Compression,
  options: InsideOptions,
): Promise<ArchiveInside> {
  const limit = options.budget.limitFor(file.bytes)
  const chunks = startingAsTar(tarChunks(file, compression, { ...options, limit }), compression)
  const limits = { bytes: limit, entries: Math.min(MAX_ENTRIES, options.limits.entries) }
  return { kind: 'tar', compression, ...listed(await readTarEntries(chunks, limits)) }
}

/** The uncompressed tar. */
export async function* tarChunks(
  file: FileContent,
  compression: Compression,
  { limits, wasm, limit }: InsideOptions & { readonly limit: ByteLimit },
): AsyncGenerator<Uint8Array> {
  const pieces = file.stream(0, file.bytes)
  if (compression === 'none') {
    yield* pieces
    return
  }
  try {
    const source = new BlobReader(toStream(pieces))
    try {
      yield* limited((await decode(source, { wasm, zstdWindow: limits.zstdWindow })).chunks, limit)
    } finally {
      await source.cancel()
    }
  } catch (error) {
    throw asArchive(error)
  }
}

function toStream(pieces: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pieces.next()
        if (done) controller.close()
        else controller.enqueue(value.slice())
      },
      async cancel() {
        await pieces.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

/** @throws Problem `unknown_format` if something else is compressed */
async function* startingAsTar(
  chunks: AsyncGenerator<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array(0)
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.length < HEAD_BYTES) continue
    if (!isTar(head)) throw noTar(compression)
    yield head
    head = undefined
  }
  if (head !== undefined) throw noTar(compression)
}

function noTar(compression: Compression): Problem {
  return new Problem('unknown_format', `the file is compressed with ${compression}, but it is not a tar`)
}

function listed<Entry extends ArchiveEntry>({
  entries,
  warnings,
}: {
  readonly entries: readonly Entry[]
  readonly warnings: readonly ArchiveWarning[]
}): Pick<ArchiveInside, 'entries' | 'warnings'> {
  const at = (index: number): Entry => {
    const entry = entries[index]
    if (entry === undefined) throw new RangeError(`no entry ${index}`)
    return entry
  }
  const memoryBytes = entries.reduce((sum, { key }) => sum + key.length + 300, 0)
  return { entries: { count: entries.length, memoryBytes, at, key: (index) => at(index).key }, warnings }
}

async function elfInside(file: FileContent): Promise<ElfInside> {
  const elf = await readElf(file)
  const facts = await readElfFacts(file, elf)
  const functions = await readGoFunctions(file, elf)
  const modules = functions && bytesByModule(functions, await goModules(file, elf))
  return {
    kind: 'elf',
    file: elf,
    facts,
    areas: areaBytes(elf),
    ...(modules === undefined ? {} : { modules }),
  }
}

const MAX_BUILD_INFO_BYTES = 8 * 1024 * 1024

async function goModules(file: FileContent, elf: ElfFile): Promise<GoModules> {
  const known = new Map<string, { readonly name: string; readonly version?: string }>()
  const info = await goBuildInfo(file, elf)
  let main: string | undefined
  for (const { name, version, replaces, isMain } of info?.modules ?? []) {
    const path = replaces ?? name
    known.set(path, { name, ...(version === undefined ? {} : { version }) })
    if (isMain) main = path
  }
  return { version: info?.version, main, known }
}

async function goBuildInfo(file: FileContent, elf: ElfFile): Promise<GoBuildInfo | undefined> {
  for (const name of ['.go.buildinfo', '.data']) {
    const index = sectionNamed(elf, name)
    const bytes = index === undefined ? undefined : await readSection(file, elf, index, MAX_BUILD_INFO_BYTES)
    for (let at = bytes === undefined ? -1 : findBuildInfo(bytes, 0); bytes !== undefined && at >= 0; ) {
      const info = parseBuildInfo(bytes.subarray(at))
      if (info !== undefined && info !== 'more') return info
      at = findBuildInfo(bytes, at + 16)
    }
  }
  return undefined
}
