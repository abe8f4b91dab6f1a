/**
 * `chunks.bin`: where the files of a layer known from its table of contents are in the blob. Records of 68 bytes in the order
 * of the table: four doubles, little-endian (offset of the gzip member or zstd frame in the blob; offset of the chunk in its
 * content; bytes of the chunk; where the member or frame ends, or 0 if the next record says so), the 32 bytes of the chunk's
 * sha256, or zeros, and a CRC-32 of all this, the object's key and the record's number. A last record of no bytes says where
 * the content of the blob ends. The `offset` of a file's entry is the number of its first record.
 */
import { crc32 } from 'node:zlib'
import type { ObjectStore } from '../host.ts'
import type { Chunk, ChunkSink, ChunkStart, FileChunks } from '../layer/toc/chunk.ts'
import { ByteBuffer } from '../table/byte-buffer.ts'
import { fetchBytes } from '../table/fetch-bytes.ts'
import { LostTable } from '../table/table.ts'
import { type ByteString, toByteString } from '../text/bytes.ts'
import { layerKey } from './keys.ts'
import { ObjectWriter } from './object-writer.ts'

const DIGEST_AT = 32
const SUM_AT = 64
const RECORD_BYTES = SUM_AT + 4
/** How much is collected before it is passed to the store. */
const PIECE_BYTES = 64 * 1024
/** How many records are fetched at once: most files have one chunk, and the next record says where that ends. */
const FIRST_FETCH = 4
const LATER_FETCH = 1024
const NO_DIGEST: ByteString = '\0'.repeat(32)

export class ChunkArchive implements ChunkSink {
  readonly #writer: ObjectWriter
  readonly #key: string
  readonly #piece = new ByteBuffer(1024)
  readonly #record = new Uint8Array(RECORD_BYTES)
  readonly #numbers = new DataView(this.#record.buffer)
  #count = 0

  /** @param index name of the layer's index */
  constructor(store: ObjectStore, index: string) {
    this.#key = layerKey(index, 'chunks.bin')
    this.#writer = new ObjectWriter(store, this.#key)
  }

  get count(): number {
    return this.#count
  }

  add({ blobOffset, inner, bytes, blobEnd = 0, sha256 = NO_DIGEST }: Chunk & ChunkStart): void {
    for (const [place, value] of [blobOffset, inner, bytes, blobEnd].entries())
      this.#numbers.setFloat64(8 * place, value, true)
    this.#record.set(Buffer.from(sha256, 'latin1'), DIGEST_AT)
    this.#numbers.setUint32(SUM_AT, sumOf(this.#record, this.#key, this.#count++), true)
    this.#piece.bytes(this.#record)
  }

  flush(): void | Promise<void> {
    if (this.#piece.length >= PIECE_BYTES) return this.#flush()
  }

  /** @param contentEnd where the content of the blob ends */
  async finish(contentEnd: number): Promise<void> {
    this.add({ blobOffset: contentEnd, inner: 0, bytes: 0, blobEnd: undefined, sha256: undefined })
    await this.#flush()
    await this.#writer.finish()
  }

  /** Call this if the layer failed: nothing is stored. */
  async release(failure?: unknown): Promise<void> {
    if (failure !== undefined) await this.#writer.abort(failure)
  }

  async #flush(): Promise<void> {
    const piece = this.#piece.copy()
    this.#piece.length = 0
    await this.#writer.write(piece)
  }
}

/**
 * The chunks of a file.
 *
 * @param index name of the layer's index
 * @param file `offset` and `bytes` of its entry
 * @throws LostTable if the object is missing or damaged
 */
export async function findChunks(
  store: ObjectStore,
  index: string,
  file: { readonly offset: number; readonly bytes: number },
): Promise<FileChunks> {
  const key = layerKey(index, 'chunks.bin')
  const chunks: Chunk[] = []
  let covered = 0
  let first: ChunkStart | undefined
  let last: ChunkStart | undefined
  for (let at = file.offset, count = FIRST_FETCH; ; at += count, count = LATER_FETCH) {
    const range = { offset: at * RECORD_BYTES, length: count * RECORD_BYTES }
    const stored = await fetchBytes(store, key, range)
    if (stored === undefined) throw new LostTable(key, 'missing')
    const { bytes } = stored
    for (let place = 0; place + RECORD_BYTES <= bytes.length; place += RECORD_BYTES) {
      const record = readRecord(bytes.subarray(place, place + RECORD_BYTES), key, at + place / RECORD_BYTES)
      if (covered < file.bytes) {
        if (record.bytes === 0) throw new LostTable(key, 'damaged: a chunk without bytes')
        first ??= record
        last = record
        covered += record.bytes
        chunks.push({ bytes: record.bytes, sha256: record.sha256 })
      }
      if (covered < file.bytes || first === undefined || last === undefined) continue
      const isEnd = record.blobOffset > last.blobOffset
      const blobEnd = last.blobEnd ?? (isEnd ? record.blobOffset : undefined)
      if (blobEnd !== undefined) return { blobOffset: first.blobOffset, inner: first.inner, blobEnd, chunks }
    }
    if (bytes.length < range.length) throw new LostTable(key, 'damaged: it ends within a file')
  }
}

/** @param number of the record in the object with this key */
function readRecord(record: Uint8Array, key: string, number: number): Chunk & ChunkStart {
  const view = new DataView(record.buffer, record.byteOffset, RECORD_BYTES)
  if (view.getUint32(SUM_AT, true) !== sumOf(record, key, number))
    throw new LostTable(key, 'damaged: the checksum of a record differs')
  const double = (place: number) => view.getFloat64(8 * place, true)
  const sha256 = toByteString(record.subarray(DIGEST_AT, SUM_AT))
  return {
    blobOffset: double(0),
    inner: double(1),
    bytes: double(2),
    blobEnd: double(3) || undefined,
    sha256: sha256 === NO_DIGEST ? undefined : sha256,
  }
}

function sumOf(record: Uint8Array, key: string, number: number): number {
  return crc32(record.subarray(0, SUM_AT), crc32(`${key} ${number}`))
}
