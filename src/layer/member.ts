/** The content of one file, read from its layer's blob again. */
import { createHash } from 'node:crypto'
import { WorkBudget } from '../concurrency.ts'
import type { Limits } from '../configuration.ts'
import type { WasmModules } from '../host.ts'
import { Problem } from '../problem.ts'
import { TarScanner } from '../tar/scan.ts'
import type { ByteString } from '../text/bytes.ts'
import { BlobReader } from './blob.ts'
import { decode } from './decode/decode.ts'
import { byteLimit } from './limits.ts'

export type MemberOptions = {
  /** Where the content begins in the uncompressed tar, as its `Entry` says; so the next two. */
  readonly offset: number
  readonly bytes: number
  readonly sha256: ByteString
  readonly limits: Limits
  readonly wasm: WasmModules
  readonly signal?: AbortSignal | undefined
}

/**
 * Streams the member whose content begins at `offset`, holes filled; the blob is cancelled as soon as the member ends, or
 * the stream is cancelled. Since the blob itself is not verified, the content is: where it is not that of `sha256` the stream
 * fails before its end.
 */
export function openMember(
  blob: ReadableStream<Uint8Array>,
  options: MemberOptions,
): ReadableStream<Uint8Array> {
  const source = new BlobReader(blob, { signal: options.signal })
  const pieces = verified(contentOf(source, options), options)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await pieces.next()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          controller.error(error)
        }
      },
      async cancel(reason) {
        await source.cancel(reason)
        await pieces.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

/** Copies of the content's pieces. */
async function* contentOf(source: BlobReader, options: MemberOptions): AsyncGenerator<Uint8Array> {
  const { limits, wasm, offset, bytes } = options
  const scanner = new TarScanner({ bytes: byteLimit(limits), entries: limits.entries })
  const work = new WorkBudget()
  try {
    const { chunks } = await decode(source, { wasm, zstdWindow: limits.zstdWindow })
    for await (const chunk of chunks) {
      if (work.isDue(chunk.length)) await work.yield()
      scanner.feed(chunk)
      for (let event = scanner.next(); event !== 'hungry'; event = scanner.next()) {
        if (scanner.member.offset > offset) throw mismatch(offset)
        if (scanner.member.offset !== offset) continue
        if (scanner.member.bytes !== bytes) throw mismatch(offset)
        if (event === 'content') yield scanner.content.slice()
        if (event === 'end') return
      }
    }
    throw mismatch(offset)
  } finally {
    await source.cancel()
  }
}

/** Holds each piece back until the next is there, so that the last is given only when the digest is right. */
async function* verified(
  pieces: AsyncGenerator<Uint8Array>,
  { sha256, offset }: MemberOptions,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let held: Uint8Array | undefined
  for await (const piece of pieces) {
    hash.update(piece)
    if (held !== undefined) yield held
    held = piece
  }
  if (hash.digest('binary') !== sha256) throw mismatch(offset)
  if (held !== undefined) yield held
}

/** The bytes are not those that the index was made of. */
export function mismatch(offset: number): Problem {
  return new Problem(
    'invalid_image',
    `the registry's layer differs from the one that was indexed, at byte ${offset} of the uncompressed tar`,
  )
}
