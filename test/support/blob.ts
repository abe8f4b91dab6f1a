/** Blobs as a registry sends them, and the result of reading a layer from one. */
import { createHash } from 'node:crypto'
import { yieldToEventLoop } from '../../src/concurrency.ts'
import type { Limits } from '../../src/configuration.ts'
import type { DatabaseSink } from '../../src/layer/database.ts'
import type { Entry } from '../../src/layer/entry.ts'
import { type LayerFacts, type ReadOptions, readLayer } from '../../src/layer/read.ts'
import { compiledWasm } from '../../workers/wasm.ts'
import { cut } from './scan-tar.ts'

export const WASM = compiledWasm()

export const LIMITS: Limits = {
  layerBytes: 2 ** 34,
  imageBytes: 2 ** 36,
  entries: 2_000_000,
  zstdWindow: 128 * 2 ** 20,
}

export function sha256Digest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export type TestBlob = {
  readonly stream: ReadableStream<Uint8Array>
  readonly cancelled: () => boolean
}

/** @param cuts sizes of the chunks that it sends, over and over */
export function blobOf(
  bytes: Uint8Array,
  { cuts = [65_536], kind = 'bytes' }: { cuts?: readonly number[]; kind?: 'bytes' | 'chunks' } = {},
): TestBlob {
  const chunks = cut(bytes, cuts)
  let isCancelled = false
  const next = () => {
    const { done, value } = chunks.next()
    return done ? undefined : Uint8Array.from(value)
  }
  const cancel = () => {
    isCancelled = true
  }
  const stream = kind === 'bytes' ? byteStream(next, cancel) : chunkStream(next, cancel)
  return { stream, cancelled: () => isCancelled }
}

type Next = () => Uint8Array<ArrayBuffer> | undefined

function byteStream(next: Next, cancel: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const chunk = next()
      if (chunk !== undefined) return controller.enqueue(chunk)
      controller.close()
      // The pending read must be answered too.
      controller.byobRequest?.respond(0)
    },
    cancel,
  })
}

function chunkStream(next: Next, cancel: () => void): ReadableStream<Uint8Array> {
  const source: UnderlyingDefaultSource<Uint8Array> = {
    pull(controller) {
      const chunk = next()
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
    cancel,
  }
  return new ReadableStream(source, { highWaterMark: 0 })
}

export type ReadLayer = {
  readonly entries: readonly Entry[]
  readonly facts: LayerFacts
  /** By key, as `databases` received them. */
  readonly databases: ReadonlyMap<string, string>
}

export class DatabaseRecorder implements DatabaseSink {
  readonly found = new Map<string, string>()
  #key = ''
  #bytes = 0

  open(key: string, bytes: number): void {
    this.#key = key
    this.#bytes = bytes
    this.found.set(key, '')
  }

  async write(chunk: Uint8Array): Promise<void> {
    // A slow sink must still find the same bytes.
    await yieldToEventLoop()
    this.found.set(this.#key, this.found.get(this.#key) + Buffer.from(chunk).toString('latin1'))
  }

  close(): void {
    const { length } = this.found.get(this.#key) ?? ''
    if (length !== this.#bytes) throw new Error(`${this.#key} has ${length} of ${this.#bytes} bytes`)
  }
}

/** Reads a blob whole, under its own digest unless another is given. */
export async function readWhole(
  bytes: Uint8Array,
  options: Partial<ReadOptions> & { readonly blob?: ReadableStream<Uint8Array> } = {},
): Promise<ReadLayer> {
  const { blob = blobOf(bytes).stream, ...rest } = options
  const database = new DatabaseRecorder()
  const descriptor = { digest: sha256Digest(bytes), size: bytes.length }
  const reading = readLayer(blob, { descriptor, limits: LIMITS, wasm: WASM, database, ...rest })
  const entries: Entry[] = []
  for await (const batch of reading.entries()) entries.push(...batch)
  return { entries, facts: reading.facts, databases: database.found }
}
