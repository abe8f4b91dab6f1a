/** Random access to an archive's bytes. */
import type { BlobRange } from '../source.ts'

export interface RangeReader {
  /** Length in bytes. */
  readonly size: number
  /** The bytes of the range; fewer at the end. */
  read(range: BlobRange): Promise<ReadableStream<Uint8Array>>
}

/** A range small enough to hold in memory. */
export async function readBytes(reader: RangeReader, range: BlobRange): Promise<Uint8Array> {
  return new Uint8Array(await new Response(await reader.read(range)).arrayBuffer())
}
