import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { yieldToEventLoop } from '../../../src/concurrency.ts'
import type { Checkpoint } from '../../../src/layer/decode/checkpoints.ts'
import type { Decode } from '../../../src/layer/decode/decode.ts'
import { readLayer } from '../../../src/layer/read.ts'
import { mixture, random } from '../../../test/layers/checkpoint-cases.ts'
import { blobOf, LIMITS, readWhole, sha256Digest, WASM } from '../../../test/support/blob.ts'
import { member, tar } from '../../../test/support/tar.ts'
import { decodeOnSecondThread } from './decoding.ts'
import { type ThreadData, threadFile } from './threads.ts'

const PIECE = 256 * 1024

let worker: Worker
let decode: Decode
/** How many layers the worker was given. */
let given: number

function startWorker(): void {
  const workerData: ThreadData = { env: {}, pulse: new SharedArrayBuffer(4), turn: new SharedArrayBuffer(4) }
  worker = new Worker(threadFile('decoding-thread'), { workerData })
  given = 0
  decode = decodeOnSecondThread((request) => {
    given++
    worker.postMessage({ kind: 'task', task: request }, [request.port])
  }, new AbortController().signal)
}

beforeEach(startWorker)
afterEach(() => worker.terminate())

/** A tar with one file of this size. */
function tarOf(bytes: number): Uint8Array {
  return tar(member({ name: 'file' }, mixture(bytes, random(bytes))))
}

/** What a blob gives, or how it fails, with its checkpoints. */
async function result(bytes: Uint8Array, decode: Decode | undefined, kind: 'bytes' | 'chunks' = 'bytes') {
  const found: Checkpoint[] = []
  const checkpoints = { add: (one: Checkpoint) => void found.push(one), addSparse() {}, flush() {} }
  const { stream } = blobOf(bytes, { cuts: [50_000, 7, 300_000], kind })
  try {
    return { ...(await readWhole(bytes, { blob: stream, decode, checkpoints })), found }
  } catch (error) {
    return { error }
  }
}

const COMPRESS = {
  gzip: gzipSync,
  zstd: (bytes: Uint8Array) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
}

/** A tar's bytes are a multiple of 512, so these end at, just before and just after the end of a piece. */
const SIZES = [0, 1, PIECE - 1536, PIECE - 2048, PIECE - 1024, 8 * PIECE - 1536, 40 * PIECE + 12_345]

describe.each(['gzip', 'zstd'] as const)('a %s layer on two threads', (compression) => {
  const compress = COMPRESS[compression]

  it('has the same members, digests and checkpoints as on one', async () => {
    for (const bytes of SIZES) {
      const blob = compress(tarOf(bytes))
      for (const kind of ['bytes', 'chunks'] as const) {
        const here = await result(blob, undefined, kind)
        expect(here).toMatchObject({ facts: { compression, entries: 1 } })
        expect(await result(blob, decode, kind)).toEqual(here)
      }
    }
    expect(given).toBe(2 * SIZES.length)
    const large = await result(compress(tarOf(40 * PIECE)), decode)
    expect(large).toMatchObject({ found: expect.arrayContaining([expect.anything()]) })
  })

  it('has several members or frames, and zeros behind them', async () => {
    const bytes = tarOf(40 * PIECE)
    const parts = [bytes.subarray(0, -2000), bytes.subarray(-2000, -1000), bytes.subarray(-1000)].map(
      (part) => compress(part),
    )
    const blob = Buffer.concat([...parts, Buffer.alloc(PIECE)])
    const here = await result(blob, undefined)
    expect(here).toMatchObject({ facts: { diffId: sha256Digest(bytes) } })
    // Known only at the end.
    const last = 'found' in here ? here.found.at(-1) : undefined
    expect(last).toMatchObject({ kind: 'start', tarOffset: bytes.length - 1000 })
    expect(await result(blob, decode)).toEqual(here)
  })

  it('fails as on one if it is damaged, truncated or not a tar', async () => {
    const blob = compress(tarOf(10 * PIECE))
    const damaged = Buffer.from(blob)
    damaged.fill(0xff, blob.length >> 1, (blob.length >> 1) + 100)
    const others = [
      blob.subarray(0, -5),
      Buffer.concat([blob, Buffer.from('x')]),
      compress(randomBytes(20 * PIECE)),
    ]
    for (const bad of [damaged, ...others]) {
      const here = await result(bad, undefined)
      expect(here).toMatchObject({ error: { code: 'invalid_image', permanent: true } })
      expect(await result(bad, decode)).toEqual(here)
    }
    expect(given).toBe(4)
  })

  it('fails as on one if its blob has another digest', async () => {
    const blob = compress(tarOf(4 * PIECE))
    const descriptor = { digest: sha256Digest(Buffer.from('another')), size: blob.length }
    const digests = [undefined, decode].map((decode) => readWhole(blob, { descriptor, decode }))
    const [here, there] = await Promise.allSettled(digests)
    expect(here).toMatchObject({ reason: { code: 'invalid_image' } })
    expect(there).toEqual(here)
  })
})

