/**
 * What of a window the blocks behind it refer to: the rest can be left out, and mostly that is nearly all. Which bytes an
 * inflated byte is copied from shows where the window is replaced by one whose bytes say where they stand. Such a place takes 15
 * bits, so it takes two windows; they differ in every byte, and so what is the same from both comes from no window.
 */
import { constants, createInflateRaw, type InflateRaw } from 'node:zlib'
import { type BitStart, resumingBytes, WINDOW_BYTES } from './bit-offset.ts'
import { hasInsides, type Insides } from './zlib-handle.ts'

/** Behind so many bytes nothing refers to the window any more. */
const REACH = WINDOW_BYTES

/** The low byte of each place. */
const LOW = Uint8Array.from({ length: WINDOW_BYTES }, (_, place) => place)
/** The upper seven bits of each place, below a bit that the low byte does not have. */
const HIGH = Uint8Array.from({ length: WINDOW_BYTES }, (_, place) => (place >> 8) | (~place & 0x80))

export class NeededWindow {
  #stream: (InflateRaw & Insides) | undefined
  readonly #outputs = [LOW, HIGH].map((window) => ({ window, output: new Uint8Array(0) }))

  /**
   * The window with zeros for what no block refers to; the window itself, if too little is behind it to tell.
   *
   * @param start its window is a whole one
   * @param behind what follows the start's byte in the stream
   */
  of(start: BitStart, behind: Uint8Array): Uint8Array {
    if (start.window.length !== WINDOW_BYTES) return start.window
    if (this.#stream === undefined || this.#stream.errored) this.#stream = createStream()
    for (const one of this.#outputs) {
      if (one.output.length === 0) one.output = new Uint8Array(WINDOW_BYTES + REACH)
      if (!inflated(this.#stream, { ...start, window: one.window }, behind, one.output)) return start.window
    }
    const [low, high] = this.#outputs
    return low && high ? copied(start.window, low.output, high.output) : start.window
  }

  close(): void {
    this.#stream?.destroy()
  }
}

function createStream(): InflateRaw & Insides {
  const stream = createInflateRaw()
  if (!hasInsides(stream)) throw new Error('this runtime\u2019s zlib has no `_handle` with `writeSync`')
  // An error is seen by `errored`.
  stream.on('error', () => {})
  return stream
}

/** Fills the output with the window and what the stream gives behind it; false if that is too little. */
function inflated(
  stream: InflateRaw & Insides,
  start: BitStart,
  behind: Uint8Array,
  output: Uint8Array,
): boolean {
  const { _handle, _writeState } = stream
  const head = resumingBytes(start)
  _handle.reset()
  _handle.writeSync(constants.Z_NO_FLUSH, head, 0, head.length, output, 0, output.length)
  const filled = output.length - _writeState[0]
  if (stream.errored || filled !== WINDOW_BYTES) return false
  _handle.writeSync(constants.Z_NO_FLUSH, behind, 0, behind.length, output, filled, REACH)
  return !stream.errored && _writeState[0] === 0
}

function copied(window: Uint8Array, low: Uint8Array, high: Uint8Array): Uint8Array {
  const needed = new Uint8Array(WINDOW_BYTES)
  for (let at = WINDOW_BYTES; at < low.length; at++) {
    const [a = 0, b = 0] = [low[at], high[at]]
    if (a === b) continue
    const place = ((b & 0x7f) << 8) | a
    needed[place] = window[place] ?? 0
  }
  return needed
}
