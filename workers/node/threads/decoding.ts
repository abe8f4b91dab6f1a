/**
 * A large layer on two threads: its own fetches it, scans its tar and writes its tables; a second one decompresses it. Pieces of the
 * blob go there, chunks of the tar come back, each in a buffer that returns when its bytes are used. When one of the threads ends,
 * the port between them closes, so the other does not wait for it.
 */
import { MessageChannel, type MessagePort, type Transferable } from 'node:worker_threads'
import type { WasmModules } from '../../../src/host.ts'
import { type BlobPieces, type BlobReader, PIECE_BYTES } from '../../../src/layer/blob.ts'
import type { Checkpoint } from '../../../src/layer/decode/checkpoints.ts'
import {
  type Decode,
  type DecodeOptions,
  decode as decodeHere,
  decompress,
} from '../../../src/layer/decode/decode.ts'
import { CHUNK_BYTES } from '../../../src/layer/decode/inflater.ts'
import { type Compression, compressionOf } from '../../../src/oci/compression.ts'
import { Problem, type ProblemDocument } from '../../../src/problem.ts'

/** How many pieces of the blob, and chunks of the tar, are on their way or in use at once. */
const PIECES = 4
const CHUNKS = 8

/** A layer's request for a second thread; if none is free, the main thread closes the port. */
export type SecondThreadRequest = {
  readonly port: MessagePort
  readonly compression: Exclude<Compression, 'none'>
  readonly hasCheckpoints: boolean
  readonly zstdWindow: number
}

type ToSecond =
  | { readonly kind: 'piece'; readonly piece: Uint8Array }
  | { readonly kind: 'end' }
  /** The buffer of a chunk whose bytes are used. */
  | { readonly kind: 'used'; readonly buffer: ArrayBuffer }

type FromSecond =
  | { readonly kind: 'ready' }
  /** Asks for a piece; with the buffer of one whose bytes are used. */
  | { readonly kind: 'wish'; readonly buffer: ArrayBuffer | undefined }
  /** With the checkpoints since the chunk before. */
  | { readonly kind: 'chunk'; readonly chunk: Uint8Array; readonly checkpoints: readonly Checkpoint[] }
  | { readonly kind: 'end'; readonly checkpoints: readonly Checkpoint[] }
  | { readonly kind: 'problem'; readonly problem: ProblemDocument }
  | { readonly kind: 'error'; readonly error: unknown }

type Piece = Extract<ToSecond, { kind: 'piece' | 'end' }>
type Wish = Extract<FromSecond, { kind: 'wish' }>
type Send<Message> = (message: Message, transfer?: readonly Transferable[]) => void

/** Messages that arrived, for one reader. */
class Inbox<Message> {
  readonly #messages: Message[] = []
  #isClosed = false
  #wake = () => {}

  add(message: Message): void {
    this.#messages.push(message)
    this.#wake()
  }

  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  /** The next message; undefined if it is closed and empty. */
  async next(): Promise<Message | undefined> {
    while (this.#messages.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#messages.shift()
  }
}

/** Decompresses a layer for another thread, until all is sent or that thread closes the port. */
export async function serveAsSecond(
  { port, compression, hasCheckpoints, zstdWindow }: SecondThreadRequest,
  wasm: WasmModules,
): Promise<void> {
  const pieces = new Inbox<Piece>()
  const free = new Inbox<ArrayBuffer>()
  for (let i = 0; i < CHUNKS; i++) free.add(new ArrayBuffer(CHUNK_BYTES))
  port.on('message', (message: ToSecond) => {
    if (message.kind === 'used') free.add(message.buffer)
    else pieces.add(message)
  })
  port.on('close', () => {
    pieces.close()
    free.close()
  })
  const send: Send<FromSecond> = (message, transfer = []) => port.postMessage(message, transfer)
  let found: Checkpoint[] = []
  const takeFound = () => {
    const checkpoints = found
    found = []
    return checkpoints
  }
  const checkpoints = hasCheckpoints
    ? { add: (checkpoint: Checkpoint) => void found.push(checkpoint) }
    : undefined
  try {
    send({ kind: 'ready' })
    const blob = new ReceivedBlob(pieces, send)
    for await (const bytes of decompress(blob, compression, { wasm, zstdWindow, checkpoints })) {
      const buffer = await free.next()
      if (buffer === undefined) return
      const chunk = new Uint8Array(buffer, 0, bytes.length)
      chunk.set(bytes)
      send({ kind: 'chunk', chunk, checkpoints: takeFound() }, [buffer])
    }
    send({ kind: 'end', checkpoints: takeFound() })
  } catch (error) {
    send(
      error instanceof Problem ? { kind: 'problem', problem: error.toDocument() } : { kind: 'error', error },
    )
  } finally {
    port.close()
  }
}

/** The blob as the layer's thread sends it. */
class ReceivedBlob implements BlobPieces {
  readonly #pieces: Inbox<Piece>
  readonly #send: Send<FromSecond>
  #used: ArrayBuffer | undefined
  #hasEnded = false
  #bytes = 0

