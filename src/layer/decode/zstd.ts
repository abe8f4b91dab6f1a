/**
 * Zstandard (RFC 8878): any number of frames, including skippable ones. libzstd's WebAssembly decodes the frames; their headers
 * are read here, so that a window is rejected before memory is allocated for it.
 */
import { Problem } from '../../problem.ts'
import type { BlobPieces } from '../blob.ts'
import { CHUNK_BYTES, type StartSink } from './inflater.ts'
import { refuseTrailing } from './trailing.ts'
import { isLargeWindow, READING, type ZstdMemory } from './zstd-memory.ts'

const FRAME_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
/** Magic number and everything that can precede a frame's first block. */
const LONGEST_HEADER = 18
const SKIPPABLE_HEADER = 8
/** libzstd decodes no larger window by default, and this build cannot change that. */
const LARGEST_WINDOW = 128 * 1024 * 1024
/** An instance has grown beyond this after a large window: WebAssembly memory never shrinks. */
const GROWN_BYTES = 32 * 1024 * 1024

export type ZstdOptions = {
  readonly module: WebAssembly.Module
  /** In bytes; a frame with a larger window is `too_large`. */
  readonly maxWindow: number
  /** Receives the places where reading can begin. */
  readonly places?: StartSink | undefined
  /** By default that of layers and their files. */
  readonly memory?: ZstdMemory | undefined
}

/** The exports of libzstd that are used: pointers and sizes are 32-bit numbers. */
type Libzstd = {
  readonly memory: WebAssembly.Memory
  malloc(bytes: number): number
  ZSTD_createDCtx(): number
  ZSTD_freeDCtx(context: number): number
  ZSTD_decompressStream(context: number, output: number, input: number): number
}

/** One idle decoder per module, since an instance takes 17 MB. */
const idle = new WeakMap<WebAssembly.Module, ZstdDecoder>()

/**
 * Decodes the rest of `source`. A yielded piece is a view into the decoder's memory, valid until the next is requested.
 *
 * @throws Problem `invalid_image` or `too_large` with the place in the blob
 */
export async function* unzstd(source: BlobPieces, options: ZstdOptions): AsyncGenerator<Uint8Array> {
  const lease = new DecoderLease(options.module, options.memory ?? READING)
  try {
    yield* frames(source, lease, options)
  } finally {
    lease.end()
  }
}

async function* frames(
  source: BlobPieces,
  lease: DecoderLease,
  options: ZstdOptions,
): AsyncGenerator<Uint8Array> {
  const { places } = options
  const maxWindow = Math.min(options.maxWindow, LARGEST_WINDOW)
  const input = new Input(source)
  let given = 0
  for (;;) {
    const header = await input.peek(LONGEST_HEADER)
    if (header.length === 0) return
    const magic = header.length < 4 ? 0 : littleEndian(header, 0, 4)
    if (magic >= SKIPPABLE_MAGIC && magic < SKIPPABLE_MAGIC + 16) {
      if (header.length < SKIPPABLE_HEADER) throw truncated(source.bytes)
      places?.start(input.position, given)
      await input.skip(SKIPPABLE_HEADER + littleEndian(header, 4, 4))
    } else if (magic === FRAME_MAGIC) {
      const window = windowOf(header, input.position)
      requireWindow(window, maxWindow, input.position)
      const decoder = await lease.decoderFor(window)
      places?.start(input.position, given)
      for await (const piece of frame(input, decoder)) {
        given += piece.length
        places?.mark(input.position, given)
        yield piece
      }
    } else {
      await refuseTrailing(source, input.rest())
      return
    }
  }
}

/** A stream's decoder, and the memory that it was admitted to. */
class DecoderLease {
  readonly #module: WebAssembly.Module
  readonly #memory: ZstdMemory
  #window = 0
  #decoder: ZstdDecoder | undefined
  #release = () => {}

