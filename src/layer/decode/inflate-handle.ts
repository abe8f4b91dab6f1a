/**
 * Inflates gzip through the handle inside a zlib stream, into one reused buffer. The stream around it allocates memory for each
 * piece of output, which costs a tenth to a fifth of all the time. It inflates raw deflate: this code separates the members,
 * since reading can start at each.
 */
import { constants, crc32, createInflateRaw, type InflateRaw } from 'node:zlib'
import type { BlobPieces } from '../blob.ts'
import { BlockInflater } from './block-inflater.ts'
import { type BitStart, resumingBytes, WINDOW_BYTES } from './block-start.ts'
import { type Boundary, findBit } from './find-bit.ts'
import { checkTrailer, endOfHeader, GzipError, sizeInTrailer, TRAILER_BYTES } from './gzip-member.ts'
import { CHUNK_BYTES, type Inflater, type StartSink } from './inflater.ts'
import { NeededWindow } from './needed-window.ts'
import { type Insides, withInsides } from './zlib-handle.ts'

const NOTHING = new Uint8Array(0)
/** How many unusable block starts are examined in a row, as in a row of tiny blocks. */
const MAX_TRIES = 16

/** What the next byte of input belongs to; `between`: another member, zeros, or nothing. */
type Part = 'header' | 'body' | 'trailer' | 'between' | 'ended'

export class HandleInflater implements Inflater {
  readonly #stream: InflateRaw & Insides
  readonly #output = new Uint8Array(CHUNK_BYTES)
  readonly #window = new Window()
  #part: Part = 'header'
  #isLast = false
  #rest: Uint8Array = NOTHING
  /** The beginning of a header or trailer that arrived in an earlier piece. */
  #held: Uint8Array = NOTHING
  /** CRC-32 of the member's content so far; undefined if its beginning is unknown. */
  #content: { crc32: number; bytes: number } | undefined = { crc32: 0, bytes: 0 }
  /** Output that only refills zlib's window, and is dropped. */
  #drop = 0
  #places: StartSink | undefined
  /** What examines the start of a block, once there is one. */
  #examiner: { readonly inflater: BlockInflater; readonly needed: NeededWindow } | undefined
  /** Bytes consumed in all, including `rest`, and bytes produced. */
  #taken = 0
  #given = 0
  /** The byte before `rest`. */
  #before = 0
  #tries = 0
  /** zlib has stopped at the start of a block, at `rest`, and continues from there. */
  #isAtBlock = false

  /** @throws Error if this runtime's zlib has no such handle */
  constructor(stream: InflateRaw = createInflateRaw()) {
    // `next` throws its errors.
    this.#stream = withInsides(stream)
  }

  get rest(): Uint8Array {
    return this.#rest
  }

