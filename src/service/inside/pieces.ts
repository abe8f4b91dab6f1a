/** Makes a file that is read by ranges out of one that is read as streams, and keeps a few pieces. */
import { type FileContent, rangesOf } from '../../inside/ranges.ts'

export type Stream = (offset: number, bytes: number) => AsyncGenerator<Uint8Array>

/** Around each range, so that the next one nearby needs no further request. */
const AROUND_BYTES = 32 * 1024
/** A smaller file is read whole. */
const WHOLE_BYTES = 256 * 1024
/** Larger pieces are not kept. */
const KEPT_BYTES = 512 * 1024
const MOST_KEPT = 16

type Piece = { readonly offset: number; readonly bytes: Uint8Array }

export function piecewise(bytes: number, stream: Stream): FileContent {
  const kept: Piece[] = []
  const fetched = async (offset: number, length: number): Promise<Uint8Array> => {
    const content = await collect(stream(offset, length), length)
    if (content.length <= KEPT_BYTES) kept.push({ offset, bytes: content })
    if (kept.length > MOST_KEPT) kept.shift()
    return content
  }
  return {
    bytes,
    stream,
    async read(offset, length) {
      const end = Math.min(bytes, offset + length)
      if (offset >= end) return new Uint8Array(0)
      const known = kept.find((piece) => piece.offset <= offset && end <= piece.offset + piece.bytes.length)
      if (known !== undefined) return known.bytes.subarray(offset - known.offset, end - known.offset)
      const isSmall = bytes <= WHOLE_BYTES
      const first = isSmall ? 0 : Math.max(0, offset - AROUND_BYTES)
      const last = isSmall ? bytes : Math.min(bytes, end + AROUND_BYTES)
      const content = await fetched(first, last - first)
      return content.subarray(offset - first, end - first)
    },
  }
}

/** Content up to this size is held in memory while it is looked into; larger is decompressed again for each range. */
const HELD_BYTES = 32 * 1024 * 1024

/** A file that can only be read from its start. @param open its content, as often as it is needed */
export function sequential(bytes: number, open: () => AsyncGenerator<Uint8Array>): FileContent {
  const stream: Stream = async function* (offset, length) {
    let before = offset
    let left = length
    // To the end, where checksums are: stopping earlier would hide that they are wrong.
    for await (const piece of open()) {
      const wanted = piece.subarray(before, before + left)
      before = Math.max(0, before - piece.length)
      left -= wanted.length
      if (wanted.length > 0) yield wanted
      if (left === 0 && offset + length < bytes) return
    }
  }
  if (bytes > HELD_BYTES) return piecewise(bytes, stream)
  let held: Promise<FileContent> | undefined
  const content = () => {
    held ??= collect(open(), bytes).then(rangesOf)
    return held
  }
  return {
    bytes,
    read: async (offset, length) => (await content()).read(offset, length),
    stream,
  }
}

async function collect(pieces: AsyncIterable<Uint8Array>, bytes: number): Promise<Uint8Array> {
  const out = new Uint8Array(bytes)
  let at = 0
  for await (const piece of pieces) {
    out.set(piece.subarray(0, bytes - at), at)
    at += Math.min(piece.length, bytes - at)
  }
  return out.subarray(0, at)
}
