/** What every way to inflate gzip must do, on every runtime. */
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { BlobReader } from '../../src/layer/blob.ts'
import { gunzip } from '../../src/layer/decode/gzip.ts'
import type { Inflater } from '../../src/layer/decode/inflater.ts'

/** Text that compresses to about half; the seed determines every byte. */
function sample(bytes: number, seed = 1): Uint8Array {
  let state = seed
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return 97 + (state >>> 28)
  })
}

const large = sample(1_500_000)
const small = sample(3_000, 2)
/** Not a `Buffer`, whose `slice` is a view: copies of it are changed below. */
const packed = new Uint8Array(gzipSync(large))

const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ 0xff
  return copy
}

const GOOD: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
  ['one member', packed, large],
  ['nothing in a member', gzipSync(new Uint8Array(0)), new Uint8Array(0)],
  [
    'no bytes at all in the last of three members',
    join(packed, gzipSync(small), gzipSync('')),
    join(large, small),
  ],
  [
    'a thousand members',
    join(...Array.from({ length: 1_000 }, () => gzipSync(small))),
    join(...Array.from({ length: 1_000 }, () => small)),
  ],
  ['zeros after the last member', join(packed, new Uint8Array(700_000)), large],
  ['one zero after the last member', join(gzipSync(small), new Uint8Array(1)), small],
  ['64 MiB of zeros', gzipSync(new Uint8Array(64 * 2 ** 20)), new Uint8Array(64 * 2 ** 20)],
]

const BAD: readonly (readonly [string, Uint8Array, string])[] = [
  [
    'a stream that is cut',
    packed.subarray(0, packed.length - 100),
    `is truncated: it ends at byte ${packed.length - 100}`,
  ],
  ['a stream without its trailer', packed.subarray(0, packed.length - 8), 'is truncated'],
  ['a second member that is cut', join(packed, gzipSync(small).subarray(0, 9)), 'is truncated'],
  ['a wrong checksum', changed(packed, packed.length - 8), 'incorrect data check'],
  ['a wrong length', changed(packed, packed.length - 1), 'incorrect length check'],
  ['a wrong byte in the middle', changed(packed, 300_000), 'the gzip stream is corrupt'],
  ['garbage after the last member', join(packed, Buffer.from('garbage')), 'the gzip stream is corrupt'],
  [
    'garbage after zeros',
    join(packed, new Uint8Array(600_000), Buffer.from('x')),
    `unexpected data after the end of the compressed stream, at byte ${packed.length + 600_000}`,
  ],
]

/** The bytes in pieces no larger than `piece`. */
function inPieces(bytes: Uint8Array, piece: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + piece))
      at += piece
    },
  })
}

async function inflate(bytes: Uint8Array, piece: number, inflater: Inflater): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const output of gunzip(new BlobReader(inPieces(bytes, piece)), { inflater }))
    pieces.push(output.slice())
  return join(...pieces)
}

/** Registers the tests of one way to inflate. */
export function testInflater(create: () => Inflater): void {
  test.each(GOOD)('inflates %s', async (_, bytes, expected) => {
    for (const piece of [bytes.length + 1, 65_536, 1_021]) {
      const output = await inflate(bytes, piece, create())
      expect(Buffer.compare(output, expected)).toBe(0)
    }
    // Puts each boundary between members, and between the last one and what follows, at the edge of a piece.
    if (bytes.length < 4_000) expect(Buffer.compare(await inflate(bytes, 1, create()), expected)).toBe(0)
  })

  test('inflates a piece that ends where a member ends', async () => {
    const member = gzipSync(small)
    const output = await inflate(join(member, member, new Uint8Array(member.length)), member.length, create())
    expect(Buffer.compare(output, join(small, small))).toBe(0)
  })

  test.each(BAD)('refuses %s', async (_, bytes, detail) => {
    for (const piece of [bytes.length + 1, 65_536, 1_021])
      await expect(inflate(bytes, piece, create())).rejects.toMatchObject({
        code: 'invalid_image',
        message: expect.stringContaining(detail),
      })
  })

  test('passes on the error of its source', async () => {
    const cut = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(packed.slice(0, 100_000))
      },
      pull(controller) {
        controller.error(new Error('the connection was cut'))
      },
    })
    const read = async () => {
      for await (const _ of gunzip(new BlobReader(cut), { inflater: create() }));
    }
    await expect(read()).rejects.toThrow('the connection was cut')
  })

  test('stops when its reader stops, and reads no more of its source', async () => {
    let pulled = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++
        controller.enqueue(gzipSync(small))
      },
    })
    const blob = new BlobReader(endless)
    for await (const _ of gunzip(blob, { inflater: create() })) break
    await blob.cancel()
    const before = pulled
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(pulled).toBe(before)
  })
}
