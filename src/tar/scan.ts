/**
 * Reads and writes tars. This file scans a tar as a stream. It reads headers in place and returns bodies as views of its
 * input, so it copies nothing and its memory does not depend on the archive. Where writers differ, it follows Python's
 * tarfile.
 */
import { type ByteString, toByteString, toBytes } from '../text/bytes.ts'
import { type CleanPath, cleanPath } from '../text/clean-path.ts'
import { excessive, malformed } from './fault.ts'
import { BLOCK, checkBlock, memberType, padding, readName, readNumber, readText, TYPE } from './header.ts'
import type { Member } from './member.ts'
import { type PaxRecords, parsePax, paxInteger, paxText, paxTime, paxXattrs } from './pax.ts'
import {
  checkedMap,
  EXTENSION_MAP,
  HEADER_MAP,
  MapReader,
  paxSparse,
  readPieces,
  type SparseMap,
} from './sparse.ts'

export type ScanLimits = {
  /** Bytes of the uncompressed tar, with the holes of sparse members filled. */
  readonly bytes: { readonly bytes: number; readonly setting: string }
  readonly entries: number
}

/** Complete once all its headers are read. */
type OpenMember = { -readonly [Field in keyof Member]: Member[Field] }

/**
 * `member`: a header was read; see `scanner.member`. `content`: `scanner.content` is the next piece of a regular file,
 * with holes filled. `end`: the member is complete. `hungry`: feed more.
 */
export type ScanEvent = 'member' | 'content' | 'end' | 'hungry'

type State = 'header' | 'extension' | 'sparse blocks' | 'sparse map' | 'content' | 'skip' | 'over'

/** What an extended header says about the next member. */
type Extension =
  | { readonly kind: 'name' | 'link'; readonly value: Uint8Array }
  | { readonly kind: 'pax'; readonly records: PaxRecords }

/** Limit for one extended header, for all global ones together, and for the map of a sparse member. */
const MAX_EXTENSION_BYTES = 1024 * 1024
/** Limit for all extended headers before one member, including their own headers. */
const MAX_EXTENSIONS_BYTES = 2 * MAX_EXTENSION_BYTES
export const MAX_PATH_BYTES = 4096
export const MAX_PATH_PARTS = 256
const ZEROS = new Uint8Array(64 * 1024)
const SLASH = 0x2f
const NOTHING = new Uint8Array(0)
const NO_RECORDS: PaxRecords = new Map()
/** Years 1 to 9999 in microseconds since 1970: the range of RFC 3339. */
export const MIN_TIME = -62_135_596_800e6
export const MAX_TIME = 253_402_300_799e6

/** What the headers say about a member; later ones override earlier ones. */
type Fields = {
  name: Uint8Array
  link: Uint8Array
  /** Stored bytes; 0 for types without content. */
  size: number
  uid: number
  gid: number
  /** Microseconds since 1970. */
  mtime: number
  /** Position of the extended header that decided. */
  records: PaxRecords
}

export class TarScanner {
  readonly #limits: ScanLimits
  #state: State = 'header'

  #chunk: Uint8Array = NOTHING
  /** How much of the chunk was consumed. */
  #at = 0
  /** Position of the chunk's first byte in the tar. */
  #base = 0
  /** The last block: in the chunk, or in `#carry` if it spans two chunks. */
  #block: Uint8Array = NOTHING
  #blockAt = 0
  readonly #carry = new Uint8Array(BLOCK)
  #carried = 0
  #skip = 0

  #global: PaxRecords = NO_RECORDS
  #globalBytes = 0
  /** The extended headers before the next member, in order. */
  #extensions: Extension[] = []
  #extensionsBytes = 0
  #extensionType = 0
  #body: Uint8Array = NOTHING
  #bodyFilled = 0

