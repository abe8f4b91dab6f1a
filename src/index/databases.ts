/**
 * The package databases of a layer, collected while it is read, as a tar within the layer's object, packed in gzip members as
 * it grows. Members of the tar are in the order of the layer's, followed by those that only a hard link names as a database.
 * Each has a PAX header with `LAMINA.ordinal`, its position among the members of the layer's tar, and with `path` if ustar's
 * name cannot hold it. Times, owners and modes are constant.
 */

import { crc32, gzipSync } from 'node:zlib'
import type { ObjectStore } from '../host.ts'
import { BlobReader } from '../layer/blob.ts'
import type { DatabaseSink } from '../layer/database.ts'
import { gunzip } from '../layer/decode/gzip.ts'
import type { Examined, ExaminedSink, Scratch } from '../layer/examine.ts'
import { Problem } from '../problem.ts'
import { ByteBuffer } from '../table/byte-buffer.ts'
import type { StoredPart, TableStore } from '../table/part.ts'
import { LostTable } from '../table/table.ts'
import { BLOCK, checkBlock, padding, readName, readNumber, TYPE } from '../tar/header.ts'
import { parsePax, paxInteger, paxText } from '../tar/pax.ts'
import { contentPadding, END_OF_ARCHIVE, memberHeader } from '../tar/write.ts'
import { type ByteString, toByteString } from '../text/bytes.ts'
import { keyToPath, type PathKey, pathToKey } from '../text/path.ts'
import { layerKey } from './keys.ts'
import { StoredScratch } from './scratch.ts'
import { Spool } from './spool.ts'

/** How much is packed at once: most databases are small. */
const PIECE_BYTES = 128 * 1024
/** Takes half the time of zlib's usual level, and gives a seventh more bytes. */
const PACKING = { level: 3 }
const ORDINAL = 'LAMINA.ordinal'
/** Present if the content is what was found inside the file, as JSON, not the file's own. */
const EXAMINED = 'LAMINA.examined'
/** Limit on what is found inside the files of a layer: what does not fit is left out, with a warning. */
const MAX_EXAMINED_BYTES = 32 * 1024 * 1024
/** A path and an ordinal. */
const MAX_RECORDS_BYTES = 64 * 1024

/** Writes the tar member by member; a slow store slows down the layer. */
export class DatabaseArchive implements DatabaseSink, ExaminedSink {
  readonly #store: ObjectStore
  readonly #spool: Spool
  #examinedBytes = 0
  readonly #piece = new ByteBuffer(PIECE_BYTES)
  /** Size of the open member. */
  #left = 0
  #bytes = 0
  #tarBytes = 0
  #count = 0
  #crc32 = 0
  #padding = contentPadding(0)

  constructor(store: ObjectStore) {
    this.#store = store
    this.#spool = new Spool(store)
  }

  /** Bytes of the databases so far, without their headers. */
  get bytes(): number {
    return this.#bytes
  }

  /** Number of databases so far. */
  get count(): number {
    return this.#count
  }

  /** What is known of the archive, once it is finished. @param part where it is in the layer's object */
  stored(part: StoredPart): StoredDatabases {
    return {
      databases: this.#count,
      databasesBytes: this.#tarBytes,
      databasesCrc32: this.#crc32,
      databasesPart: part,
    }
  }

