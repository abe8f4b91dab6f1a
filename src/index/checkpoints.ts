/**
 * The checkpoints of a layer, within its object: where reading its blob can begin. First come the windows, each the deflated 32
 * KiB of the tar before a gzip block; then the checkpoints, each a few numbers of variable length, with offsets as distances
 * from the previous one; then the offsets of sparse members; then a footer of fixed size. Two ranges are enough to read it: its
 * end, and one window.
 *
 * Whatever they say, the content that is read with their help is verified: damage costs time, never a wrong byte.
 */
import { crc32, inflateRawSync } from 'node:zlib'
import type { ObjectStore } from '../host.ts'
import type { Checkpoint, CheckpointSink } from '../layer/decode/checkpoints.ts'
import { ByteBuffer } from '../table/byte-buffer.ts'
import { fetchBytes } from '../table/fetch-bytes.ts'
import type { StoredPart } from '../table/part.ts'
import { layerKey } from './keys.ts'
import { Spool } from './spool.ts'

const KINDS = ['mark', 'start', 'block'] as const
const FOOTER_BYTES = 16
/** `LCK1` */
const MAGIC = 0x314b434c
/** How much of the end is fetched first: it holds the checkpoints of most layers. */
const TAIL_BYTES = 32 * 1024
/** More than the checkpoints of the largest layer take. */
const MAX_PLACES_BYTES = 16 * 1024 * 1024
const MAX_SPARSE_BYTES = 16 * 1024
const WINDOW_BYTES = 32 * 1024
/** How much is collected before it is passed to the store. */
const PIECE_BYTES = 64 * 1024

/** Collects the checkpoints of a layer while it is read. */
export class CheckpointArchive implements CheckpointSink {
  readonly #spool: Spool
  readonly #windows = new ByteBuffer(1024)
  readonly #places = new ByteBuffer(1024)
  readonly #sparse = new ByteBuffer(16)
  #windowBytes = 0
  #reach = 0
  #tarOffset = 0
  #sparseOffset = 0
  #isFinished = false

  constructor(store: ObjectStore) {
    this.#spool = new Spool(store)
  }

