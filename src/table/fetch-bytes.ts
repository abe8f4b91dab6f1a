import type { ByteRange, ObjectStore } from '../host.ts'

/**
 * A range of an object, in memory.
 *
 * @returns the object's whole size beside the bytes, which are fewer than asked for where the object ends; undefined
 *   where there is no such object
 */
export async function fetchBytes(
  store: ObjectStore,
  key: string,
  range: ByteRange,
): Promise<{ readonly size: number; readonly bytes: Uint8Array } | undefined> {
  const object = await store.get(key, range)
  if (object === undefined) return undefined
  const { size } = object
  const length =
    'suffix' in range ? Math.min(range.suffix, size) : Math.min(range.length, size - range.offset)
  const bytes = new Uint8Array(Math.max(length, 0))
  let filled = 0
  for await (const chunk of object.body) {
    if (filled + chunk.byteLength > bytes.length)
      throw new RangeError(`the store gave more of ${key} than was asked for`)
    bytes.set(chunk, filled)
    filled += chunk.byteLength
  }
  return { size, bytes: bytes.subarray(0, filled) }
}