  constructor(pieces: Inbox<Piece>, send: Send<FromSecond>) {
    this.#pieces = pieces
    this.#send = send
    for (let ahead = 1; ahead < PIECES; ahead++) this.#wish()
  }

  get bytes(): number {
    return this.#bytes
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#hasEnded) return undefined
    this.#wish()
    const message = await this.#pieces.next()
    if (message === undefined) throw new Error('the thread of the layer closed the port')
    if (message.kind === 'end') {
      this.#hasEnded = true
      return undefined
    }
    this.#bytes += message.piece.length
    return message.piece
  }

  release({ buffer }: Uint8Array): void {
    // Decoders also release what they have joined.
    if (buffer instanceof ArrayBuffer && buffer.byteLength === PIECE_BYTES) this.#used = buffer
  }

  #wish(): void {
    const buffer = this.#used
    this.#used = undefined
    this.#send({ kind: 'wish', buffer }, buffer === undefined ? [] : [buffer])
  }
}

/** The second thread, as the layer's thread sees it. */
class SecondThread {
  readonly #port: MessagePort
  readonly #blob: BlobReader
  readonly #signal: AbortSignal
  readonly #wishes = new Inbox<Wish>()
  readonly #results = new Inbox<Exclude<FromSecond, Wish>>()

  constructor(port: MessagePort, blob: BlobReader, signal: AbortSignal) {
    this.#port = port
    this.#blob = blob
    this.#signal = signal
    signal.addEventListener('abort', () => port.close(), { once: true })
    port.on('message', (message: FromSecond) => {
      if (message.kind === 'wish') this.#wishes.add(message)
      else this.#results.add(message)
    })
    port.on('close', () => {
      this.#wishes.close()
      this.#results.close()
    })
  }

  /** False if there is no second thread. */
  async isReady(): Promise<boolean> {
    return (await this.#results.next()) !== undefined
  }

  async *chunks(checkpoints: DecodeOptions['checkpoints']): AsyncGenerator<Uint8Array> {
    const feeding = this.#feed()
    try {
      for (let result = await this.#results.next(); ; result = await this.#results.next()) {
        switch (result?.kind) {
          case 'chunk':
            for (const checkpoint of result.checkpoints) checkpoints?.add(checkpoint)
            yield result.chunk
            this.#giveBack(result.chunk)
            break
          case 'end':
            for (const checkpoint of result.checkpoints) checkpoints?.add(checkpoint)
            return
          case 'problem':
            throw Problem.from(result.problem)
          case 'error':
            throw result.error
          default:
            // The feeding may wait for a slow registry.
            await this.#blob.cancel()
            this.#signal.throwIfAborted()
            throw new Error('the thread that decompresses the layer ended')
        }
      }
    } finally {
      this.#port.close()
      this.#wishes.close()
      // Whoever reads the rest of the blob must be the only one.
      await feeding
    }
  }

  /** Sends what the second thread asks for. Never rejects: the blob's error is a result. */
  async #feed(): Promise<void> {
    try {
      for (let wish = await this.#wishes.next(); wish !== undefined; wish = await this.#wishes.next()) {
        const bytes = await this.#blob.read()
        if (bytes === undefined) return this.#send({ kind: 'end' })
        const buffer = bufferFor(bytes, wish.buffer)
        const piece = new Uint8Array(buffer, 0, bytes.length)
        piece.set(bytes)
        this.#blob.release(bytes)
        this.#send({ kind: 'piece', piece }, [buffer])
      }
    } catch (error) {
      this.#results.add({ kind: 'error', error })
    }
  }

  #giveBack({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer) this.#send({ kind: 'used', buffer }, [buffer])
  }

  #send(message: ToSecond, transfer: readonly Transferable[] = []): void {
    this.#port.postMessage(message, transfer)
  }
}

/** Pieces are larger only if the source is not a byte stream. */
function bufferFor({ length }: Uint8Array, used: ArrayBuffer | undefined): ArrayBuffer {
  return used !== undefined && length <= used.byteLength
    ? used
    : new ArrayBuffer(Math.max(length, PIECE_BYTES))
}

/**
 * Decompresses layers on a second thread if there is one, else here.
 *
 * @param ask passes the request on to the main thread
 * @param signal the layer's: when it is aborted, nothing waits for the second thread
 */
export function decodeOnSecondThread(
  ask: (request: SecondThreadRequest) => void,
  signal: AbortSignal,
): Decode {
  return async (blob, options) => {
    const compression = compressionOf(await blob.peek(4))
    if (compression === 'none') return decodeHere(blob, options)
    const { port1, port2 } = new MessageChannel()
    const second = new SecondThread(port1, blob, signal)
    const { zstdWindow, checkpoints } = options
    ask({ port: port2, compression, zstdWindow, hasCheckpoints: checkpoints !== undefined })
    if (!(await second.isReady())) return decodeHere(blob, options)
    return { compression, chunks: second.chunks(checkpoints) }
  }
}
