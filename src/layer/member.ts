/** The content of one file, read again from its layer's blob: from the blob's start, or from a part that contains the file. */
import { createHash } from 'node:crypto'
import { WorkBudget } from '../concurrency.ts'
import type { Limits } from '../configuration.ts'
import type { WasmModules } from '../host.ts'
import { Problem } from '../problem.ts'
import { BLOCK, checkBlock, readNumber, TYPE } from '../tar/header.ts'
import { TarScanner } from '../tar/scan.ts'
import { type ByteString, streamRange } from '../text/bytes.ts'
import { BlobReader } from './blob.ts'
import { decode } from './decode/decode.ts'
import { resumeGunzip } from './decode/gzip.ts'
import { byteLimit } from './limits.ts'
import type { FileChunks } from './toc/chunk.ts'
import { readChunks } from './toc/content.ts'

export type MemberOptions = {
  /** Position of the content in the uncompressed tar, as in its `Entry`; the same for the next two. */
  readonly offset: number
  readonly bytes: number
  readonly sha256: ByteString
  readonly limits: Limits
  readonly wasm: WasmModules
  readonly signal?: AbortSignal | undefined
}

/** Opens a blob, or the part from one byte to before another; without an end, the rest. */
export type OpenBlob = (range?: {
  readonly start: number
  readonly end: number | undefined
}) => Promise<ReadableStream<Uint8Array>>

/** A part of a blob that contains a member. */
export type MemberPart = RangePart | ChunkPart

/** The content as a table of contents names it. */
export type ChunkPart = FileChunks & {
  readonly from: 'chunks'
  /** Nothing else is known about the member: reading the blob from its start would not find it. */
  readonly isOnly?: boolean
}

/** The content as part of the tar. */
export type RangePart = {
  /** Where reading begins, and which byte of the tar comes first. */
  readonly blobOffset: number
  readonly tarOffset: number
  /** Where reading ends; undefined for the blob's end. */
  readonly blobEnd: number | undefined
  /** `block`: in the middle of a gzip stream. `tar`: in a plain tar, from the header of the member on. */
  readonly from: 'start' | 'tar' | { readonly bit: number; readonly window: Uint8Array }
}

/**
 * Streams the member whose content begins at `offset`, holes filled; the blob is cancelled as soon as the member ends, or the
 * stream is cancelled. Since the blob itself is not verified, the content is: if it does not match `sha256`, the stream fails
 * before its end. If a part turns out to be wrong before any of it was delivered, the blob is read from its start.
 *
 * @param part a part from which the member alone can be read
 */
export function openMember(
  open: OpenBlob,
  options: MemberOptions,
  part?: MemberPart,
): ReadableStream<Uint8Array> {
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const pieces = contentOf(open, { ...options, signal }, part)
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
        stop.abort(reason)
        await pieces.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

async function* contentOf(
  open: OpenBlob,
  options: MemberOptions,
  part: MemberPart | undefined,
): AsyncGenerator<Uint8Array> {
  if (part !== undefined) {
    let isGiven = false
    try {
      for await (const piece of verified(contentIn(open, options, part), options)) {
        isGiven = true
        yield piece
      }
      return
    } catch (error) {
      const isOnly = part.from === 'chunks' && part.isOnly === true
      if (isGiven || isOnly || !isWrongPart(error)) throw error
    }
  }
  yield* verified(contentFromStart(open, options), options)
}

/**
 * A part of a member's content, not verified, since a digest covers only the whole.
 *
 * @param range `offset` in the uncompressed tar, and bytes
 * @param part a part of the blob that contains it; without one the blob is read from its start
 */
export async function* readMemberRange(
  open: OpenBlob,
  options: Omit<MemberOptions, 'sha256'> & { readonly member: number },
  part: RangePart | undefined,
): AsyncGenerator<Uint8Array> {
  const { offset, bytes, member, signal } = options
  if (part?.from === 'tar') {
    const source = new BlobReader(await open({ start: offset, end: offset + bytes }), { signal })
    try {
      let left = bytes
      for (let piece = await source.read(); piece !== undefined && left > 0; piece = await source.read()) {
        yield piece.subarray(0, left)
        left -= Math.min(left, piece.length)
      }
      if (left > 0) throw mismatch(offset)
    } finally {
      await source.cancel()
    }
  } else if (part !== undefined) yield* contentIn(open, { ...options, sha256: '' }, part)
  else
    yield* expandedRange(
      contentFromStart(open, { ...options, sha256: '', offset: member, bytes: -1 }),
      options,
    )
}

/** Of a sparse member: its content has holes that the tar does not store. */
async function* expandedRange(
  content: AsyncGenerator<Uint8Array>,
  { offset, bytes, member }: { readonly offset: number; readonly bytes: number; readonly member: number },
): AsyncGenerator<Uint8Array> {
  let left = bytes
  for await (const piece of streamRange(content, offset - member, bytes)) {
    left -= piece.length
    yield piece
  }
  if (left > 0) throw mismatch(member)
}

/** Whether a plain tar has, before this position, the header of a file that is stored in one piece. */
export async function isStoredPlainly(open: OpenBlob, offset: number, bytes: number): Promise<boolean> {
  const source = new BlobReader(await open({ start: offset - BLOCK, end: offset }))
  try {
    return isPlainMember(await source.peek(BLOCK), bytes)
  } finally {
    await source.cancel()
  }
}

/** Whether the whole blob may still be right: the registry's ranges or the facts about the layer are wrong. */
function isWrongPart(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'invalid_image' || error.code === 'registry_error')
}

