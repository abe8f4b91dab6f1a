/**
 * Reads images from archives by random access. This file has the members of an archive by name, found in one pass over its
 * headers. Nothing is unpacked: a name that points outside is only a name, and a link leads to another member or nowhere.
 */
import { createHash, type Hash } from 'node:crypto'
import { WorkBudget } from '../../concurrency.ts'
import { type Compression, compressionOf } from '../../oci/compression.ts'
import { Problem } from '../../problem.ts'
import { TarScanner } from '../../tar/scan.ts'
import { type ByteString, encodeText, toBytes, toHex } from '../../text/bytes.ts'
import { cleanPath } from '../../text/clean-path.ts'
import { keyToPath, type PathKey, parentKey } from '../../text/path.ts'
import { asArchiveFault, invalidArchive } from './fault.ts'
import { type RangeReader, readBytes } from './range-reader.ts'

/** A regular file of the archive. */
export type StoredFile = {
  /** Position of its content in the archive. */
  readonly offset: number
  readonly size: number
  /** Known if the archive was read completely. */
  readonly content?: Content
}

/** What is known about a file's bytes. */
export type Content = {
  readonly compression: Compression
  readonly sha256: ByteString
}

export function contentDigest({ sha256 }: Content): string {
  return `sha256:${toHex(sha256)}`
}

/** Limit on everything that a name can refer to. */
type Member = StoredFile | { readonly link: 'symlink' | 'hardlink'; readonly target: ByteString }

/** Directories count, too: a million empty members take memory as well. */
const MAX_MEMBERS = 200_000
/** A limit on all names together. */
const MAX_NAME_BYTES = 16 * 1024 * 1024
/** How many links are followed to reach a file. */
const MAX_LINKS = 16
/** How much is read at once while looking for headers. */
const WINDOW_BYTES = 256 * 1024

export class Members {
  readonly #members = new Map<PathKey, Member>()
  #count = 0
  #nameBytes = 0

