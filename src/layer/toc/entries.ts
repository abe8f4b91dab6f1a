/** The entries of a table of contents as members of a layer, checked against each other. */
import { hash } from 'node:crypto'
import { Problem } from '../../problem.ts'
import type { MemberType } from '../../tar/member.ts'
import { MAX_PATH_BYTES, MAX_PATH_PARTS, MAX_TIME, MIN_TIME } from '../../tar/scan.ts'
import { type ByteString, compareText, encodeText, toBytes } from '../../text/bytes.ts'
import { cleanPath } from '../../text/clean-path.ts'
import { isKeptDatabase, linksDatabase, MAX_DATABASE_BYTES } from '../database.ts'
import { type Entry, whiteoutOf } from '../entry.ts'
import { type ByteLimit, enforce } from '../limits.ts'
import { LayerWarnings } from '../warnings.ts'
import { type Chunk, type ChunkSink, type FileChunks, MAX_FILE_CHUNKS } from './chunk.ts'
import type { Fields } from './split.ts'
import { invalidTable, TABLE } from './verified-toc.ts'

const SHA256_OF_NOTHING = hash('sha256', '', 'binary')
const SHA256 = /^sha256:([0-9a-f]{64})$/
/** A time as Go writes it. */
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/
/** Go's zero time, which its tar writer turns into time 0. */
const NO_TIME = '0001-01-01T00:00:00Z'
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
/** Limit on the files whose chunks are remembered until they are read: each takes some hundred bytes. */
const MAX_WANTED = 50_000

const TYPES: ReadonlyMap<unknown, MemberType> = new Map<string, MemberType>([
  ['reg', 'file'],
  ['dir', 'directory'],
  ['symlink', 'symlink'],
  ['hardlink', 'hardlink'],
  ['char', 'character'],
  ['block', 'block'],
  ['fifo', 'fifo'],
])

/** A name that the table cannot express, since it is not UTF-8: the layer must be read whole. */
export class UnsaidName extends Error {}

/** A file, and where its content is. */
export type TableFile = Pick<Entry, 'key' | 'ordinal' | 'bytes' | 'sha256'> & FileChunks

/** The file whose chunks are being read. */
type OpenFile = {
  readonly number: number
  readonly name: string
  readonly bytes: number
  covered: number
  chunks: number
  /** Where the table says that its last chunk ends. */
  readonly blobEnd: number | undefined
  readonly wanted: WantedFile | undefined
}

type WantedFile = { -readonly [Field in keyof TableFile]: TableFile[Field] } & { chunks: Chunk[] }

type Position = { readonly blobOffset: number; readonly inner: number }

export type EntryLimits = {
  readonly bytes: ByteLimit
  readonly entries: number
  /** Where the content of the blob ends. */
  readonly contentEnd: number
  /** Files whose chunks are remembered: package databases, if nothing else is chosen. */
  readonly isWanted?: ((file: Entry) => boolean) | undefined
}

/** Takes the entries in the order of the table, which is that of the tar. */
export class TableEntries {
  readonly #limits: EntryLimits
  readonly #sink: ChunkSink
  readonly #warnings = new LayerWarnings()
  readonly #wanted: WantedFile[] = []
  /** Those in the last member or frame, which ends where the next chunk begins. */
  #endless: WantedFile[] = []
  #wantedBytes = 0
  #file: OpenFile | undefined
  /** Of the last chunk. */
  #last: Position = { blobOffset: 0, inner: 0 }
  /** Where the content that was told so far ends, in what holds the last chunk. */
  #innerEnd = 0
  /** The blob is covered up to here. */
  #taken = 0
  /** Entries of the table so far, chunks included. */
  #number = -1
  #members = 0
  #fileBytes = 0
  #linksDatabases = false

  constructor(limits: EntryLimits, sink: ChunkSink) {
    this.#limits = limits
    this.#sink = sink
  }

