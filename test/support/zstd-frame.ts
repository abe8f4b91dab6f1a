/** Frames of zstd (RFC 8878) that claim any window, and fill it from few bytes. */
import { header } from './tar.ts'

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd]
const BLOCK_BYTES = 128 * 1024
/** Two empty blocks of a tar. */
const END_BYTES = 1024
/** The block that has them: its header and one byte. */
const END_BLOCK_BYTES = 4
const RAW = 0
/** One byte, repeated. */
const RLE = 1

/** @param log of the window in bytes */
export function frameHeader(log: number): Uint8Array {
  return Buffer.from([...MAGIC, 0, (log - 10) << 3])
}

function block(type: typeof RAW | typeof RLE, size: number, content: Uint8Array, isLast = false): Uint8Array {
  const head = Buffer.alloc(3)
  head.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3)
  return Buffer.concat([head, content])
}

export function rawBlock(content: Uint8Array, isLast = false): Uint8Array {
  return block(RAW, content.length, content, isLast)
}

/** A tar with one file of so many zeros, at least, and the same in a frame with a window of 2^`log` bytes: 4 bytes for each 128 KiB. */
export function tarOfZeros(
  bytes: number,
  log: number,
): { readonly tar: Uint8Array; readonly frame: Uint8Array } {
  const blocks = Math.ceil(bytes / BLOCK_BYTES)
  const head = header({ name: 'zeros', size: blocks * BLOCK_BYTES })
  const zeros = block(RLE, BLOCK_BYTES, Buffer.alloc(1))
  const end = block(RLE, END_BYTES, Buffer.alloc(1), true)
  return {
    tar: Buffer.concat([head, Buffer.alloc(blocks * BLOCK_BYTES + END_BYTES)]),
    frame: Buffer.concat([
      frameHeader(log),
      rawBlock(head),
      ...new Array<Uint8Array>(blocks).fill(zeros),
      end,
    ]),
  }
}

/** The beginning of such a frame, which fills its window; enough follows for a reader to get all of that. */
export function unfinishedFrame(log: number): Uint8Array {
  const { frame } = tarOfZeros(2 ** log, log)
  const more = new Array<Uint8Array>(8).fill(rawBlock(Buffer.alloc(BLOCK_BYTES)))
  return Buffer.concat([frame.subarray(0, -END_BLOCK_BYTES), ...more])
}