  /** @throws Problem `invalid_archive` if the name already has other content; `too_large` over a limit */
  add(name: PathKey, member: Member | undefined): void {
    this.#count++
    this.#nameBytes += name.length
    if (this.#count > MAX_MEMBERS)
      throw new Problem('too_large', `the archive has more than ${MAX_MEMBERS} members`)
    if (this.#nameBytes > MAX_NAME_BYTES)
      throw new Problem(
        'too_large',
        `the names of the archive's members have more than ${MAX_NAME_BYTES} bytes`,
      )
    if (member === undefined) return
    const before = this.#members.get(name)
    if (before !== undefined && !isSame(before, member))
      throw invalidArchive('the archive has two different members with this name', keyToPath(name))
    this.#members.set(name, member)
  }

  /** The file that a name inside the archive refers to, following links; undefined if there is no such file. */
  find(name: string): StoredFile | undefined {
    let key = keyOf(encodeText(name))
    for (let hops = 0; hops <= MAX_LINKS; hops++) {
      const member = this.#members.get(key)
      if (member === undefined || 'offset' in member) return member
      const { link, target } = member
      key = keyOf(
        link === 'symlink' && !target.startsWith('/') ? `${keyToPath(parentKey(key))}/${target}` : target,
      )
    }
    return undefined
  }
}

function keyOf(name: ByteString): PathKey {
  return cleanPath(toBytes(name)).key
}

function isSame(one: Member, other: Member): boolean {
  if ('link' in one) return 'link' in other && one.link === other.link && one.target === other.target
  if ('link' in other) return false
  return one.size === other.size && one.content !== undefined && one.content.sha256 === other.content?.sha256
}

/** The SHA-256 of bytes that are in memory whole. */
type Sha256 = { digest(bytes: Uint8Array): ByteString }

/** Computes facts about a file's content while it streams by. */
class ContentReading {
  readonly #sha256: Sha256
  readonly #bytes: number
  readonly #head = new Uint8Array(4)
  #seen = 0
  #hash: Hash | undefined
  #digest: ByteString | undefined

  /** @param bytes how many will follow */
  constructor(sha256: Sha256, bytes: number) {
    this.#sha256 = sha256
    this.#bytes = bytes
  }

  get isUntouched(): boolean {
    return this.#seen === 0
  }

  take(piece: Uint8Array): void {
    if (this.#seen < this.#head.length)
      this.#head.set(piece.subarray(0, this.#head.length - this.#seen), this.#seen)
    this.#seen += piece.length
    // One call is faster, and most members arrive in one piece.
    if (piece.length === this.#bytes) {
      this.#digest = this.#sha256.digest(piece)
      return
    }
    this.#hash ??= createHash('sha256')
    this.#hash.update(piece)
  }

  finish(): Content {
    const sha256 = this.#digest ?? this.#hash?.digest('binary') ?? this.#sha256.digest(new Uint8Array(0))
    return { compression: compressionOf(this.#head.subarray(0, this.#seen)), sha256 }
  }
}

/** A file of an archive whose name claims a digest. The compression is `none` for whatever is not gzip or zstd. */
export type NamedFile = Omit<StoredFile, 'content'> & {
  readonly digest: string
  readonly compression: Compression
}

/** Blobs in an OCI layout, layers as skopeo, kaniko and ko name them. */
const NAMED_BY_DIGEST = /(?:^|\/)(?:sha256:)?([0-9a-f]{64})(?:\.tar)?(?:\.gz)?$/

/** Finds the members of a streamed archive, with their digests. */
export class PassingArchive {
  readonly members = new Members()
  readonly #scanner: TarScanner
  readonly #work = new WorkBudget()
  readonly #sha256: Sha256
  readonly #named: NamedFile[] = []
  #content: ContentReading

  /** @param limit size limit of the archive in bytes, and the setting it comes from */
  constructor(sha256: Sha256, limit: { readonly bytes: number; readonly setting: string }) {
    this.#sha256 = sha256
    this.#content = new ContentReading(sha256, 0)
    this.#scanner = new TarScanner({ bytes: limit, entries: MAX_MEMBERS })
  }

  /** The files named by a digest whose content has begun to arrive since the last call. */
  takeNamed(): readonly NamedFile[] {
    return this.#named.splice(0)
  }

  /** @throws Problem `invalid_archive`, `too_large` */
  async take(chunk: Uint8Array): Promise<void> {
    if (this.#work.isDue(chunk.length)) await this.#work.yield()
    this.#scanner.feed(chunk)
    try {
      this.#scan(this.#scanner)
    } catch (error) {
      throw asArchiveFault(error)
    }
  }

  #scan(scanner: TarScanner): void {
    for (let event = scanner.next(); event !== 'hungry'; event = scanner.next()) {
      if (event === 'member') {
        this.#content = new ContentReading(this.#sha256, scanner.member.bytes)
      } else if (event === 'end') {
        this.#add(scanner)
      } else {
        if (this.#content.isUntouched) this.#note(scanner)
        this.#content.take(scanner.content)
      }
    }
  }

  #note(scanner: TarScanner): void {
    const { key, offset, bytes: size } = scanner.member
    const digest = NAMED_BY_DIGEST.exec(keyToPath(key))?.[1]
    if (digest === undefined || scanner.isSparse) return
    const compression = compressionOf(scanner.content)
    this.#named.push({ digest: `sha256:${digest}`, offset, size, compression })
  }

  /** @throws Problem `invalid_archive` if it is truncated */
  finish(): Members {
    requireEnd(this.#scanner)
    return this.members
  }

  #add(scanner: TarScanner): void {
    const member = memberOf(scanner)
    const isFile = member !== undefined && 'offset' in member
    this.members.add(scanner.member.key, isFile ? { ...member, content: this.#content.finish() } : member)
  }
}

/**
 * Finds the members of a stored archive by its headers alone, skipping the content.
 *
 * @throws Problem `invalid_archive`, `too_large`
 */
export async function findMembers(reader: RangeReader): Promise<Members> {
  const limit = { bytes: Number.MAX_SAFE_INTEGER, setting: 'any' }
  const scanner = new TarScanner({ bytes: limit, entries: MAX_MEMBERS })
  try {
    const members = await scanHeaders(reader, scanner)
    requireEnd(scanner)
    return members
  } catch (error) {
    throw asArchiveFault(error)
  }
}

async function scanHeaders(reader: RangeReader, scanner: TarScanner): Promise<Members> {
  const members = new Members()
  let at = 0
  while (at < reader.size && !scanner.isOver) {
    const window = await readBytes(reader, { offset: at, length: WINDOW_BYTES })
    if (window.length === 0) break
    at += window.length
    scanner.feed(window)
    for (let event = scanner.next(); event !== 'hungry'; event = scanner.next()) {
      if (event !== 'member') continue
      members.add(scanner.member.key, memberOf(scanner))
      at += scanner.leaveOut()
    }
  }
  return members
}

/** As far as the header says. */
function memberOf({ member, isSparse }: TarScanner): Member | undefined {
  if (member.type === 'symlink' || member.type === 'hardlink')
    return { link: member.type, target: member.link ?? '' }
  // Sparse members cannot be read by ranges, and no tool that writes images makes them.
  if (member.type !== 'file' || isSparse) return undefined
  return { offset: member.offset, size: member.bytes }
}

function requireEnd(scanner: TarScanner): void {
  if (scanner.isOver) return
  try {
    scanner.finish()
  } catch (error) {
    throw asArchiveFault(error)
  }
  throw invalidArchive(
    scanner.entries === 0
      ? 'it contains no tar'
      : `it is truncated: the end marker of the tar is missing after ${scanner.entries} members`,
  )
}
