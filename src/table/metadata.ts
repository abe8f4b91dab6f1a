/**
 * The metadata in a table's footer. It is near the end, so that it can be read without the rest of the footer, which has megabytes
 * in a large table.
 */
import type { ByteRange, ObjectStore } from '../host.ts'
import { ByteBuffer, ByteReader } from './byte-buffer.ts'
import { fetchBytes } from './fetch-bytes.ts'
import { TAIL_BYTES } from './parquet/footer.ts'

/** How much of the end is read first: it holds most of them; what follows it in the footer has a few hundred bytes. */
const NEAR_BYTES = 32 * 1024
/** Metadata that does not begin within this is damaged: an image's is hardly longer than its config. */
const MOST_BYTES = 32 * 1024 * 1024

const ranges = new WeakSet<ByteRange>()

/** Whether a range reads metadata, and nothing else of the table. */
export function readsMetadata(range: ByteRange | undefined): boolean {
  return range !== undefined && ranges.has(range)
}

/** Whether it does so first: what it reads then is mostly all of the metadata. */
export function readsMetadataFirst(range: ByteRange | undefined): boolean {
  return range !== undefined && readsMetadata(range) && 'suffix' in range && range.suffix === NEAR_BYTES
}

/**
 * The value of the metadata; undefined if there is no such object or none in it. It is not verified: its writer adds a checksum.
 */
export async function readMetadata(
  store: ObjectStore,
  key: string,
  name: string,
): Promise<Uint8Array | undefined> {
  const tail = await fetchBytes(store, key, rangeOf(NEAR_BYTES))
  if (tail === undefined) return undefined
  const found = findMetadata(tail.bytes, name)
  const footer = footerBytes(tail.bytes)
  if (found !== undefined || footer <= tail.bytes.length) return found
  const more = await fetchBytes(store, key, rangeOf(Math.min(footer, MOST_BYTES)))
  return more && findMetadata(more.bytes, name)
}

function rangeOf(suffix: number): ByteRange {
  const range = { suffix }
  ranges.add(range)
  return range
}

/** Of the footer with its length and the magic number; 0 for what is too short to have one. */
function footerBytes(tail: Uint8Array): number {
  return tail.length < TAIL_BYTES ? 0 : new ByteReader(tail, tail.length - TAIL_BYTES).uint32() + TAIL_BYTES
}

function findMetadata(tail: Uint8Array, name: string): Uint8Array | undefined {
  const head = headOf(name)
  const start = Buffer.from(tail.buffer, tail.byteOffset, tail.length).lastIndexOf(head)
  if (start < 0) return undefined
  try {
    const reader = new ByteReader(tail, start + head.length)
    return reader.bytes(reader.varint())
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** `KeyValue` up to its value: field 1 with its length, and the head of field 2. No text has such control characters. */
function headOf(name: string): Uint8Array {
  const head = new ByteBuffer(64)
  head.byte(0x18)
  head.varint(name.length)
  head.latin1(name)
  head.byte(0x18)
  return head.copy()
}