  #member: OpenMember | undefined
  #path: CleanPath = cleanPath(NOTHING)
  #entries = 0
  /** Position of the last header in the tar. */
  #position = 0
  #content: Uint8Array = NOTHING
  /** Bytes of the member's content that are still to come. */
  #left = 0
  #padding = 0
  /** How much of the member's expanded content was returned. */
  #done = 0
  /** For a sparse member: its map, and the position in it. */
  #map: SparseMap | undefined
  #piece = 0
  #pieces: number[] = []
  #mapReader: MapReader | undefined
  #mapBytes = 0
  /** Bytes that members add beyond the tar's own: holes, and records of global headers. */
  #beyond = 0

  constructor(limits: ScanLimits) {
    this.#limits = limits
  }

  get member(): Member {
    return this.#current()
  }

  /** A method, like `#here`, since V8 looks up a private getter anew at each use, of which each member has many. */
  #current(): OpenMember {
    if (this.#member === undefined) throw new Error('no member has been read yet')
    return this.#member
  }

  /** Properties of the member's raw name. */
  get path(): CleanPath {
    return this.#path
  }

  /** Valid until the next call of `next`. */
  get content(): Uint8Array {
    return this.#content
  }

  /** The content has holes, which the tar does not store. */
  get isSparse(): boolean {
    return this.#map !== undefined
  }

  /** Whether the block of zeros that ends an archive was read. */
  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Members so far. */
  get entries(): number {
    return this.#entries
  }

  /** Feeds the next bytes of the tar, when `next` is hungry. They must not change until it is hungry again. */
  feed(chunk: Uint8Array): void {
    // The previous chunk is consumed; its memory may already be reused.
    this.#base += this.#at
    this.#chunk = chunk
    this.#at = 0
  }

