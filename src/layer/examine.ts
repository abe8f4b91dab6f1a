/**
 * What is inside a layer's files, found while they are read: modules of Go and Rust programs, symbols, Maven artifacts, versions
 * of runtimes. Of one file at most 16 MiB are in memory; a larger archive is put aside and read by ranges.
 */
import { WorkBudget } from '../concurrency.ts'
import { CARGO_SECTION, type Crate, MAX_CARGO_BYTES, parseCargoAuditable } from '../inside/cargo-auditable.ts'
import { type ElfFile, readElf, readSection, sectionNamed } from '../inside/elf.ts'
import { areaOf, symbolStrings } from '../inside/elf-areas.ts'
import { isElf } from '../inside/elf-header.ts'
import { type GoBuildInfo, isExecutable } from '../inside/go-build-info.ts'
import { BuildInfoSearch } from '../inside/go-build-info-search.ts'
import { type InflateRoom, isJarName, isUnreadable, type Jar, readJar } from '../inside/jar.ts'
import { type FileRanges, rangesOf } from '../inside/ranges.ts'
import { type Runtime, runtimeAt, VersionSearch } from '../inside/runtimes.ts'
import { Problem } from '../problem.ts'
import type { Member } from '../tar/member.ts'
import { toBytes } from '../text/bytes.ts'
import { cleanPath } from '../text/clean-path.ts'
import type { PathKey } from '../text/path.ts'
import { HeldParts, NotHeld } from './held-parts.ts'

export type Examined = {
  readonly go?: GoBuildInfo
  readonly cargo?: readonly Crate[]
  readonly jar?: Jar | 'unreadable'
  readonly runtime?: { readonly name: string; readonly version: string }
  /** Bytes of symbols and debug information in a program or shared library. */
  readonly symbolBytes?: number
}

/** Content put aside, for random access. */
export interface Scratch {
  /** @param piece is copied */
  write(piece: Uint8Array): void | Promise<void>
  finish(): Promise<FileRanges>
  release(): Promise<void>
}

/** Receives what is found. */
export type ExaminedSink = {
  scratch(): Scratch
  /** `left out` if a layer's limit does not leave room for it. */
  examined(key: PathKey, ordinal: number, found: Examined): Promise<'kept' | 'left out'>
}

/** A file up to this size is held whole. */
export const HELD_BYTES = 8 * 1024 * 1024
const HELD_INNER_BYTES = 2 * 1024 * 1024
/**
 * Limit on what is inflated of one layer's archives, besides a multiple of what they have themselves: a small layer of bombs
 * takes seconds, and no layer of real archives comes close.
 */
const MAX_INFLATED_BYTES = 1024 ** 3
const MAX_INFLATION = 4

/** As what a file is examined because of its name; undefined for one that only its content makes a candidate. */
function namedFor(key: PathKey): string | undefined {
  return isJarName(key) ? 'archive' : runtimeAt(key)?.name
}

/** Whether files of that name are examined whatever their content. */
export function isExaminedByName(key: PathKey): boolean {
  return namedFor(key) !== undefined
}

/** Whether a file is examined because of one of its names, but not because of the other, or as something else. */
export function isExaminedOnlyAs(key: PathKey, other: PathKey): boolean {
  const name = namedFor(key)
  return name !== undefined && name !== namedFor(other)
}

/** Whether a hard link has a name by which files are examined, and its target another, under which it was not found. */
export function linksExamined({ key, link = '' }: Pick<Member, 'key' | 'link'>): boolean {
  return isExaminedByName(key) && isExaminedOnlyAs(key, cleanPath(toBytes(link)).key)
}

/** Examines file after file. */
export class FileExaminer {
  readonly #sink: ExaminedSink
  readonly #room: InflateRoom
  readonly #work = new WorkBudget()
  /** Holds one file after the other. */
  #buffer = new Uint8Array(64 * 1024)
  #inflatedBytes = 0
  /** Of the archives so far. */
  #archiveBytes = 0
  #bytes = 0
  #filled = 0
  #isJar = false
  #version: { readonly runtime: Runtime; readonly search: VersionSearch } | undefined
  #whole: Uint8Array | undefined
  #program: Program | undefined
  #aside: Scratch | undefined
  #inner: Scratch[] = []

