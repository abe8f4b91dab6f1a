/** Package databases, read from the chunks that a table of contents lists; neighbouring ones with one request. */
import { createHash } from 'node:crypto'
import type { Limits } from '../../configuration.ts'
import type { WasmModules } from '../../host.ts'
import type { DatabaseSink } from '../database.ts'
import type { OpenBlob } from '../member.ts'
import { readChunks } from './content.ts'
import type { TableFile } from './entries.ts'
import { invalidTable } from './verified-toc.ts'

/** Bytes between two databases that cost less than another request. */
const NEIGHBOUR_BYTES = 16 * 1024
/** How much of the blob is held at once: a longer database is streamed separately. */
const MOST_HELD_BYTES = 4 * 1024 * 1024

export type DatabaseOptions = {
  readonly open: OpenBlob
  readonly limits: Limits
  readonly wasm: WasmModules
  readonly signal?: AbortSignal | undefined
}

/**
 * Passes the content of each to `sink`, in this order.
 *
 * @param databases in the order of the blob
 * @throws Problem `invalid_image` if the content is not what the table says; what the blob or the sink fails with
 */
export async function readDatabaseChunks(
  databases: readonly TableFile[],
  sink: DatabaseSink,
  options: DatabaseOptions,
): Promise<void> {
  for (const group of neighbours(databases)) {
    const [first] = group
    const end = Math.max(...group.map(({ blobEnd }) => blobEnd))
    if (first === undefined) continue
    const start = first.blobOffset
    const isOne = group.length === 1 && first.bytes > 0
    const held = isOne ? undefined : await fetchRange(options, start, end)
    for (const database of group) {
      const stream =
        held === undefined
          ? await options.open({ start, end })
          : new Blob([held.subarray(database.blobOffset - start, database.blobEnd - start)]).stream()
      await copy(database, stream, sink, options)
    }
  }
}

function* neighbours(databases: readonly TableFile[]): Generator<readonly TableFile[]> {
  let group: TableFile[] = []
  for (const database of databases) {
    const first = group[0]
    const last = group.at(-1)
    const isNear =
      first !== undefined &&
      last !== undefined &&
      database.blobOffset >= first.blobOffset &&
      database.blobOffset - last.blobEnd <= NEIGHBOUR_BYTES &&
      database.blobEnd - first.blobOffset <= MOST_HELD_BYTES
    if (!isNear && group.length > 0) {
      yield group
      group = []
    }
    group.push(database)
  }
  if (group.length > 0) yield group
}

async function fetchRange(
  { open }: DatabaseOptions,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - start)
  if (bytes.length === 0) return bytes
  let filled = 0
  for await (const piece of await open({ start, end })) {
    bytes.set(piece.subarray(0, bytes.length - filled), filled)
    filled += Math.min(piece.length, bytes.length - filled)
  }
  return bytes.subarray(0, filled)
}

async function copy(
  { key, bytes, ordinal, sha256, inner, chunks }: TableFile,
  stream: ReadableStream<Uint8Array>,
  sink: DatabaseSink,
  options: DatabaseOptions,
): Promise<void> {
  const hash = createHash('sha256')
  await sink.open(key, bytes, ordinal)
  for await (const piece of bytes === 0 ? [] : readChunks({ ...options, stream, inner, chunks })) {
    hash.update(piece)
    await sink.write(piece)
  }
  if (hash.digest('binary') !== sha256)
    throw invalidTable('a package database has another digest in the blob').with({ permanent: false })
  await sink.close()
}