  /**
   * Skips the content of the member that `next` just returned.
   *
   * @returns how many of the bytes that follow need not be fed
   */
  leaveOut(): number {
    const bytes = this.#left + this.#padding
    const here = Math.min(bytes, this.#chunk.length - this.#at)
    this.#at += here
    this.#base += bytes - here
    this.#state = 'header'
    return bytes - here
  }

  /** @throws Problem `invalid_image` or `too_large`, with the place in the tar */
  next(): ScanEvent {
    for (;;) {
      switch (this.#state) {
        case 'header':
          if (!this.#takeBlock()) return 'hungry'
          if (this.#readHeader()) return 'member'
          break
        case 'extension':
          if (!this.#takeBody()) return 'hungry'
          this.#readExtension()
          break
        case 'sparse blocks':
          if (!this.#takeBlock()) return 'hungry'
          if (this.#readSparseBlock()) return 'member'
          break
        case 'sparse map':
          if (!this.#takeBlock()) return 'hungry'
          if (this.#readSparseMap()) return 'member'
          break
        case 'content':
          if (this.#done < this.#current().bytes) return this.#takeContent() ? 'content' : 'hungry'
          this.#pass(this.#left + this.#padding)
          return 'end'
        case 'skip': {
          const step = Math.min(this.#skip, this.#chunk.length - this.#at)
          this.#at += step
          this.#skip -= step
          if (this.#skip > 0) return 'hungry'
          this.#state = 'header'
          break
        }
        case 'over':
          this.#at = this.#chunk.length
          return 'hungry'
      }
    }
  }

  /** Signals the end of the input. The end marker may be missing, but every member must be complete. */
  finish(): void {
    const between = this.#state === 'header' && this.#carried === 0 && this.#extensions.length === 0
    if (between || this.#state === 'over') return
    const inside = this.#state === 'content' || this.#state === 'skip' ? 'content' : 'header'
    throw malformed(`the tar ends in the middle of a member's ${inside},`, this.#here())
  }

  #here(): number {
    return this.#base + this.#at
  }

  #takeBlock(): boolean {
    const available = this.#chunk.length - this.#at
    if (this.#carried === 0 && available >= BLOCK) {
      this.#block = this.#chunk
      this.#blockAt = this.#at
      this.#at += BLOCK
      return true
    }
    const step = Math.min(BLOCK - this.#carried, available)
    this.#carry.set(this.#chunk.subarray(this.#at, this.#at + step), this.#carried)
    this.#at += step
    this.#carried += step
    if (this.#carried < BLOCK) return false
    this.#carried = 0
    this.#block = this.#carry
    this.#blockAt = 0
    return true
  }

  #takeBody(): boolean {
    const available = this.#chunk.length - this.#at
    const step = Math.min(this.#body.length - this.#bodyFilled, available)
    this.#body.set(this.#chunk.subarray(this.#at, this.#at + step), this.#bodyFilled)
    this.#at += step
    this.#bodyFilled += step
    return this.#bodyFilled === this.#body.length
  }

  /** The next piece of content: stored bytes, or zeros for a hole. */
  #takeContent(): boolean {
    let wanted = this.#current().bytes - this.#done
    if (this.#map !== undefined) {
      const [offset, length] = [this.#map[this.#piece], this.#map[this.#piece + 1]]
      const hole = (offset ?? this.#current().bytes) - this.#done
      if (hole > 0) {
        this.#content = ZEROS.subarray(0, hole)
        this.#done += this.#content.length
        return true
      }
      wanted = (offset ?? 0) + (length ?? 0) - this.#done
    }
    const step = Math.min(wanted, this.#chunk.length - this.#at)
    if (step === 0) return false
    this.#content = this.#chunk.subarray(this.#at, this.#at + step)
    this.#at += step
    this.#left -= step
    this.#done += step
    if (step === wanted) this.#piece += 2
    return true
  }

  #pass(bytes: number): void {
    this.#skip = bytes
    this.#state = 'skip'
  }

  /** Whether the header's member is complete. */
  #readHeader(): boolean {
    this.#position = this.#here() - BLOCK
    switch (checkBlock(this.#block, this.#blockAt)) {
      case 'invalid':
        throw malformed(
          this.#position === 0
            ? 'this is no tar: no valid header'
            : 'the checksum of the header does not match',
          this.#position,
        )
      case 'zeros':
        if (this.#extensions.length > 0)
          throw malformed('an extended header is not followed by a member', this.#position)
        this.#state = 'over'
        return false
      case 'valid': {
        const type = this.#block[this.#blockAt + 156] ?? 0
        switch (type) {
          case TYPE.pax:
          case TYPE.paxGlobal:
          case TYPE.solarisExtended:
          case TYPE.longName:
          case TYPE.longLink:
            this.#beginExtension(type)
            return false
          default:
            return this.#beginMember(type)
        }
      }
    }
  }

  #beginExtension(type: number): void {
    const bytes = this.#field('size', 124, 12)
    this.#extensionsBytes += BLOCK + bytes
    if (bytes < 0) throw malformed('an extended header has a negative size', this.#position)
    if (bytes > MAX_EXTENSION_BYTES) {
      throw excessive(`an extended header of ${bytes} bytes`, this.#position, `${MAX_EXTENSION_BYTES}`)
    }
    if (this.#extensionsBytes > MAX_EXTENSIONS_BYTES) {
      throw excessive(
        'too many extended headers for one member',
        this.#position,
        `${MAX_EXTENSIONS_BYTES} bytes`,
      )
    }
    this.#extensionType = type
    this.#body = new Uint8Array(bytes)
    this.#bodyFilled = 0
    this.#state = 'extension'
  }

  #readExtension(): void {
    const body = this.#body
    this.#body = NOTHING
    this.#pass(padding(body.length))
    const type = this.#extensionType
    if (type === TYPE.longName || type === TYPE.longLink) {
      const kind = type === TYPE.longName ? 'name' : 'link'
      this.#extensions.push({ kind, value: readText(body, 0, body.length) })
      return
    }
    const records = parsePax(body, this.#here() - body.length)
    if (type !== TYPE.paxGlobal) {
      this.#extensions.push({ kind: 'pax', records: merged(this.#global, records) })
      return
    }
    this.#global = merged(this.#global, records)
    this.#globalBytes = 0
    for (const [keyword, value] of this.#global) this.#globalBytes += keyword.length + value.length
    if (this.#globalBytes > MAX_EXTENSION_BYTES) {
      throw excessive('too many global PAX records', this.#position, `${MAX_EXTENSION_BYTES} bytes`)
    }
  }

  /** Whether the member is complete: it is not while more blocks of its sparse map follow. */
  #beginMember(flag: number): boolean {
    const fields = this.#readFields(flag)
    const { name, records } = fields
    // V7 had no type for directories.
    const isOldDirectory = flag === TYPE.oldFile && name[name.length - 1] === SLASH
    const type = isOldDirectory ? 'directory' : memberType(flag)
    const stored = type === 'file' || type === 'other' ? fields.size : 0
    if (stored < 0) throw malformed(`a member has a size of ${stored} bytes`, this.#position)

    this.#path = cleanPath(name)
    const { key, parts } = this.#path
    if (key.length > MAX_PATH_BYTES || parts > MAX_PATH_PARTS) {
      const size = `a path of ${key.length} bytes and ${parts} parts`
      throw excessive(size, this.#position, `${MAX_PATH_BYTES} bytes and ${MAX_PATH_PARTS} parts`)
    }
    this.#entries++
    if (this.#entries > this.#limits.entries) {
      const limit = `${this.#limits.entries} (LAMINA_MAX_ENTRIES)`
      throw excessive('more members than an image may have', this.#position, limit)
    }
    this.#extensions.length = 0
    this.#extensionsBytes = 0
    this.#left = stored
    this.#padding = padding(stored)
    this.#beyond += this.#globalBytes
    this.#member = {
      key,
      type,
      bytes: type === 'file' ? stored : 0,
      mode: this.#field('mode', 100, 8) & 0o7777,
      uid: this.#integer('uid', fields.uid),
      gid: this.#integer('gid', fields.gid),
      mtime: Math.min(Math.max(fields.mtime, MIN_TIME), MAX_TIME),
      link: type === 'symlink' || type === 'hardlink' ? this.#link(fields.link) : undefined,
      device:
        type === 'character' || type === 'block'
          ? [this.#field('device', 329, 8), this.#field('device', 337, 8)]
          : undefined,
      xattrs: records.size === 0 ? undefined : paxXattrs(records),
      ordinal: this.#entries - 1,
      offset: this.#here(),
    }
    if (flag === TYPE.sparse) return this.#beginOldSparse()
    const sparse = type === 'file' && records.size > 0 ? paxSparse(records, this.#position) : undefined
    if (sparse === undefined) return this.#open(undefined)
    this.#member.bytes = sparse.bytes ?? stored
    if (sparse.map !== 'in content') return this.#open(sparse.map)
    this.#mapReader = new MapReader(this.#position)
    this.#mapBytes = 0
    this.#state = 'sparse map'
    return false
  }

  #readFields(flag: number): Fields {
    const block = this.#block
    const at = this.#blockAt
    const fields: Fields = {
      name: readName(block, at, flag),
      link: readText(block, at + 157, 100),
      size: this.#field('size', 124, 12),
      uid: this.#field('uid', 108, 8),
      gid: this.#field('gid', 116, 8),
      mtime: this.#field('mtime', 136, 12) * 1e6,
      records: this.#global,
    }
    if (this.#global.size > 0) applyRecords(fields, this.#global, this.#position)
    // If several set the same field, the first one wins, as in tarfile.
    for (let i = this.#extensions.length - 1; i >= 0; i--) {
      const extension = this.#extensions[i]
      switch (extension?.kind) {
        case 'name':
          fields.name = extension.value
          break
        case 'link':
          fields.link = extension.value
          break
        case 'pax':
          applyRecords(fields, extension.records, this.#position)
          break
        case undefined:
      }
    }
    return fields
  }

  #field(name: string, offset: number, length: number): number {
    const value = readNumber(this.#block, this.#blockAt + offset, length)
    if (Number.isNaN(value)) throw malformed(`the header's ${name} is not a number`, this.#position)
    return value
  }

  #integer(name: string, value: number): number {
    if (!Number.isSafeInteger(value)) throw malformed(`the ${name} ${value} is out of range`, this.#position)
    return value
  }

  #link(target: Uint8Array): ByteString {
    if (target.length > MAX_PATH_BYTES) {
      throw excessive(`a link target of ${target.length} bytes`, this.#position, `${MAX_PATH_BYTES} bytes`)
    }
    return toByteString(target)
  }

  #beginOldSparse(): boolean {
    this.#current().bytes = this.#field('size of a sparse file', HEADER_MAP.bytes, 12)
    this.#pieces = []
    readPieces(this.#block, this.#blockAt + HEADER_MAP.at, HEADER_MAP.pieces, this.#pieces)
    if (this.#block[this.#blockAt + HEADER_MAP.extended] === 0) return this.#open(this.#pieces)
    this.#mapBytes = 0
    this.#state = 'sparse blocks'
    return false
  }

  #readSparseBlock(): boolean {
    this.#countMapBlock()
    readPieces(this.#block, this.#blockAt + EXTENSION_MAP.at, EXTENSION_MAP.pieces, this.#pieces)
    if (this.#block[this.#blockAt + EXTENSION_MAP.extended] !== 0) return false
    return this.#open(this.#pieces)
  }

  #readSparseMap(): boolean {
    this.#countMapBlock()
    if (this.#left < BLOCK) throw malformed('the map of a sparse member does not end', this.#position)
    this.#left -= BLOCK
    const map = this.#mapReader?.push(this.#block.subarray(this.#blockAt, this.#blockAt + BLOCK))
    return map !== undefined && this.#open(map)
  }

  #countMapBlock(): void {
    this.#mapBytes += BLOCK
    if (this.#mapBytes > MAX_EXTENSION_BYTES) {
      throw excessive('the map of a sparse member', this.#position, `${MAX_EXTENSION_BYTES} bytes`)
    }
  }

  /** The member's headers are complete; its content follows. */
  #open(map: SparseMap | undefined): true {
    const member = this.#current()
    const { bytes, setting } = this.#limits.bytes
    member.offset = this.#here()
    if (member.bytes < 0)
      throw malformed(`a sparse member has a size of ${member.bytes} bytes`, this.#position)
    if (map !== undefined) this.#beyond += Math.max(member.bytes - this.#left, 0)
    if (this.#here() + this.#left + this.#beyond > bytes) {
      const claim = Math.max(member.bytes, this.#left)
      throw excessive(`a member of ${claim} bytes`, this.#position, `${bytes} in all (${setting})`)
    }
    this.#map = map && checkedMap(map, member.bytes, this.#left, this.#position)
    this.#piece = 0
    this.#done = 0
    this.#pieces = []
    this.#mapReader = undefined
    this.#state = 'content'
    return true
  }
}

function merged(earlier: PaxRecords, later: PaxRecords): PaxRecords {
  return earlier.size === 0 ? later : new Map([...earlier, ...later])
}

function applyRecords(fields: Fields, records: PaxRecords, position: number): void {
  const path = paxText(records, 'GNU.sparse.name') ?? paxText(records, 'path')
  if (path !== undefined) fields.name = toBytes(path)
  const link = paxText(records, 'linkpath')
  if (link !== undefined) fields.link = toBytes(link)
  fields.size = paxInteger(records, 'size', position) ?? fields.size
  fields.uid = paxInteger(records, 'uid', position) ?? fields.uid
  fields.gid = paxInteger(records, 'gid', position) ?? fields.gid
  fields.mtime = paxTime(records, 'mtime', position) ?? fields.mtime
  fields.records = records
}