  constructor(sink: ExaminedSink) {
    this.#sink = sink
    this.#room = {
      charge: (bytes) => this.#charge(bytes),
      hold: (content, bytes) => this.#hold(content, bytes),
    }
  }

  /** Begins a regular file. */
  open(key: PathKey, bytes: number): void {
    this.#bytes = bytes
    this.#filled = 0
    this.#whole = undefined
    this.#program = undefined
    this.#version = undefined
    this.#isJar = isJarName(key)
    if (this.#isJar) this.#archiveBytes += bytes
    const runtime = runtimeAt(key)
    if (runtime !== undefined) this.#version = { runtime, search: new VersionSearch(runtime) }
  }

  /** @param piece valid until the next one */
  write(piece: Uint8Array): void | Promise<void> {
    const isFirst = this.#filled === 0
    if (isFirst && mayBeExecutable(piece)) this.#program = new Program(this.#bytes)
    this.#version?.search.push(piece)
    const at = this.#filled
    this.#filled += piece.length
    if (!this.#isJar && this.#program === undefined) return
    if (isFirst && piece.length === this.#bytes) this.#whole = piece
    else if (this.#bytes <= HELD_BYTES) this.#keep(piece, at)
    else {
      this.#program?.write(piece, at)
      if (this.#isJar) {
        this.#aside ??= this.#sink.scratch()
        return this.#aside.write(piece)
      }
    }
  }

  /** Ends the file. Undefined if there is nothing to find in it. */
  close(): Promise<Examined | undefined> | undefined {
    if (!this.#isJar && this.#program === undefined && this.#version === undefined) return undefined
    return this.#finish()
  }

  async #finish(): Promise<Examined | undefined> {
    const whole =
      this.#whole ?? (this.#bytes <= HELD_BYTES ? this.#buffer.subarray(0, this.#filled) : undefined)
    const found: Examined = {
      ...(this.#program === undefined ? {} : await this.#program.finish(whole)),
      ...(this.#isJar ? { jar: await this.#readJar(whole) } : {}),
      ...this.#runtime(),
    }
    return Object.keys(found).length === 0 ? undefined : found
  }

  #runtime(): Pick<Examined, 'runtime'> {
    if (this.#version === undefined) return {}
    const { runtime, search } = this.#version
    search.finish()
    return search.version === undefined ? {} : { runtime: { name: runtime.name, version: search.version } }
  }

  async #readJar(whole: Uint8Array | undefined): Promise<Jar | 'unreadable'> {
    try {
      const file = whole === undefined ? await this.#aside?.finish() : rangesOf(whole)
      return await readJar(file ?? rangesOf(new Uint8Array(0)), this.#room)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return 'unreadable'
    } finally {
      await this.release()
    }
  }

  /** Removes what was put aside. */
  async release(): Promise<void> {
    const aside = this.#aside === undefined ? this.#inner : [this.#aside, ...this.#inner]
    this.#aside = undefined
    this.#inner = []
    for (const scratch of aside) await scratch.release()
  }

  #keep(piece: Uint8Array, at: number): void {
    if (this.#buffer.length < this.#bytes)
      this.#buffer = new Uint8Array(Math.max(this.#bytes, Math.min(HELD_BYTES, 2 * this.#buffer.length)))
    this.#buffer.set(piece, at)
  }

  #charge(bytes: number): void | Promise<void> {
    this.#inflatedBytes += bytes
    const limit = MAX_INFLATED_BYTES + MAX_INFLATION * this.#archiveBytes
    if (this.#inflatedBytes > limit)
      throw new Problem('too_large', `the archives of the layer inflate to more than ${limit} bytes`)
    if (this.#work.isDue(bytes)) return this.#work.yield()
  }

  async #hold(content: AsyncIterable<Uint8Array>, bytes: number): Promise<FileRanges> {
    if (bytes <= HELD_INNER_BYTES) {
      const held = new Uint8Array(bytes)
      let filled = 0
      for await (const piece of content) {
        held.set(piece, filled)
        filled += piece.length
      }
      return rangesOf(held.subarray(0, filled))
    }
    const scratch = this.#sink.scratch()
    this.#inner.push(scratch)
    for await (const piece of content) await scratch.write(piece)
    return scratch.finish()
  }
}

/** By the first bytes; a first piece that is too short to tell may be one. */
function mayBeExecutable(piece: Uint8Array): boolean {
  const first = piece[0]
  if (first !== 0x7f && first !== 0x4d && first !== 0xfe && (first ?? 0) >> 4 !== 0xc) return false
  return piece.length < 4 || isExecutable(piece)
}

/** A program, held whole or in parts. */
class Program {
  readonly #bytes: number
  #parts: HeldParts | undefined
  readonly #buildInfo = new BuildInfoSearch()

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  write(piece: Uint8Array, at: number): void {
    this.#parts ??= new HeldParts(this.#bytes)
    this.#parts.write(piece, at)
    this.#buildInfo.push(piece)
  }

  /** @param whole undefined if it came by `write` */
  async finish(whole: Uint8Array | undefined): Promise<Examined> {
    if (whole !== undefined) this.#buildInfo.push(whole)
    const file = this.#parts ?? rangesOf(whole ?? new Uint8Array(0))
    const head = await file.read(0, Math.min(64, this.#bytes))
    if (!isExecutable(head)) return {}
    const go = this.#buildInfo.finish()
    const elf = isElf(head) ? await sectionsOf(file) : undefined
    const symbols = elf === undefined ? 0 : symbolBytes(elf)
    const cargo = elf === undefined ? undefined : await cratesIn(file, elf)
    return {
      ...(go === undefined ? {} : { go }),
      ...(cargo === undefined ? {} : { cargo }),
      ...(symbols === 0 ? {} : { symbolBytes: symbols }),
    }
  }
}

const EXECUTABLE = 2
const SHARED = 3

/** What `strip -s` removes. */
function symbolBytes(elf: ElfFile): number {
  const { header, sections } = elf
  if (header.type !== EXECUTABLE && header.type !== SHARED) return 0
  const strings = symbolStrings(elf)
  let bytes = 0
  for (let index = 1; index < sections.count; index++) {
    if (sections.type(index) === 0) continue
    const area = areaOf(elf, index, strings)
    if ((area === 'debug' || area === 'symbols') && (sections.flags(index) & 2) === 0)
      bytes += sections.stored(index)
  }
  return bytes
}

async function cratesIn(file: FileRanges, elf: ElfFile): Promise<readonly Crate[] | undefined> {
  const index = sectionNamed(elf, CARGO_SECTION)
  if (index === undefined) return undefined
  try {
    const section = await readSection(file, elf, index, MAX_CARGO_BYTES)
    return section && parseCargoAuditable(section)
  } catch (error) {
    if (!(error instanceof NotHeld)) throw error
    return undefined
  }
}

async function sectionsOf(file: FileRanges): Promise<ElfFile | undefined> {
  try {
    return await readElf(file)
  } catch (error) {
    if (!(error instanceof NotHeld) && !isUnreadable(error)) throw error
    return undefined
  }
}
