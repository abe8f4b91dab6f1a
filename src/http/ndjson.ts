/** Lists as NDJSON, written as fast as they are read. */
import { toJson } from '../text/json.ts'
import { streamBody } from './stream.ts'

const encoder = new TextEncoder()

/**
 * Resolves when the first batch is ready, so that an error at the start is still answered as a problem. Batches are made on
 * demand; a reader that leaves stops the source.
 *
 * @param onCut called with an error that came too late for a status: the stream is then cut off, never ended
 */
export function jsonLines(
  batches: AsyncIterable<readonly unknown[]>,
  onCut: (error: unknown) => void,
): Promise<ReadableStream<Uint8Array>> {
  return streamBody(() => encodeLines(batches), onCut)
}

async function* encodeLines(batches: AsyncIterable<readonly unknown[]>): AsyncGenerator<Uint8Array> {
  for await (const batch of batches) if (batch.length > 0) yield encoder.encode(toLines(batch))
}

function toLines(items: readonly unknown[]): string {
  let text = ''
  for (const item of items) text += `${toJson(item)}\n`
  return text
}
