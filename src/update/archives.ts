/** What a new version of an archive stores that the old one has as well. */
import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { MAX_ENTRIES } from '../inside/entries.ts'
import type { FileRanges } from '../inside/ranges.ts'
import { requireZipEnd } from '../inside/zip-end.ts'
import { readZipRows, type ZipRow } from '../inside/zip-rows.ts'

/** Past this a directory is not read. */
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024

/**
 * The stored bytes of entries that the old zip has with the same path, CRC-32 and size; 0 if they are less than half of all that
 * the new one stores, or if a directory is too large.
 *
 * @throws Problem `invalid_archive` if one of them is damaged or not a zip
 */
export async function repeatedBytes(now: FileRanges, before: FileRanges): Promise<number> {
  const known = await entrySet(before)
  if (known === undefined) return 0
  let repeated = 0
  let stored = 0
  for await (const entries of directoryOf(now)) {
    if (entries === undefined) return 0
    for (const entry of entries) {
      stored += entry.storedBytes
      if (has(known, keyOf(entry))) repeated += entry.storedBytes
    }
  }
  return 2 * repeated >= stored ? repeated : 0
}

/** Sorted: 8 bytes for each entry instead of its name. */
async function entrySet(file: FileRanges): Promise<BigUint64Array | undefined> {
  let keys = new BigUint64Array(1024)
  let count = 0
  for await (const entries of directoryOf(file)) {
    if (entries === undefined) return undefined
    for (const entry of entries) {
      if (count === keys.length) {
        const larger = new BigUint64Array(Math.min(2 * count, MAX_ENTRIES))
        larger.set(keys)
        keys = larger
      }
      keys[count++] = keyOf(entry)
    }
  }
  return keys.subarray(0, count).sort()
}

async function* directoryOf(file: FileRanges): AsyncGenerator<readonly ZipRow[] | undefined> {
  const end = await requireZipEnd(file)
  if (end.directoryBytes > MAX_DIRECTORY_BYTES) yield undefined
  else yield* readZipRows(file, end)
}

/** The CRC-32 of the content, and that of the path and size. */
function keyOf({ name, crc32: content, bytes }: ZipRow): bigint {
  const named = crc32(Buffer.from(`${bytes} ${name}`, 'latin1'))
  return (BigInt(content) << 32n) | BigInt(named)
}

function has(keys: BigUint64Array, key: bigint): boolean {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] ?? 0n) < key) low = middle + 1
    else high = middle
  }
  return keys[low] === key
}