/** Each piece comes some turns of the event loop after it is requested. */
function slowly(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      for (let turn = 0; turn < 20; turn++) await yieldToEventLoop()
      if (at >= bytes.length) {
        controller.close()
        controller.byobRequest?.respond(0)
        return
      }
      controller.enqueue(Uint8Array.from(bytes.subarray(at, at + PIECE)))
      at += PIECE
    },
  })
}

it('the rest of a blob that is not a tar is read to its digest', async () => {
  const blob = gzipSync(randomBytes(20 * PIECE))
  const reading = readWhole(blob, { blob: slowly(blob), decode })
  await expect(reading).rejects.toMatchObject({ code: 'invalid_image', permanent: true })
})

it('a plain tar needs no second thread', async () => {
  await readWhole(tarOf(PIECE), { decode })
  expect(given).toBe(0)
})

it('a layer is decompressed here if there is no second thread', async () => {
  const refusing = decodeOnSecondThread(({ port }) => port.close(), new AbortController().signal)
  const blob = gzipSync(tarOf(PIECE))
  expect(await result(blob, refusing)).toEqual(await result(blob, undefined))
})

/** Sends half of a blob, and the rest never. */
function halfOf(blob: Uint8Array, sent: () => void): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    async pull(controller) {
      if (at >= blob.length / 2) {
        sent()
        return new Promise(() => {})
      }
      controller.enqueue(blob.slice(at, at + PIECE))
      at += PIECE
    },
  })
}

/** Reads a blob that stalls in its middle. */
function readHalf(signal?: AbortSignal) {
  const blob = gzipSync(tarOf(40 * PIECE))
  const stalled = Promise.withResolvers<void>()
  const reading = readLayer(halfOf(blob, stalled.resolve), {
    descriptor: { digest: sha256Digest(blob), size: blob.length },
    limits: LIMITS,
    wasm: WASM,
    decode,
    signal,
    database: { open() {}, async write() {}, close() {} },
  })
  const read = async () => {
    for await (const _ of reading.entries());
  }
  return { outcome: read(), stalled: stalled.promise }
}

describe('a layer that does not end', () => {
  it('frees its second thread when it is cancelled', async () => {
    const cancelled = new AbortController()
    const { outcome, stalled } = readHalf(cancelled.signal)
    await stalled
    cancelled.abort(new Error('cancelled'))
    await expect(outcome).rejects.toThrow('cancelled')
    expect(await once(worker, 'message')).toMatchObject([{ kind: 'outcome' }])
  })

  it('frees its second thread when its reader stops early', async () => {
    const files = Array.from({ length: 3_000 }, (_, i) => member({ name: `${i}` }, randomBytes(5_000)))
    const blob = gzipSync(tar(...files))
    const { stream, cancelled } = blobOf(blob)
    const descriptor = { digest: sha256Digest(blob), size: blob.length }
    const database = { open() {}, async write() {}, close() {} }
    const reading = readLayer(stream, { descriptor, limits: LIMITS, wasm: WASM, decode, database })
    for await (const _ of reading.entries()) break
    expect(cancelled()).toBe(true)
    expect(await once(worker, 'message')).toMatchObject([{ kind: 'outcome' }])
  })

  it('fails when its second thread dies, and the next layer does not', async () => {
    const { outcome, stalled } = readHalf()
    await stalled
    const failed = expect(outcome).rejects.toThrow('the thread that decompresses the layer ended')
    await worker.terminate()
    await failed
    startWorker()
    const blob = gzipSync(tarOf(PIECE))
    expect(await result(blob, decode)).toEqual(await result(blob, undefined))
  })
})
