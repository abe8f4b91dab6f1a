/** Lists as text, written as fast as they are read. */
import { csvHeader, csvItem } from '../formats/csv.ts'
import { streamBody } from './stream.ts'

const encoder = new TextEncoder()

/**
 * Resolves when the first part is ready, so that an error at the start is still answered as a problem.
 *
 * @param onCut called with an error that came too late for a status: the stream is then cut off, never ended
 */
export function textBody(
  parts: AsyncIterable<string>,
  onCut: (error: unknown) => void,
): Promise<ReadableStream<Uint8Array>> {
  return streamBody(() => encoded(parts), onCut)
}

async function* encoded(parts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const part of parts) if (part !== '') yield encoder.encode(part)
}

/** @param fields the items' fields in the order of the columns */
export function csvLines(
  fields: readonly string[],
  batches: AsyncIterable<readonly object[]>,
  onCut: (error: unknown) => void,
): Promise<ReadableStream<Uint8Array>> {
  return textBody(csvParts(fields, batches), onCut)
}

/** The header is sent with the first items: an error before them is still a problem. */
async function* csvParts(
  fields: readonly string[],
  batches: AsyncIterable<readonly object[]>,
): AsyncGenerator<string> {
  let header = csvHeader(fields)
  for await (const batch of batches) {
    yield header + batch.map((item) => csvItem(fields, { ...item })).join('')
    header = ''
  }
  if (header !== '') yield header
}