  async *inflate(
    source: Pick<BlobPieces, 'read' | 'release'>,
    places?: StartSink,
  ): AsyncGenerator<Uint8Array> {
    this.#places = places
    for (;;) {
      const input = await source.read()
      this.take(input)
      for (let piece = this.next(); piece.length > 0; piece = this.next()) yield piece
      if (input === undefined || this.#rest.length > 0) return
      source.release(input)
    }
  }

  /** Begins at a block within a member, whose trailer then cannot be checked. Call it before `inflate`. */
  resume(start: BitStart): void {
    this.#part = 'body'
    this.#content = undefined
    this.#drop = start.window.length
    this.take(resumingBytes(start))
    if (this.next().length > 0 || this.#rest.length > 0) throw new GzipError('Z_DATA_ERROR', 'invalid window')
  }

  /** @param input undefined at the end: then the stream must be complete */
  take(input: Uint8Array | undefined): void {
    this.#isLast = input === undefined
    this.#rest = input ?? NOTHING
    this.#taken += this.#rest.length
  }

  /**
   * The next piece of output; empty if more input is needed, or the gzip has ended.
   *
   * @throws zlib's error
   */
  next(): Uint8Array {
    let filled = 0
    let goesOn = true
    while (goesOn && filled < CHUNK_BYTES) {
      switch (this.#part) {
        case 'header':
          goesOn = this.#readHeader(this.#given + filled)
          break
        case 'body': {
          const bytes = this.#readBody(filled)
          // The window of a block's start is the output before it.
          goesOn = this.#part !== 'body' || (filled + bytes === 0 && this.#isAtBlock)
          filled += bytes
          break
        }
        case 'trailer':
          goesOn = this.#readTrailer()
          break
        case 'between':
          goesOn = this.#rest.length > 0
          if (goesOn) this.#part = this.#rest[0] === 0 ? 'ended' : 'header'
          break
        case 'ended':
          goesOn = false
          break
        default:
          return this.#part satisfies never
      }
    }
    return this.#give(filled)
  }

  close(): void {
    this.#stream.destroy()
    this.#examiner?.inflater.close()
  }

  #give(filled: number): Uint8Array {
    const dropped = Math.min(this.#drop, filled)
    this.#drop -= dropped
    const piece = this.#output.subarray(dropped, filled)
    this.#given += piece.length
    if (this.#places === undefined || piece.length === 0) return piece
    const blobOffset = this.#taken - this.#rest.length
    this.#places.mark(blobOffset, this.#given)
    if (this.#places.wantsBlock(blobOffset, this.#given)) this.#window.add(piece)
    else this.#window.clear()
    return piece
  }

  #readHeader(tarOffset: number): boolean {
    if (this.#rest.length === 0) {
      if (this.#isLast) throw cut()
      return false
    }
    if (this.#held.length === 0) this.#places?.start(this.#taken - this.#rest.length, tarOffset)
    const bytes = this.#withHeld()
    const end = endOfHeader(bytes, crc32)
    if (end === undefined) return this.#hold(bytes)
    this.#advance(end - this.#held.length)
    this.#held = NOTHING
    this.#content = { crc32: 0, bytes: 0 }
    this.#stream._handle.reset()
    this.#part = 'body'
    return true
  }

  #readTrailer(): boolean {
    const bytes = this.#withHeld()
    if (bytes.length < TRAILER_BYTES) return this.#hold(bytes)
    if (this.#content !== undefined) checkTrailer(bytes, this.#content)
    this.#advance(TRAILER_BYTES - this.#held.length)
    this.#held = NOTHING
    this.#part = 'between'
    return true
  }

  #withHeld(): Uint8Array {
    return this.#held.length === 0 ? this.#rest : Buffer.concat([this.#held, this.#rest])
  }

  /** Keeps the beginning of a header or trailer until the rest arrives. */
  #hold(bytes: Uint8Array): false {
    if (this.#isLast) throw cut()
    this.#held = bytes.slice()
    this.#rest = NOTHING
    return false
  }

  /** Consumes this many bytes of input. */
  #advance(bytes: number): void {
    if (bytes > 0) this.#before = this.#rest[bytes - 1] ?? 0
    this.#rest = this.#rest.subarray(bytes)
  }

  /** Inflates into the output from `filled` on. @returns bytes of output; the part is `trailer` if the body has ended */
  #readBody(filled: number): number {
    const { _handle, _writeState } = this.#stream
    const input = this.#rest
    const before = this.#before
    const wasAtBlock = this.#isAtBlock
    const toBlock = this.#wantsBlock(filled)
    const room = CHUNK_BYTES - filled
    const flush = toBlock ? constants.Z_BLOCK : constants.Z_NO_FLUSH
    _handle.writeSync(flush, input, 0, input.length, this.#output, filled, room)
    if (this.#stream.errored) throw this.#stream.errored
    const [free, left] = _writeState
    this.#advance(input.length - left)
    const output = this.#output.subarray(filled, CHUNK_BYTES - free)
    if (this.#content !== undefined) {
      this.#content.crc32 = crc32(output, this.#content.crc32)
      this.#content.bytes += output.length
    }
    // When asked to stop at the next block, zlib stops before it, and again before the trailer. Only at the end it consumes
    // nothing more.
    const stops = left > 0 && free > 0
    this.#isAtBlock = stops && toBlock && (left < input.length || output.length > 0)
    if (stops && !this.#isAtBlock) this.#part = 'trailer'
    if (wasAtBlock && toBlock && output.length > 0)
      this.#reportBlock({ before, behind: input, output, goesOn: this.#goesOn() })
    if (left === 0 && free > 0 && this.#isLast) throw cut()
    return output.length
  }

  /** Whether another block follows the one that has ended: after the last one, the trailer has the content's size. */
  #goesOn(): boolean {
    if (!this.#isAtBlock || this.#content === undefined || this.#rest.length < TRAILER_BYTES) return false
    return sizeInTrailer(this.#rest) !== this.#content.bytes % 2 ** 32
  }

  #wantsBlock(filled: number): boolean {
    const { length } = this.#window
    if (this.#places === undefined || length < WINDOW_BYTES) return false
    if (this.#places.wantsBlock(this.#taken - this.#rest.length, this.#given + filled)) return true
    this.#window.clear()
    return false
  }

  /** zlib stopped at the start of a block and has continued: now the bit can be determined. */
  #reportBlock(found: Omit<Boundary, 'window'>): void {
    if (this.#places === undefined) return
    const window = this.#window.view()
    this.#examiner ??= createExaminer()
    const { inflater, needed } = this.#examiner
    const start = findBit({ ...found, window }, inflater)
    this.#tries++
    if (start === undefined) {
      if (this.#tries < MAX_TRIES) return
      this.#tries = 0
      this.#window.clear()
      return
    }
    this.#tries = 0
    const { at, bit } = start
    const blobOffset = this.#taken - found.behind.length - 1 + at
    const [byte = 0] = at === 0 ? [found.before] : found.behind
    const reduced = needed.of({ window, byte, bit }, found.behind.subarray(at))
    this.#places.block({
      blobOffset,
      bit,
      tarOffset: this.#given,
      window: reduced ?? window,
      isReduced: reduced !== undefined,
    })
  }
}

function createExaminer() {
  const inflater = new BlockInflater()
  return { inflater, needed: new NeededWindow(inflater) }
}

/** The last bytes of the output, as many as a block can refer to. */
class Window {
  readonly #bytes = new Uint8Array(WINDOW_BYTES)
  length = 0

  add(piece: Uint8Array): void {
    const kept = Math.min(this.length, Math.max(0, WINDOW_BYTES - piece.length))
    this.#bytes.copyWithin(0, this.length - kept, this.length)
    const added = piece.subarray(Math.max(0, piece.length - WINDOW_BYTES))
    this.#bytes.set(added, kept)
    this.length = kept + added.length
  }

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
  }
}

function cut(): GzipError {
  return new GzipError('Z_BUF_ERROR', 'unexpected end of file')
}

/** `one` and `two` as two gzip members, followed by zeros. */
const TRIAL = Buffer.from('H4sIAAAAAAAAA8vPSwUA8YZsegMAAAAfiwgAAAAAAAADKynPBwBmisoRAwAAAAAAAAA=', 'base64')
const TRIAL_OUTPUT = 'onetwo'
const TRIAL_ZEROS = 4

/** Whether this runtime's handle does what {@link HandleInflater} relies on, tested on a few bytes. */
export function handleWorks(create: () => InflateRaw = createInflateRaw): boolean {
  let inflater: HandleInflater | undefined
  try {
    inflater = new HandleInflater(create())
    inflater.take(TRIAL)
    const pieces = [Buffer.from(inflater.next()), Buffer.from(inflater.next())]
    return (
      Buffer.concat(pieces).toString() === TRIAL_OUTPUT &&
      inflater.rest.length === TRIAL_ZEROS &&
      failsOnGarbage(create())
    )
  } catch {
    return false
  } finally {
    inflater?.close()
  }
}

/** Whether zlib's errors are reported: a handle that hides them would make corrupt layers look good. */
function failsOnGarbage(stream: InflateRaw): boolean {
  const inflater = new HandleInflater(stream)
  // A member whose first block has an invalid kind.
  inflater.take(Buffer.concat([TRIAL.subarray(0, 10), Buffer.from([0xff, 0xff])]))
  try {
    inflater.next()
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'Z_DATA_ERROR'
  } finally {
    inflater.close()
  }
}
