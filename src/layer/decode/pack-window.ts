/** Deflates the windows of checkpoints. */
import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib'
import { WINDOW_BYTES } from './block-start.ts'
import { hasInsides } from './zlib-handle.ts'

/** Compression levels: `small` takes many times longer than `fast`. */
const LEVELS = { fast: 1, small: 6 } as const
/** Also has room for what cannot be compressed, which grows by a few bytes. */
const OUTPUT_BYTES = WINDOW_BYTES + 1024

let fast: ((window: Uint8Array) => Uint8Array) | undefined

/** @param window at most `WINDOW_BYTES` */
export function packWindow(window: Uint8Array, level: keyof typeof LEVELS): Uint8Array {
  if (level === 'small') return deflateRawSync(window, { level: LEVELS.small })
  fast ??= createFastPacker()
  return fast(window)
}

/**
 * One compressor for all windows of a thread: each new one takes 256 KiB, which V8 counts, so it would collect garbage again
 * and again while a layer is read.
 */
function createFastPacker(): (window: Uint8Array) => Uint8Array {
  const options = { level: LEVELS.fast }
  const stream = createDeflateRaw(options)
  if (!hasInsides(stream)) return (window) => deflateRawSync(window, options)
  const { _handle, _writeState } = stream
  const output = new Uint8Array(OUTPUT_BYTES)
  return (window) => {
    _handle.reset()
    _handle.writeSync(constants.Z_FINISH, window, 0, window.length, output, 0, output.length)
    const [free, left] = _writeState
    const isWhole = free > 0 && left === 0
    return isWhole ? output.slice(0, output.length - free) : deflateRawSync(window, options)
  }
}