  constructor(module: WebAssembly.Module, memory: ZstdMemory) {
    this.#module = module
    this.#memory = memory
  }

  /** Between two frames. @throws Problem `rate_limited` */
  async decoderFor(window: number): Promise<ZstdDecoder> {
    if (this.#decoder !== undefined && (window <= this.#window || !isLargeWindow(window)))
      return this.#decoder
    this.end()
    this.#release = await this.#memory.admit(window)
    this.#window = window
    const decoder = idle.get(this.#module) ?? (await ZstdDecoder.load(this.#module))
    idle.delete(this.#module)
    this.#decoder = decoder
    return decoder
  }

  end(): void {
    if (this.#decoder?.reset(isLargeWindow(this.#window) ? Number.POSITIVE_INFINITY : GROWN_BYTES))
      idle.set(this.#module, this.#decoder)
    this.#decoder = undefined
    this.#release()
    this.#release = () => {}
  }
}

async function* frame(input: Input, decoder: ZstdDecoder): AsyncGenerator<Uint8Array> {
  for (;;) {
    const piece = await input.some()
    if (piece.length === 0) throw truncated(input.position)
    for (decoder.feed(piece); ; ) {
      const step = decoder.step(input.position)
      input.take(step.consumed)
      if (step.output.length > 0) yield step.output
      if (step.frameEnded) return
      if (step.hungry) break
    }
  }
}

/** The blob's bytes where frames may begin anywhere. */
class Input {
  readonly #source: BlobPieces
  #piece: Uint8Array = new Uint8Array(0)
  #at = 0

  constructor(source: BlobPieces) {
    this.#source = source
  }

  /** Position of the next byte in the blob. */
  get position(): number {
    return this.#source.bytes - (this.#piece.length - this.#at)
  }

  rest(): Uint8Array {
    return this.#piece.subarray(this.#at)
  }

  /** The next bytes, at most one piece; none at the end. */
  async some(): Promise<Uint8Array> {
    if (this.#at === this.#piece.length) {
      this.#source.release(this.#piece)
      this.#piece = (await this.#source.read()) ?? new Uint8Array(0)
      this.#at = 0
    }
    return this.#piece.subarray(this.#at, this.#at + CHUNK_BYTES)
  }

  take(bytes: number): void {
    this.#at += bytes
  }

  /** Up to this many bytes, without consuming them. */
  async peek(bytes: number): Promise<Uint8Array> {
    while (this.#piece.length - this.#at < bytes) {
      const more = await this.#source.read()
      if (more === undefined) break
      this.#piece = Buffer.concat([this.rest(), more])
      this.#at = 0
    }
    return this.#piece.subarray(this.#at, this.#at + bytes)
  }

  async skip(bytes: number): Promise<void> {
    let left = bytes
    while (left > 0) {
      const piece = await this.some()
      if (piece.length === 0) throw truncated(this.position)
      this.take(Math.min(left, piece.length))
      left -= Math.min(left, piece.length)
    }
  }
}

type Step = {
  readonly consumed: number
  readonly output: Uint8Array
  readonly frameEnded: boolean
  readonly hungry: boolean
}

class ZstdDecoder {
  readonly #zstd: Libzstd
  readonly #in: number
  readonly #out: number
  /** Two structs of pointer, size and position, for input and output. */
  readonly #structs: number
  #context: number

  constructor(zstd: Libzstd) {
    this.#zstd = zstd
    this.#in = zstd.malloc(CHUNK_BYTES)
    this.#out = zstd.malloc(CHUNK_BYTES)
    this.#structs = zstd.malloc(6 * 4)
    this.#context = zstd.ZSTD_createDCtx()
  }

  static async load(module: WebAssembly.Module): Promise<ZstdDecoder> {
    const instance = await WebAssembly.instantiate(module, {
      env: { emscripten_notify_memory_growth: () => {} },
    })
    const { exports } = instance
    if (!isLibzstd(exports)) throw new Error('the zstd module lacks exports')
    return new ZstdDecoder(exports)
  }

  /** Takes at most `CHUNK_BYTES` bytes. */
  feed(piece: Uint8Array): void {
    const { buffer } = this.#zstd.memory
    new Uint8Array(buffer, this.#in, piece.length).set(piece)
    new Uint32Array(buffer, this.#structs, 3).set([this.#in, piece.length, 0])
  }

  /** @param position of the next byte in the blob, for the error */
  step(position: number): Step {
    const input = this.#structs
    const output = this.#structs + 3 * 4
    const before = new Uint32Array(this.#zstd.memory.buffer, input, 6)
    before.set([this.#out, CHUNK_BYTES, 0], 3)
    const start = before[2] ?? 0
    const result = this.#zstd.ZSTD_decompressStream(this.#context, output, input)
    // Its memory may have grown, which detaches the old view.
    const { buffer } = this.#zstd.memory
    const [, size = 0, end = 0, , , produced = 0] = new Uint32Array(buffer, input, 6)
    if (result < 0 && result > -128) throw corrupt(-result, position + end - start)
    return {
      consumed: end - start,
      output: new Uint8Array(buffer, this.#out, produced),
      frameEnded: result === 0,
      hungry: end === size && produced < CHUNK_BYTES,
    }
  }

  /** Prepares it for another blob; false if it has grown beyond this. */
  reset(mostBytes: number): boolean {
    this.#zstd.ZSTD_freeDCtx(this.#context)
    if (this.#zstd.memory.buffer.byteLength > mostBytes) return false
    this.#context = this.#zstd.ZSTD_createDCtx()
    return true
  }
}

function isLibzstd(exports: unknown): exports is Libzstd {
  const names = ['malloc', 'ZSTD_createDCtx', 'ZSTD_freeDCtx', 'ZSTD_decompressStream']
  return (
    typeof exports === 'object' && exports !== null && 'memory' in exports && names.every((n) => n in exports)
  )
}

/** RFC 8878, 3.1.1.1: the window has a byte of its own, or is the size of the content. */
function windowOf(header: Uint8Array, position: number): number {
  const descriptor = header[4]
  if (descriptor === undefined) throw truncated(position + header.length)
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0
  return singleSegment ? contentSize(header, descriptor, 5 + dictionary) : windowSize(header[5] ?? 0)
}

function requireWindow(window: number, maxWindow: number, position: number): void {
  if (window > maxWindow) {
    throw new Problem(
      'too_large',
      `the zstd frame at byte ${position} of the blob needs a window of ${window} bytes, more than the limit of ${maxWindow} (LAMINA_MAX_ZSTD_WINDOW)`,
    )
  }
}

function contentSize(header: Uint8Array, descriptor: number, at: number): number {
  switch (descriptor >> 6) {
    case 0:
      return header[at] ?? 0
    case 1:
      return littleEndian(header, at, 2) + 256
    case 2:
      return littleEndian(header, at, 4)
    default:
      return littleEndian(header, at, 8)
  }
}

function windowSize(byte: number): number {
  const base = 2 ** (10 + (byte >> 3))
  return base + (base / 8) * (byte & 7)
}

function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let i = at + length - 1; i >= at; i--) value = value * 256 + (bytes[i] ?? 0)
  return value
}

function truncated(position: number): Problem {
  return new Problem('invalid_image', `the zstd stream is truncated: it ends at byte ${position} of the blob`)
}

/** The codes of libzstd's `zstd_errors.h` that input can cause. */
function corrupt(code: number, position: number): Problem {
  const reasons: Record<number, string> = {
    20: 'corrupted data',
    22: 'wrong checksum',
    32: 'needs a dictionary',
  }
  const reason = reasons[code] ?? `error ${code}`
  return new Problem(
    'invalid_image',
    `the zstd stream is corrupt (${reason}) at byte ${position} of the blob`,
  )
}