/** Copies of the content's pieces. */
async function* contentFromStart(open: OpenBlob, options: MemberOptions): AsyncGenerator<Uint8Array> {
  const { limits, wasm, offset, bytes, signal } = options
  const source = new BlobReader(await open(), { signal })
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
        if (bytes >= 0 && scanner.member.bytes !== bytes) throw mismatch(offset)
        if (event === 'content') yield scanner.content.slice()
        if (event === 'end') return
      }
    }
    throw mismatch(offset)
  } finally {
    await source.cancel()
  }
}

/** The same from a part of the blob. */
async function* contentIn(
  open: OpenBlob,
  options: MemberOptions,
  part: MemberPart,
): AsyncGenerator<Uint8Array> {
  const { offset, bytes, signal } = options
  const stream = await open({ start: part.blobOffset, end: part.blobEnd })
  if (part.from === 'chunks') {
    yield* readChunks({ ...options, stream, inner: part.inner, chunks: part.chunks })
    return
  }
  const source = new BlobReader(stream, { signal })
  const work = new WorkBudget()
  let at = part.tarOffset
  try {
    for await (const chunk of tarIn(source, options, part)) {
      if (work.isDue(chunk.length)) await work.yield()
      const begin = Math.max(0, offset - at)
      at += chunk.length
      const piece = chunk.subarray(begin, chunk.length - Math.max(0, at - offset - bytes))
      if (piece.length > 0) yield piece.slice()
      if (at >= offset + bytes) return
    }
    throw mismatch(offset)
  } finally {
    await source.cancel()
  }
}

/** The tar from the part's first byte on; a chunk is valid until the next is requested. */
async function* tarIn(
  source: BlobReader,
  { limits, wasm, bytes }: MemberOptions,
  { from }: RangePart,
): AsyncGenerator<Uint8Array> {
  if (from === 'start') {
    yield* (await decode(source, { wasm, zstdWindow: limits.zstdWindow })).chunks
  } else if (from === 'tar') {
    const head = await source.peek(BLOCK)
    if (!isPlainMember(head, bytes))
      throw new Problem('invalid_image', 'the member is not stored in one piece')
    for (let piece = await source.read(); piece !== undefined; piece = await source.read()) yield piece
  } else {
    yield* resumeGunzip(source, from)
  }
}

/** Whether this is the header of a file, followed by exactly its content. */
function isPlainMember(header: Uint8Array, bytes: number): boolean {
  if (header.length < BLOCK || checkBlock(header, 0) !== 'valid') return false
  const type = header[156] ?? 0
  return (type === TYPE.file || type === 0) && readNumber(header, 124, 12) === bytes
}

/** Holds back each piece until the next arrives, so that the last is delivered only if the digest is right. */
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

/** The bytes differ from those that the index was made from. */
export function mismatch(offset: number): Problem {
  return new Problem(
    'invalid_image',
    `the registry's layer differs from the one that was indexed, at byte ${offset} of the uncompressed tar`,
  )
}
