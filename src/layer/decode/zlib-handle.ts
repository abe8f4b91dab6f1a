/**
 * The handle inside a zlib stream. Neither Node nor workerd documents it; both have it and call it in this way in their
 * synchronous functions, which make a new stream for each call.
 */
import type { Transform } from 'node:stream'

type Handle = {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void
  reset(): void
}

export type Insides = {
  readonly _handle: Handle
  /** After a write: free bytes of output, and remaining bytes of input. */
  readonly _writeState: readonly [number, number]
}

/** The stream with its handle, whose errors are seen in `errored`. @throws Error if this runtime's zlib has no such handle */
export function withInsides<Stream extends Transform>(stream: Stream): Stream & Insides {
  if (!hasInsides(stream)) throw new Error('this runtime\u2019s zlib has no `_handle` with `writeSync`')
  stream.on('error', () => {})
  return stream
}

export function hasInsides<Stream extends Transform>(stream: Stream): stream is Stream & Insides {
  if (!('_handle' in stream && '_writeState' in stream)) return false
  const { _handle, _writeState } = stream
  const canWrite =
    typeof _handle === 'object' && _handle !== null && 'writeSync' in _handle && 'reset' in _handle
  return canWrite && ArrayBuffer.isView(_writeState) && 'length' in _writeState
}