  scratch(): Scratch {
    return new StoredScratch(this.#store)
  }

  async examined(key: PathKey, ordinal: number, found: Examined): Promise<'kept' | 'left out'> {
    const content = new TextEncoder().encode(JSON.stringify(found))
    if (this.#examinedBytes + content.length > MAX_EXAMINED_BYTES) return 'left out'
    this.#examinedBytes += content.length
    await this.#open({ key, bytes: content.length, ordinal }, new Map([[EXAMINED, '1']]))
    await this.write(content)
    this.close()
    return 'kept'
  }

  open(key: PathKey, bytes: number, ordinal: number): void | Promise<void> {
    this.#bytes += bytes
    return this.#open({ key, bytes, ordinal }, new Map())
  }

  #open(
    { key, bytes, ordinal }: { readonly key: PathKey; readonly bytes: number; readonly ordinal: number },
    records: Map<string, string>,
  ): void | Promise<void> {
    this.#count++
    records.set(ORDINAL, String(ordinal))
    this.#piece.bytes(memberHeader({ ...PLAIN, path: keyToPath(key), bytes, records }))
    this.#left = bytes
    this.#padding = contentPadding(bytes)
    return this.#flushFull()
  }

  write(chunk: Uint8Array): void | Promise<void> {
    this.#left -= chunk.length
    this.#piece.bytes(chunk)
    return this.#flushFull()
  }

  close(): void {
    if (this.#left !== 0) throw new Error('the database has a different size than announced')
    this.#piece.bytes(this.#padding)
  }

  /** Call this after the last database; without databases there is no tar. */
  async finish(): Promise<void> {
    if (this.#count === 0) return
    this.#piece.bytes(END_OF_ARCHIVE)
    await this.#flush()
    await this.#spool.finish()
  }

  /** The packed tar, once it is finished. */
  chunks(): AsyncIterable<Uint8Array> {
    return this.#spool.chunks()
  }

  /** Removes temporary data. @param failure why the layer failed, if it did */
  release(failure?: unknown): Promise<void> {
    return this.#spool.release(failure)
  }

  #flushFull(): void | Promise<void> {
    if (this.#piece.length >= PIECE_BYTES) return this.#flush()
  }

  async #flush(): Promise<void> {
    const piece = gzipSync(this.#piece.view(), PACKING)
    this.#tarBytes += this.#piece.length
    this.#piece.length = 0
    this.#crc32 = crc32(piece, this.#crc32)
    await this.#spool.write(piece)
  }
}

/** The same for every database, so that the same layer gives the same bytes. */
const PLAIN = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const

/** What is known about a layer's archive. */
export type StoredDatabases = {
  /** Number of members. */
  readonly databases: number
  /** Size of the tar. */
  readonly databasesBytes: number
  /** Of the packed tar. */
  readonly databasesCrc32: number
  /** Its position in the layer's object. */
  readonly databasesPart: StoredPart
}

export function databasesIn(facts: StoredDatabases): StoredDatabases {
  const { databases, databasesBytes, databasesCrc32, databasesPart } = facts
  return { databases, databasesBytes, databasesCrc32, databasesPart }
}

/** A database in the archive. */
export type StoredDatabase = {
  readonly key: PathKey
  readonly ordinal: number
  readonly bytes: number
  /** The content is what was found inside the file, as JSON. */
  readonly isExamined: boolean
  /** May be read once, before the next database is requested. */
  readonly content: AsyncIterable<Uint8Array>
}

/**
 * The databases of a layer in the order of its archive, with a piece of one in memory at a time; none if it has none.
 *
 * @param digest of the layer's blob
 * @throws LostTable if the object is missing or damaged, possibly only after the last one; `content` too
 */
export async function* readDatabases(
  store: TableStore,
  digest: string,
  { databases, databasesBytes, databasesCrc32, databasesPart: { offset, bytes } }: StoredDatabases,
): AsyncGenerator<StoredDatabase> {
  if (databases === 0) return
  const key = layerKey(digest, 'entries.parquet')
  const object = await store.get(key, { offset, length: bytes })
  if (object === undefined) throw new LostTable(key, 'missing')
  const packed = new PackedReader(object.body)
  const input = new BlockReader(packed.pieces(), { size: databasesBytes, digest })
  try {
    for (;;) {
      const head = await readHeader(input)
      if (head === undefined) {
        await input.requireEnd()
        return packed.requireSum(databasesCrc32)
      }
      if (head.bytes > MAX_RECORDS_BYTES) throw new RangeError('a header that is too large')
      const records = parsePax(await readPadded(input, head.bytes), 0)
      const member = await readHeader(input)
      const ordinal = paxInteger(records, ORDINAL, 0)
      if (head.type !== TYPE.pax || member?.type !== TYPE.file || ordinal === undefined)
        throw new RangeError('not a member as it was written')
      const key = pathToKey(paxText(records, 'path') ?? member.name)
      const end = input.position + member.bytes
      const isExamined = records.has(EXAMINED)
      yield { key, ordinal, bytes: member.bytes, isExamined, content: input.pieces(end) }
      for await (const _ of input.pieces(end + padding(member.bytes)));
    }
  } catch (error) {
    throw damaged(digest, error)
  } finally {
    await input.cancel()
    await packed.cancel()
  }
}

/** The meaning of an error while reading an archive: the store's own failures stay as they are. */
function damaged(digest: string, error: unknown): unknown {
  const isDamage = error instanceof Problem ? error.code === 'invalid_image' : error instanceof RangeError
  if (!(isDamage && error instanceof Error)) return error
  return new LostTable(layerKey(digest, 'entries.parquet'), `damaged: ${error.message}`)
}

type Header = { readonly name: ByteString; readonly bytes: number; readonly type: number }

/** Undefined at the end. @throws RangeError if there is no header */
async function readHeader(input: BlockReader): Promise<Header | undefined> {
  const block = await input.read(BLOCK)
  const kind = checkBlock(block, 0)
  if (kind === 'zeros') return undefined
  const bytes = readNumber(block, 124, 12)
  if (kind === 'invalid' || !(bytes >= 0)) throw new RangeError('a damaged header')
  const type = block[156] ?? 0
  return { name: toByteString(readName(block, 0, type)), bytes, type }
}

async function readPadded(input: BlockReader, bytes: number): Promise<Uint8Array> {
  const padded = await input.read(bytes + padding(bytes))
  return padded.subarray(0, bytes)
}

/** Unpacks what the store gives, piece by piece. */
class PackedReader {
  readonly #source: BlobReader
  #crc32 = 0

  constructor(body: ReadableStream<Uint8Array>) {
    this.#source = new BlobReader(body, {
      observe: (piece) => {
        this.#crc32 = crc32(piece, this.#crc32)
      },
    })
  }

  /** @throws Problem `invalid_image` where it is damaged */
  pieces(): AsyncGenerator<Uint8Array> {
    return gunzip(this.#source)
  }

  /** To be called when all is unpacked. @throws RangeError where the store has given other bytes */
  requireSum(sum: number): void {
    if (this.#crc32 !== sum) throw new RangeError('the checksum differs')
  }

  async cancel(): Promise<void> {
    await this.#source.cancel()
  }
}

/** Reads by numbers of bytes, however they arrive. */
class BlockReader {
  readonly #source: AsyncGenerator<Uint8Array>
  readonly #digest: string
  readonly #size: number
  #chunk: Uint8Array = new Uint8Array(0)
  #position = 0

  /** @param size of all that `source` gives: more is damage */
  constructor(
    source: AsyncGenerator<Uint8Array>,
    { size, digest }: { readonly size: number; readonly digest: string },
  ) {
    this.#source = source
    this.#digest = digest
    this.#size = size
  }

  /** Position of the next byte in the tar. */
  get position(): number {
    return this.#position
  }

  async read(bytes: number): Promise<Uint8Array> {
    // Nothing in the tar is larger than the tar itself: checked before memory is allocated.
    if (this.#position + bytes > this.#size) throw new RangeError(ENDS_EARLY)
    const taken = new Uint8Array(bytes)
    let filled = 0
    for await (const piece of this.#pieces(this.#position + bytes)) {
      taken.set(piece, filled)
      filled += piece.length
    }
    return taken
  }

  /** Everything up to `end`, in views that are valid until the next one is requested. */
  async *pieces(end: number): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#pieces(end)
    } catch (error) {
      throw damaged(this.#digest, error)
    }
  }

  async *#pieces(end: number): AsyncGenerator<Uint8Array> {
    if (end > this.#size) throw new RangeError(ENDS_EARLY)
    while (this.#position < end) {
      if (this.#chunk.length === 0) {
        const { value } = await this.#source.next()
        if (value === undefined) throw new RangeError(ENDS_EARLY)
        this.#chunk = value
      }
      const piece = this.#chunk.subarray(0, end - this.#position)
      this.#position += piece.length
      this.#chunk = this.#chunk.subarray(piece.length)
      yield piece
    }
  }

  /** Reads the rest. @throws RangeError where there is more or less than there should be */
  async requireEnd(): Promise<void> {
    for await (const _ of this.#pieces(this.#size));
    if (this.#chunk.length > 0 || !(await this.#source.next()).done) throw new RangeError('there is more')
  }

  async cancel(): Promise<void> {
    await this.#source.return(undefined)
  }
}

const ENDS_EARLY = 'unexpected end of the object'
