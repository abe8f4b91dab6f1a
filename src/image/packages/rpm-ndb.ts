/**
 * rpm's database on SUSE: `Packages.db` in rpm's own format ndb (`lib/backend/ndb/rpmpkg.c`). Slots of 16 bytes after the
 * file's header say where each package's blob is, in blocks of 16 bytes. All numbers are little-endian.
 */
import { UnreadableDatabase } from './found.ts'

const FILE_MAGIC = magic('RpmP')
const SLOT_MAGIC = magic('Slot')
const BLOB_MAGIC = magic('BlbS')
const VERSION = 0
const PAGE_BYTES = 4096
const BLOCK_BYTES = 16
const SLOT_BYTES = 16
/** Slots whose space the file's header takes. */
const HEADER_SLOTS = 2
const BLOB_HEADER_BYTES = 16

function magic(letters: string): number {
  return Buffer.from(letters, 'latin1').readUInt32LE()
}

/**
 * The header blobs, in the order of their slots.
 *
 * @param file the whole `Packages.db`
 * @throws UnreadableDatabase if it is not such a database, is damaged, or has overlapping blobs
 */
export function* ndbHeaders(file: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (
    file.length < PAGE_BYTES ||
    view.getUint32(0, true) !== FILE_MAGIC ||
    view.getUint32(4, true) !== VERSION
  ) {
    throw new UnreadableDatabase('it is not an ndb database')
  }
  const slots = (view.getUint32(12, true) * PAGE_BYTES) / SLOT_BYTES
  if (slots * SLOT_BYTES > file.length) throw new UnreadableDatabase('more slots than fit in the file')
  let left = file.length
  for (let slot = HEADER_SLOTS; slot < slots; slot++) {
    const at = slot * SLOT_BYTES
    if (view.getUint32(at, true) !== SLOT_MAGIC) throw new UnreadableDatabase(`slot ${slot} is damaged`)
    const number = view.getUint32(at + 4, true)
    const start = view.getUint32(at + 8, true) * BLOCK_BYTES
    // A slot without a package is free.
    if (number === 0 || start === 0) continue
    const isInside = start + BLOB_HEADER_BYTES <= file.length
    if (
      !isInside ||
      view.getUint32(start, true) !== BLOB_MAGIC ||
      view.getUint32(start + 4, true) !== number
    ) {
      throw new UnreadableDatabase(`package ${number} is not where its slot says`)
    }
    const bytes = view.getUint32(start + 12, true)
    left -= BLOB_HEADER_BYTES + bytes
    if (left < 0 || start + BLOB_HEADER_BYTES + bytes > file.length) {
      throw new UnreadableDatabase(`package ${number} has more bytes than the file`)
    }
    yield file.subarray(start + BLOB_HEADER_BYTES, start + BLOB_HEADER_BYTES + bytes)
  }
}
