/** What an archive is read through: anything whose bytes can be had from any place on. */
import type { BlobRange } from '../source.ts'

export interface RangeReader {
  /** In bytes. */
  readonly size: number
  /** The bytes of the range, as far as there are any. */
  read(range: BlobRange): Promise<ReadableStream<Uint8Array>>
}

/** A range that is small enough to be held. */
export async function readBytes(reader: RangeReader, range: BlobRange): Promise<Uint8Array> {
  return new Uint8Array(await new Response(await reader.read(range)).arrayBuffer())
}
