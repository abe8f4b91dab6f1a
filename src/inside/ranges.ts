/** Random access to the bytes of one file, wherever they come from. */
import { Problem } from '../problem.ts'

export interface FileRanges {
  /** Size of the file. */
  readonly bytes: number
  /** `length` bytes from `offset` on; what is behind the end of the file is left out. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** A file that can also be read from any position on. */
export interface FileContent extends FileRanges {
  /** Pieces of `length` bytes from `offset` on; each is valid until the next is requested. */
  stream(offset: number, length: number): AsyncGenerator<Uint8Array>
}

/** A file in memory. */
export function rangesOf(content: Uint8Array): FileContent {
  return {
    bytes: content.length,
    read: async (offset, length) => content.subarray(offset, offset + length),
    async *stream(offset, length) {
      yield content.subarray(offset, offset + length)
    },
  }
}

/** How much of a file without streams is read at once. */
const PIECE_BYTES = 256 * 1024

/** Streams made of ranges. */
export function streamed(file: FileRanges): FileContent {
  return {
    bytes: file.bytes,
    read: (offset, length) => file.read(offset, length),
    async *stream(offset, length) {
      for (let at = 0; at < length; at += PIECE_BYTES)
        yield await file.read(offset + at, Math.min(PIECE_BYTES, length - at))
    },
  }
}

/** A part of a file, as a file. */
export function sliceOf(file: FileRanges, offset: number, bytes: number): FileRanges {
  return {
    bytes,
    read: (at, length) => file.read(offset + at, Math.max(0, Math.min(length, bytes - at))),
  }
}

export function contentSlice(file: FileContent, offset: number, bytes: number): FileContent {
  return {
    ...sliceOf(file, offset, bytes),
    stream: (at, length) => file.stream(offset + at, Math.max(0, Math.min(length, bytes - at))),
  }
}

/** The file is not what its format says. @param detail what is wrong, and where */
export function damaged(detail: string): Problem {
  return new Problem('invalid_archive', detail)
}