  add(checkpoint: Checkpoint): void {
    const { kind, blobOffset, tarOffset } = checkpoint
    // Where a block shares a byte with the one before: how much of the blob a part of the tar needs that ends here.
    const reach = blobOffset + (kind === 'block' && checkpoint.bit > 0 ? 1 : 0)
    this.#places.byte(KINDS.indexOf(kind))
    writeVarint(this.#places, reach - this.#reach)
    writeVarint(this.#places, tarOffset - this.#tarOffset)
    this.#reach = reach
    this.#tarOffset = tarOffset
    if (kind !== 'block') return
    const { bit, packedWindow } = checkpoint
    this.#places.byte(bit)
    writeVarint(this.#places, packedWindow.length)
    this.#places.uint32(crc32(packedWindow))
    this.#windows.bytes(packedWindow)
    this.#windowBytes += packedWindow.length
  }

  addSparse(tarOffset: number): void {
    // A layer with only sparse members is read from its start.
    if (this.#sparse.length > MAX_SPARSE_BYTES) return
    writeVarint(this.#sparse, tarOffset - this.#sparseOffset)
    this.#sparseOffset = tarOffset
  }

  flush(): void | Promise<void> {
    if (this.#windows.length >= PIECE_BYTES) return this.#flush()
  }

  /** Call this after the last one. */
  async finish(): Promise<void> {
    if (this.#places.length === 0 || this.#sparse.length > MAX_SPARSE_BYTES) return
    const end = new ByteBuffer(this.#places.length + this.#sparse.length + FOOTER_BYTES + 8)
    writeVarint(end, this.#places.length)
    end.bytes(this.#places.view())
    end.bytes(this.#sparse.view())
    const bytes = end.length
    const sum = crc32(end.view())
    for (const value of [bytes, sum, this.#windowBytes, MAGIC]) end.uint32(value)
    this.#windows.bytes(end.view())
    await this.#flush()
    await this.#spool.finish()
    this.#isFinished = true
  }

  /** The stored bytes, once finished: empty if the layer is always read from its start. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    if (this.#isFinished) yield* this.#spool.chunks()
  }

  /** Removes temporary data. @param failure why the layer failed, if it did */
  release(failure?: unknown): Promise<void> {
    return this.#spool.release(failure)
  }

  async #flush(): Promise<void> {
    const piece = this.#windows.copy()
    this.#windows.length = 0
    await this.#spool.write(piece)
  }
}

function writeVarint(buffer: ByteBuffer, value: number): void {
  let left = value
  for (; left >= 128; left = Math.floor(left / 128)) buffer.byte((left % 128) | 128)
  buffer.byte(left)
}

/** The part of a blob that is needed for a part of its tar. */
export type BlobPart = {
  /** Where reading begins, and which byte of the tar comes first. */
  readonly blobOffset: number
  readonly tarOffset: number
  /** Where reading ends; undefined for the blob's end. */
  readonly blobEnd: number | undefined
  /** Present if reading begins with a block in the middle of a gzip stream. */
  readonly block?: { readonly bit: number; readonly window: Uint8Array }
}

/**
 * The part of a layer's blob that contains a part of its tar.
 *
 * @param layer its facts
 * @returns undefined if the layer has no checkpoints, they are damaged, or the member there is sparse
 */
export async function findBlobPart(
  store: ObjectStore,
  { digest, checkpoints }: { readonly digest: string; readonly checkpoints: StoredPart },
  part: { readonly offset: number; readonly bytes: number },
): Promise<BlobPart | undefined> {
  if (checkpoints.bytes === 0) return undefined
  const key = layerKey(digest, 'entries.parquet')
  const places = await readOffsets(store, key, checkpoints)
  if (places === undefined) return undefined
  const { begin, blobEnd, isWhole } = search(places, part)
  if (!isWhole) return undefined
  const { blobOffset, tarOffset, block } = begin
  if (block === undefined) return { blobOffset, tarOffset, blobEnd }
  const windowStart = checkpoints.offset + block.windowOffset
  const stored = await fetchBytes(store, key, { offset: windowStart, length: block.windowBytes })
  const window = stored && unpackWindow(stored.bytes, block)
  return window && { blobOffset, tarOffset, blobEnd, block: { bit: block.bit, window } }
}

/** The stored checkpoints and sparse offsets; undefined if they are missing or damaged. */
async function readOffsets(
  store: ObjectStore,
  key: string,
  { offset, bytes: size }: StoredPart,
): Promise<Uint8Array | undefined> {
  const tailBytes = Math.min(size, TAIL_BYTES)
  const tail = await fetchBytes(store, key, { offset: offset + size - tailBytes, length: tailBytes })
  if (tail === undefined || tail.bytes.length < FOOTER_BYTES) return undefined
  const footer = new DataView(tail.bytes.buffer, tail.bytes.byteOffset + tail.bytes.length - FOOTER_BYTES)
  const [length, sum, windows, magic] = [0, 4, 8, 12].map((at) => footer.getUint32(at, true))
  if (length === undefined || windows === undefined || magic !== MAGIC || length > MAX_PLACES_BYTES) return
  if (windows + length + FOOTER_BYTES !== size) return
  const inTail = tail.bytes.length - FOOTER_BYTES - length
  const bytes =
    inTail >= 0
      ? tail.bytes.subarray(inTail, inTail + length)
      : (await fetchBytes(store, key, { offset: offset + windows, length }))?.bytes
  return bytes !== undefined && bytes.length === length && crc32(bytes) === sum ? bytes : undefined
}

type StoredBlock = {
  readonly bit: number
  readonly windowOffset: number
  readonly windowBytes: number
  readonly crc32: number
}

type Begin = { readonly blobOffset: number; readonly tarOffset: number; readonly block?: StoredBlock }

type Search = {
  readonly begin: Begin
  readonly blobEnd: number | undefined
  /** Whether this part can be read on its own. */
  readonly isWhole: boolean
}

function search(places: Uint8Array, part: { readonly offset: number; readonly bytes: number }): Search {
  const input = new NumberReader(places)
  const length = input.varint()
  const end = Math.min(input.at + length, places.length)
  let begin: Begin = { blobOffset: 0, tarOffset: 0 }
  let blobEnd: number | undefined
  let [reach, tarOffset, windowOffset] = [0, 0, 0]
  while (input.at < end && blobEnd === undefined) {
    const kind = KINDS[input.byte()]
    reach += input.varint()
    tarOffset += input.varint()
    const block = kind === 'block' ? readBlock(input, windowOffset) : undefined
    windowOffset += block?.windowBytes ?? 0
    const blobOffset = block !== undefined && block.bit > 0 ? reach - 1 : reach
    if (kind !== 'mark' && tarOffset <= part.offset)
      begin = { blobOffset, tarOffset, ...(block === undefined ? {} : { block }) }
    if (tarOffset >= part.offset + part.bytes) blobEnd = reach
  }
  return { begin, blobEnd, isWhole: !hasOffset(places.subarray(end), part.offset) }
}

function readBlock(input: NumberReader, windowOffset: number): StoredBlock {
  const bit = input.byte() & 7
  const windowBytes = input.varint()
  return { bit, windowOffset, windowBytes, crc32: input.uint32() }
}

function hasOffset(distances: Uint8Array, offset: number): boolean {
  const input = new NumberReader(distances)
  for (let at = 0; input.at < distances.length; ) {
    at += input.varint()
    if (at === offset) return true
  }
  return false
}

/** Undefined if it is damaged. */
function unpackWindow(packed: Uint8Array, block: StoredBlock): Uint8Array | undefined {
  if (packed.length !== block.windowBytes || crc32(packed) !== block.crc32) return undefined
  try {
    const window = inflateRawSync(packed, { maxOutputLength: WINDOW_BYTES + 1 })
    return window.length > 0 ? window : undefined
  } catch {
    return undefined
  }
}

/** Reads numbers; past the end they are 0. */
class NumberReader {
  readonly #bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  byte(): number {
    return this.#bytes[this.at++] ?? 0
  }

  varint(): number {
    let value = 0
    for (let unit = 1; ; unit *= 128) {
      const byte = this.byte()
      value += (byte & 127) * unit
      if (byte < 128) return value
    }
  }

  uint32(): number {
    return this.byte() + this.byte() * 2 ** 8 + this.byte() * 2 ** 16 + this.byte() * 2 ** 24
  }
}
