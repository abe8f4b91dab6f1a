/** A range of a file as a stream. */
import type { FileHandle } from 'node:fs/promises'
import { streamOf } from '../../../src/source/byte-stream.ts'
import type { BlobRange } from '../../../src/source/source.ts'

/** Ranges up to this size are read at once, longer ones in pieces of this size. */
const PIECE_BYTES = 256 * 1024

/**
 * @param file is closed at the end of the range, on failure or when the stream is cancelled
 * @param fault the stream's error if the file cannot be read
 * @throws the file's own error
 */
export async function readRange(
  file: FileHandle,
  { offset, length }: BlobRange,
  fault: (error: unknown) => unknown,
): Promise<ReadableStream<Uint8Array>> {
  if (length > PIECE_BYTES) return pieces(file, { offset, length }, fault)
  try {
    return streamOf(await readFully(file, offset, new Uint8Array(length)))
  } finally {
    await file.close()
  }
}

async function readFully(
  file: FileHandle,
  offset: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  for (let filled = 0; filled < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, offset + filled)
    if (bytesRead === 0) throw new RangeError('the file was truncated while it was read')
    filled += bytesRead
  }
  return bytes
}

/** A byte stream: a reader with its own buffer has it filled, so that a large file creates no garbage. */
function pieces(
  file: FileHandle,
  { offset, length }: BlobRange,
  fault: (error: unknown) => unknown,
): ReadableStream<Uint8Array> {
  let at = offset
  const end = offset + length
  const next = async (controller: ReadableByteStreamController) => {
    const request = controller.byobRequest
    const { buffer, byteOffset, byteLength } = request?.view ?? new Uint8Array(PIECE_BYTES)
    if (!(buffer instanceof ArrayBuffer)) throw new TypeError('the memory of a reader is its own')
    const bytes = new Uint8Array(buffer, byteOffset, Math.min(byteLength, end - at))
    await readFully(file, at, bytes)
    at += bytes.length
    if (request) request.respond(bytes.length)
    else controller.enqueue(bytes)
  }
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      try {
        await next(controller)
        if (at < end) return
        await file.close()
        controller.close()
        // For a reader that asked for more than there is.
        controller.byobRequest?.respond(0)
      } catch (error) {
        await file.close()
        throw fault(error)
      }
    },
    cancel: () => file.close(),
  })
}