  get members(): number {
    return this.#members
  }

  get fileBytes(): number {
    return this.#fileBytes
  }

  get linksDatabases(): boolean {
    return this.#linksDatabases
  }

  get warnings(): LayerWarnings {
    return this.#warnings
  }

  /** In the order of the table; complete after `finish`. */
  get wanted(): readonly TableFile[] {
    return this.#wanted
  }

  /**
   * Takes the next entry.
   *
   * @returns undefined for a chunk. `offset` is the number of the file's first chunk in the sink
   * @throws Problem `invalid_image`, `too_large`; UnsaidName
   */
  take(fields: Fields): Entry | undefined {
    this.#number++
    if (fields.type === 'chunk') {
      this.#takeChunk(fields)
      return undefined
    }
    this.#closeFile()
    const member = this.#member(fields)
    if (member.type === 'file') this.#takeFile(fields, member)
    return member
  }

  /** @throws Problem `invalid_image` if the last file is not whole */
  finish(): void {
    this.#closeFile()
    this.#endWanted(this.#limits.contentEnd)
  }

  #member(fields: Fields): Entry {
    const type = TYPES.get(fields.type)
    if (type === undefined) throw this.#wrong(`has the unknown type ${JSON.stringify(fields.type)}`)
    const path = cleanPath(toBytes(this.#name(fields, 'name')))
    if (path.key.length > MAX_PATH_BYTES || path.parts > MAX_PATH_PARTS) {
      const most = `${MAX_PATH_BYTES} bytes and ${MAX_PATH_PARTS} parts`
      throw this.#tooLarge(`a path of ${path.key.length} bytes and ${path.parts} parts: at most ${most}`)
    }
    this.#members++
    if (this.#members > this.#limits.entries)
      throw this.#tooLarge(`more than ${this.#limits.entries} members (LAMINA_MAX_ENTRIES)`)
    const isLink = type === 'symlink' || type === 'hardlink'
    const isDevice = type === 'character' || type === 'block'
    const bytes = type === 'file' ? this.#count(fields, 'size') : 0
    const member: Entry = {
      key: path.key,
      type,
      bytes,
      mode: this.#count(fields, 'mode') & 0o7777,
      uid: this.#count(fields, 'uid'),
      gid: this.#count(fields, 'gid'),
      mtime: this.#time(fields),
      sha256: type === 'file' ? this.#contentDigest(fields, bytes) : undefined,
      link: isLink ? this.#name(fields, 'linkName') : undefined,
      device: isDevice ? [this.#count(fields, 'devMajor'), this.#count(fields, 'devMinor')] : undefined,
      xattrs: this.#xattrs(fields),
      whiteout: whiteoutOf(path.key),
      ordinal: this.#members - 1,
      offset: this.#sink.count,
    }
    this.#fileBytes += member.whiteout === undefined ? bytes : 0
    enforce(this.#limits.bytes, this.#fileBytes)
    if (member.whiteout !== undefined) return member
    if (path.absolute) this.#warnings.add('absolute', member.key)
    if (path.dotdots > 0) this.#warnings.add('dotdot', member.key, path.dotdots)
    this.#linksDatabases ||= type === 'hardlink' && linksDatabase(member)
    return member
  }

  #takeFile(fields: Fields, member: Entry): void {
    const { bytes } = member
    if (bytes === 0) {
      if (this.#isWanted(member)) this.#openWanted(member)
      return
    }
    const blobEnd = this.#optionalCount(fields, 'endOffset')
    if (this.#count(fields, 'chunkOffset') !== 0)
      throw this.#wrong('begins with a chunk that is not its first')
    const wanted = this.#isWanted(member) ? this.#openWanted(member) : undefined
    const name = this.#text(fields, 'name')
    this.#file = { number: this.#number, name, bytes, covered: 0, chunks: 0, blobEnd, wanted }
    this.#addChunk(this.#file, fields)
  }

  #takeChunk(fields: Fields): void {
    const file = this.#file
    const name = fields.name === undefined ? file?.name : this.#text(fields, 'name')
    if (file === undefined || name !== file.name || file.covered === file.bytes)
      throw this.#wrong('is a chunk that belongs to no file')
    if (this.#count(fields, 'chunkOffset') !== file.covered)
      throw this.#wrong(`is a chunk that does not begin at byte ${file.covered} of its file`)
    this.#addChunk(file, fields)
  }

  #addChunk(file: OpenFile, fields: Fields): void {
    const left = file.bytes - file.covered
    const bytes = this.#optionalCount(fields, 'chunkSize') ?? left
    if (bytes > left) throw this.#wrong(`has a chunk that ends after its file of ${file.bytes} bytes`)
    file.chunks++
    if (file.chunks > MAX_FILE_CHUNKS) throw this.#tooLarge(`a file of more than ${MAX_FILE_CHUNKS} chunks`)
    const sha256 = fields.chunkDigest === undefined ? undefined : this.#digest(fields, 'chunkDigest')
    file.covered += bytes
    const position = this.#position(fields)
    this.#innerEnd = position.inner + bytes
    const isLast = file.covered === file.bytes
    const blobEnd = isLast ? file.blobEnd : undefined
    if (blobEnd !== undefined) {
      if (blobEnd <= position.blobOffset || blobEnd > this.#limits.contentEnd)
        throw this.#wrong(`ends at byte ${blobEnd}, which is not in the content of the blob`)
      this.#taken = blobEnd
    }
    this.#sink.add({ bytes, sha256, ...position, blobEnd })
    const { wanted } = file
    if (wanted === undefined) return
    if (file.chunks === 1) Object.assign(wanted, position)
    wanted.chunks.push({ bytes, sha256 })
    if (isLast && blobEnd !== undefined) wanted.blobEnd = blobEnd
    else if (isLast) this.#endless.push(wanted)
  }

  /** Chunks are contiguous in the blob; several may share a gzip member. */
  #position(fields: Fields): Position {
    const blobOffset = this.#optionalCount(fields, 'offset')
    if (blobOffset === undefined) throw this.#wrong('has content, but no offset')
    const inner = this.#count(fields, 'innerOffset')
    const last = this.#last
    const sharesMember = blobOffset === last.blobOffset && last.blobOffset > 0
    const isBehind = sharesMember
      ? inner >= this.#innerEnd
      : blobOffset >= this.#taken && blobOffset > last.blobOffset
    if (!isBehind) throw this.#wrong(`begins at byte ${blobOffset}, within the previous content`)
    if (blobOffset >= this.#limits.contentEnd)
      throw this.#wrong(`begins at byte ${blobOffset}, after the content of the blob`)
    if (!sharesMember) this.#endWanted(blobOffset)
    this.#last = { blobOffset, inner }
    return this.#last
  }

  #closeFile(): void {
    const file = this.#file
    this.#file = undefined
    if (file === undefined || file.covered === file.bytes) return
    throw invalidTable(
      `the chunks of entry ${file.number} (${JSON.stringify(file.name)}) have ${file.covered} bytes, the file has ${file.bytes}`,
    )
  }

  #isWanted(entry: Entry): boolean {
    const { isWanted } = this.#limits
    if (isWanted !== undefined) return this.#wanted.length === 0 && isWanted(entry)
    const { key, bytes, whiteout } = entry
    if (whiteout !== undefined || !isKeptDatabase(key)) return false
    if (this.#wantedBytes + bytes > MAX_DATABASE_BYTES || this.#wanted.length >= MAX_WANTED) {
      this.#warnings.add('databaseTooLarge', key)
      return false
    }
    this.#wantedBytes += bytes
    return true
  }

  #openWanted({ key, ordinal, bytes, sha256 }: Entry): WantedFile {
    const { blobOffset } = this.#last
    const place = { blobOffset, inner: 0, blobEnd: blobOffset }
    const wanted: WantedFile = { key, ordinal, bytes, sha256, ...place, chunks: [] }
    this.#wanted.push(wanted)
    return wanted
  }

  #endWanted(blobEnd: number): void {
    for (const wanted of this.#endless) wanted.blobEnd = blobEnd
    this.#endless = []
  }

  #text(fields: Fields, name: string): string {
    const value = fields[name]
    if (typeof value !== 'string') throw this.#wrong(`has no ${name}`)
    return value
  }

  #name(fields: Fields, name: string): ByteString {
    const text = this.#text(fields, name)
    if (text.includes('\0')) throw this.#wrong(`has a ${name} with a zero byte`)
    // Go writes U+FFFD for bytes that are not UTF-8.
    if (text.includes('\ufffd') || !text.isWellFormed()) throw new UnsaidName(text)
    return encodeText(text)
  }

