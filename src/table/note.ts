/**
 * The note in a table's footer. It is near the end, so that it can be read without the rest of the footer, which has megabytes
 * in a large table.
 */
import type { ByteRange, ObjectStore } from '../host.ts'
import { ByteBuffer, ByteReader } from './byte-buffer.ts'
import { fetchBytes } from './fetch-bytes.ts'

/** How much of the end is read first: it holds most notes; what follows a note in the footer has a few hundred bytes. */
const NEAR_END: ByteRange = { suffix: 8 * 1024 }
/** A note that does not fit here is damaged. */
const FAR_FROM_END: ByteRange = { suffix: 4 * 1024 * 1024 }

/** Whether a range reads a note, and nothing else of the table. */
export function isOfNote(range: ByteRange | undefined): boolean {
  return range === NEAR_END || range === FAR_FROM_END
}

/**
 * The value of the note; undefined if there is no such object or no note in it. It is not verified: its writer adds a checksum.
 */
export async function readNote(
  store: ObjectStore,
  key: string,
  name: string,
): Promise<Uint8Array | undefined> {
  const tail = await fetchBytes(store, key, NEAR_END)
  if (tail === undefined) return undefined
  const found = findNote(tail.bytes, name)
  if (found !== undefined || tail.bytes.length === tail.size) return found
  const more = await fetchBytes(store, key, FAR_FROM_END)
  return more && findNote(more.bytes, name)
}

function findNote(tail: Uint8Array, name: string): Uint8Array | undefined {
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
