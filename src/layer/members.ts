/** The content of some members, read again from their layer's blob. */
import { createHash, type Hash } from 'node:crypto'
import { WorkBudget } from '../concurrency.ts'
import type { Limits } from '../configuration.ts'
import type { WasmModules } from '../host.ts'
import { TarScanner } from '../tar/scan.ts'
import { BlobReader } from './blob.ts'
import type { DatabaseSink } from './database.ts'
import { decode } from './decode/decode.ts'
import type { Entry } from './entry.ts'
import { byteLimit } from './limits.ts'
import { mismatch } from './member.ts'

/** A regular file, as the first pass over its layer described it. */
export type WantedMember = Pick<Entry, 'key' | 'ordinal' | 'offset' | 'bytes' | 'sha256'>

export type MembersOptions = {
  /** In the order of the tar. */
  readonly members: readonly WantedMember[]
  readonly limits: Limits
  readonly wasm: WasmModules
  readonly signal?: AbortSignal | undefined
}

/**
 * Passes the content of each member to `sink`; the blob is cancelled after the last one. The blob itself is not verified, but
 * each content is.
 *
 * @throws Problem `invalid_image` if the blob differs from what was read first; what the blob or the sink fails with
 */
export async function readMembers(
  blob: ReadableStream<Uint8Array>,
  sink: DatabaseSink,
  { members, limits, wasm, signal }: MembersOptions,
): Promise<void> {
  const source = new BlobReader(blob, { signal })
  const scanner = new TarScanner({ bytes: byteLimit(limits), entries: limits.entries })
  const work = new WorkBudget()
  let next = 0
  let hash: Hash | undefined
  try {
    const { chunks } = await decode(source, { wasm, zstdWindow: limits.zstdWindow })
    for await (const chunk of chunks) {
      if (work.isDue(chunk.length)) await work.yield()
      scanner.feed(chunk)
      for (let event = scanner.next(); event !== 'hungry'; event = scanner.next()) {
        const wanted = members[next]
        if (wanted === undefined) return
        const { member } = scanner
        if (member.ordinal > wanted.ordinal) throw mismatch(wanted.offset)
        if (member.ordinal !== wanted.ordinal) continue
        switch (event) {
          case 'member':
            if (member.offset !== wanted.offset || member.bytes !== wanted.bytes)
              throw mismatch(wanted.offset)
            hash = createHash('sha256')
            await sink.open(wanted.key, wanted.bytes, wanted.ordinal)
            break
          case 'content':
            hash?.update(scanner.content)
            await sink.write(scanner.content)
            break
          case 'end':
            if (hash?.digest('binary') !== wanted.sha256) throw mismatch(wanted.offset)
            await sink.close()
            next++
            break
          default:
            event satisfies never
        }
      }
    }
    const missing = members[next]
    if (missing !== undefined) throw mismatch(missing.offset)
  } finally {
    await source.cancel()
  }
}