  #count(fields: Fields, name: string): number {
    return this.#optionalCount(fields, name) ?? 0
  }

  /** Go omits zeros, so 0 counts as absent. */
  #optionalCount(fields: Fields, name: string): number | undefined {
    const value = fields[name]
    if (value === undefined || value === null || value === 0) return undefined
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw this.#wrong(`has the ${name} ${JSON.stringify(value)}, which is not a whole number`)
    return value
  }

  #digest(fields: Fields, name: string): ByteString {
    const hex = SHA256.exec(this.#text(fields, name))?.[1]
    if (hex === undefined)
      throw this.#wrong(`has the ${name} ${JSON.stringify(fields[name])}, which is not a sha256`)
    return Buffer.from(hex, 'hex').toString('latin1')
  }

  #contentDigest(fields: Fields, bytes: number): ByteString {
    if (bytes > 0) return this.#digest(fields, 'digest')
    const hasDigest = fields.digest !== undefined && fields.digest !== ''
    if (hasDigest && this.#digest(fields, 'digest') !== SHA256_OF_NOTHING)
      throw this.#wrong('is empty, but its digest is not that of empty content')
    return SHA256_OF_NOTHING
  }

  /** In microseconds, rounded down. */
  #time(fields: Fields): number {
    const { modtime } = fields
    if (modtime === undefined || modtime === null || modtime === '' || modtime === NO_TIME) return 0
    const [, date, fraction = '', zone] = TIME.exec(String(modtime)) ?? []
    const seconds = Date.parse(`${date}${zone}`) / 1000
    if (Number.isNaN(seconds))
      throw this.#wrong(`has the modtime ${JSON.stringify(modtime)}, which is not a time`)
    const microseconds = Number(fraction.padEnd(6, '0').slice(0, 6))
    return Math.min(Math.max(seconds * 1e6 + microseconds, MIN_TIME), MAX_TIME)
  }

  #xattrs({ xattrs }: Fields): Entry['xattrs'] {
    if (typeof xattrs !== 'object' || xattrs === null) return undefined
    const pairs = Object.entries(xattrs).map(([name, value]): [ByteString, ByteString] => {
      if (name.includes('\ufffd') || !name.isWellFormed()) throw new UnsaidName(name)
      if (value !== null && (typeof value !== 'string' || !BASE64.test(value)))
        throw this.#wrong(`has an xattr ${JSON.stringify(name)} whose value is not base64`)
      return [encodeText(name), Buffer.from(value ?? '', 'base64').toString('latin1')]
    })
    if (pairs.length === 0) return undefined
    return new Map(pairs.sort(([a], [b]) => compareText(a, b)))
  }

  #wrong(what: string): Problem {
    return invalidTable(`entry ${this.#number} ${what}`)
  }

  #tooLarge(what: string): Problem {
    return new Problem('too_large', `${TABLE} has ${what}, at entry ${this.#number}`, { permanent: true })
  }
}
