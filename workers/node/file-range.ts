/** A range of a file as a stream. */
import type { FileHandle } from 'node:fs/promises'
import type { BlobRange } from '../../src/source/source.ts'

/** Ranges up to this are read at once, and longer ones in pieces of this. */
const PIECE_BYTES = 256 * 1024

/**
 * @param file is closed at the end of the range, on failure or when the stream is cancelled
 * @param fault what the stream fails with where the file cannot be read
 * @throws the file's own error
 */
export async function readRange(
  file: FileHandle,
  { offset, length }: BlobRange,
  fault: (error: unknown) => unknown,
): Promise<ReadableStream<Uint8Array>> {
  if (length > PIECE_BYTES) return pieces(file, { offset, length }, fault)
  try {
    return onePiece(await readFully(file, offset, length))
  } finally {
    await file.close()
  }
}

async function readFully(file: FileHandle, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled)
    if (bytesRead === 0) throw new RangeError('the file was truncated while it was read')
    filled += bytesRead
  }
  return bytes
}

function onePiece(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes)
      controller.close()
    },
  })
}

function pieces(
  file: FileHandle,
  { offset, length }: BlobRange,
  fault: (error: unknown) => unknown,
): ReadableStream<Uint8Array> {
  let at = offset
  const end = offset + length
  return new ReadableStream({
    async pull(controller) {
      try {
        const piece = await readFully(file, at, Math.min(PIECE_BYTES, end - at))
        at += piece.length
        controller.enqueue(piece)
        if (at < end) return
        await file.close()
        controller.close()
      } catch (error) {
        await file.close()
        throw fault(error)
      }
    },
    cancel: () => file.close(),
  })
}
