/** What may follow a compressed stream. */
import { Problem } from '../../problem.ts'
import type { BlobPieces } from '../blob.ts'

/**
 * Only zero bytes may follow a compressed stream; some tools pad with them.
 *
 * @param rest the rest of the last piece
 */
export async function refuseTrailing(source: BlobPieces, rest: Uint8Array): Promise<void> {
  let at = source.bytes - rest.length
  for (let piece: Uint8Array | undefined = rest; piece !== undefined; piece = await source.read()) {
    const garbage = piece.findIndex((byte) => byte !== 0)
    if (garbage >= 0) {
      throw new Problem(
        'invalid_image',
        `unexpected data after the end of the compressed stream, at byte ${at + garbage} of the blob`,
      )
    }
    at += piece.length
  }
}
