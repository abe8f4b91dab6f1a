/** Reads a range of an object into memory, never more bytes than requested. */
import type { ByteRange } from '../host.ts'
import { boundsOf } from './byte-range.ts'
import type { TableStore } from './part.ts'

/**
 * A range of an object, in memory.
 *
 * @returns the bytes, fewer than requested if the object ends, and the object's whole size; undefined if there is no such
 *   object
 * @param signal cancels the body, even one that arrives after the abort
 * @throws the signal's reason once it has aborted; what the store fails with
 */
export async function fetchBytes(
  store: TableStore,
  key: string,
  range: ByteRange,
  signal?: AbortSignal,
): Promise<{ readonly size: number; readonly bytes: Uint8Array } | undefined> {
  const object = await store.get(key, range)
  if (object === undefined) return undefined
  const { size, body } = object
  const { start, end } = boundsOf(range, size)
  const bytes = new Uint8Array(end - start)
  let filled = 0
  const reader = body.getReader()
  const cancel = () => {
    reader.cancel().catch(() => {})
  }
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    for (;;) {
      signal?.throwIfAborted()
      const { value: chunk } = await reader.read()
      if (chunk === undefined) break
      if (filled + chunk.byteLength > bytes.length)
        throw new RangeError(`the store returned more of ${key} than requested`)
      bytes.set(chunk, filled)
      filled += chunk.byteLength
    }
    signal?.throwIfAborted()
  } catch (error) {
    cancel()
    throw error
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
  return { size, bytes: bytes.subarray(0, filled) }
}
