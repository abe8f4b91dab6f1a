/** What checkpoints must do on every runtime: reading from one gives the same bytes as reading from the start. */
import { constants, deflateRawSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Limits } from '../../src/configuration.ts'
import type { Host } from '../../src/host.ts'
import { findBlobPart } from '../../src/index/checkpoints.ts'
import { layerKey } from '../../src/index/keys.ts'
import { indexLayer } from '../../src/index/layer-index.ts'
import { BlobReader } from '../../src/layer/blob.ts'
import { gunzip, resumeGunzip } from '../../src/layer/decode/gzip.ts'
import type { StartSink } from '../../src/layer/decode/inflater.ts'
import { type MemberOptions, openMember, type RangePart } from '../../src/layer/member.ts'
import { readLayer } from '../../src/layer/read.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { member, tar } from '../support/tar.ts'

/** Integers below `limit` that a seed determines. */
export function random(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** Stretches of text, noise, repetitions and zeros. */
export function mixture(bytes: number, next: (limit: number) => number): Uint8Array {
  const data = new Uint8Array(bytes)
  for (let at = 0; at < bytes; ) {
    const kind = next(4)
    const end = Math.min(bytes, at + 1 + next(40_000))
    const back = 1 + next(Math.min(at, 32_768) || 1)
    for (; at < end; at++) {
      if (kind === 0) data[at] = 97 + next(16)
      if (kind === 1) data[at] = next(256)
      if (kind === 2) data[at] = data[at - back] ?? 0
    }
  }
  return data
}

function stream(bytes: Uint8Array, piece = 50_000): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + piece))
      at += piece
    },
  })
}

type Found = {
  readonly blobOffset: number
  readonly bit: number
  readonly tarOffset: number
  readonly window: Uint8Array
}

/** The start of each block, from 32 KiB on, and of each member. */
async function places(blob: Uint8Array, piece?: number) {
  const blocks: Found[] = []
  const starts: { readonly blobOffset: number; readonly tarOffset: number }[] = []
  const sink: StartSink = {
    wantsBlock: () => true,
    block: (start) => void blocks.push({ ...start, window: start.window.slice() }),
    start: (blobOffset, tarOffset) => void starts.push({ blobOffset, tarOffset }),
    mark: () => {},
  }
  for await (const _ of gunzip(new BlobReader(stream(blob, piece)), { places: sink }));
  return { blocks, starts }
}

async function join(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Uint8Array[] = []
  for await (const piece of pieces) copies.push(piece.slice())
  return Buffer.concat(copies)
}

const LIMITS: Limits = {
  layerBytes: 2 ** 34,
  imageBytes: 2 ** 36,
  entries: 2_000_000,
  zstdWindow: 8 * 2 ** 20,
}

const STRATEGIES = [
  constants.Z_DEFAULT_STRATEGY,
  constants.Z_FIXED,
  constants.Z_HUFFMAN_ONLY,
  constants.Z_RLE,
  constants.Z_FILTERED,
]

/** @param numRuns runs of each property */
export function testCheckpoints(host: Pick<Host, 'wasm'>, numRuns: number): void {
  test('reading a gzip from any block or member gives the same bytes', {
    timeout: 600_000,
  }, async () => {
    let [blocks, bits] = [0, new Set<number>()]
    for (let seed = 0; seed < numRuns; seed++) {
      const next = random(seed)
      const data = mixture(100_000 + next(400_000), next)
      const options = {
        level: next(10),
        memLevel: 1 + next(9),
        windowBits: 9 + next(7),
        strategy: STRATEGIES[next(STRATEGIES.length)] ?? 0,
      }
      const cut = next(2) === 0 ? data.length : next(data.length)
      const blob = Buffer.concat([
        gzipSync(data.subarray(0, cut), options),
        gzipSync(data.subarray(cut), options),
      ])
      const found = await places(blob, 1 + next(100_000))
      for (const { blobOffset, bit, tarOffset, window } of found.blocks) {
        const rest = await join(
          resumeGunzip(new BlobReader(stream(blob.subarray(blobOffset))), { bit, window }),
        )
        const said = `seed ${seed}, the block at byte ${blobOffset}, bit ${bit}`
        expect(Buffer.compare(rest, data.subarray(tarOffset)), said).toBe(0)
        bits.add(bit)
      }
      blocks += found.blocks.length
      expect(found.starts.map(({ tarOffset }) => tarOffset)).toEqual([0, cut])
      for (const { blobOffset, tarOffset } of found.starts) {
        const rest = await join(gunzip(new BlobReader(stream(blob.subarray(blobOffset)))))
        expect(Buffer.compare(rest, data.subarray(tarOffset))).toBe(0)
      }
    }
    expect(blocks).toBeGreaterThan(numRuns * 5)
    expect([...bits].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test('almost no block is missed', async () => {
    const data = mixture(2_000_000, random(7))
    // Each full flush ends a block and starts another at a byte boundary.
    const parts: Uint8Array[] = []
    for (let at = 0; at < data.length; at += 100_000)
      parts.push(deflateRawSync(data.subarray(at, at + 100_000), { finishFlush: constants.Z_FULL_FLUSH }))
    const whole = gzipSync(data)
    const trailer = whole.subarray(whole.length - 8)
    const blob = Buffer.concat([whole.subarray(0, 10), ...parts, Buffer.from([3, 0]), trailer])
    const { blocks } = await places(blob)
    const found = new Set(blocks.map(({ tarOffset }) => tarOffset))
    const ends = parts.map((_, i) => (i + 1) * 100_000).slice(0, -1)
    // One at the very end of a piece is left to the next piece.
    expect(ends.filter((end) => found.has(end)).length).toBeGreaterThanOrEqual(15)
  })

  test('most stored blocks, which gzip uses for noise, are found', async () => {
    const next = random(9)
    const data = new Uint8Array(8_000_000)
    for (let at = 0; at < data.length; at++) data[at] = at % 160_000 < 80_000 ? 97 + next(4) : next(256)
    const { blocks } = await places(gzipSync(data, { level: 1 }), 60_000)
    expect(blocks.length).toBeGreaterThan(200)
  })

  describe('in an indexed layer', () => {
    const next = random(3)
    const contents = Array.from({ length: 40 }, (_, i) =>
      mixture(i % 7 === 3 ? 3_000_000 : 1 + next(900_000), next),
    )
    const bytes = tar(...contents.map((content, i) => member({ name: `f${i}` }, content)))
    const pieces = (size: number) =>
      Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        gzipSync(bytes.subarray(i * size, (i + 1) * size)),
      )
    const blobs: readonly (readonly [string, Uint8Array, number])[] = [
      ['one member', gzipSync(bytes), 5 * 2 ** 20],
      ['many members', Buffer.concat(pieces(300_000)), 2 ** 20],
    ]

    async function indexed(blob: Uint8Array) {
      const store = new MemoryStore()
      const digest = digestOf(blob)
      const descriptor = { digest, size: blob.length }
      const entries: {
        readonly key: string
        readonly offset: number
        readonly bytes: number
        readonly sha256?: string | undefined
      }[] = []
      const { checkpoints } = await indexLayer(store, digest, (sinks) => {
        const reading = readLayer(stream(blob), { descriptor, limits: LIMITS, wasm: host.wasm, ...sinks })
        return {
          async *entries() {
            for await (const batch of reading.entries()) {
              entries.push(...batch.map(({ key, offset, bytes, sha256 }) => ({ key, offset, bytes, sha256 })))
              yield batch
            }
          },
          get facts() {
            return reading.facts
          },
          linksDatabases: false,
          linksExamined: false,
        }
      })
      return { store, layer: { digest, checkpoints }, entries }
    }

    function wanted(entry: {
      readonly offset: number
      readonly bytes: number
      readonly sha256?: string | undefined
    }): MemberOptions {
      return { ...entry, sha256: entry.sha256 ?? '', limits: LIMITS, wasm: host.wasm }
    }

    test.each(blobs)('each file in %s is read separately', async (_, blob, most) => {
      const { store, layer, entries } = await indexed(blob)
      expect(layer.checkpoints.bytes).toBeLessThan(blob.length / 400)
      for (const [i, entry] of entries.entries()) {
        const found = await findBlobPart(store, layer, entry)
        if (found === undefined) throw new Error(`no part for ${entry.key}`)
        const { block, ...part } = found
        let read = 0
        const open = async (range?: { readonly start: number; readonly end: number | undefined }) => {
          if (range === undefined) throw new Error('read from the start')
          read = (range.end ?? blob.length) - range.start
          return stream(blob.subarray(range.start, range.end))
        }
        const content = await join(openMember(open, wanted(entry), { ...part, from: block ?? 'start' }))
        expect(Buffer.compare(content, contents[i] ?? Buffer.alloc(0)), entry.key).toBe(0)
        expect(read, entry.key).toBeLessThan(most + entry.bytes)
      }
    })

    test('a file that is its own gzip member costs little beyond its own bytes', async () => {
      const { entries: plain } = await indexed(gzipSync(bytes))
      const cuts = [0, ...plain.map(({ offset }) => offset), bytes.length]
      const members = cuts.slice(1).map((end, i) => gzipSync(bytes.subarray(cuts[i], end)))
      const blob = Buffer.concat(members)
      const { store, layer, entries } = await indexed(blob)
      for (const [i, entry] of entries.entries()) {
        const found = await findBlobPart(store, layer, entry)
        const read = (found?.blobEnd ?? blob.length) - (found?.blobOffset ?? 0)
        expect(read, entry.key).toBeLessThanOrEqual((members[i + 1]?.length ?? 0) + 48 * 1024)
      }
    })

    test('a layer of less than 1 MiB has no checkpoints', async () => {
      const { layer } = await indexed(gzipSync(bytes.subarray(0, 0)))
      expect(layer.checkpoints.bytes).toBe(0)
    })

    test('whatever is wrong with the stored checkpoints, a file is either right or refused', {
      timeout: 600_000,
    }, async () => {
      const blob = gzipSync(bytes)
      const { store, layer, entries } = await indexed(blob)
      const key = layerKey(layer.digest, 'entries.parquet')
      const { offset, bytes: size } = layer.checkpoints
      const stored = store.objects.get(key)?.subarray(offset, offset + size) ?? new Uint8Array(0)
      const rows = store.objects.get(key)?.subarray(0, offset) ?? new Uint8Array(0)
      let [right, refused] = [0, 0]
      for (let run = 0; run < numRuns * 10; run++) {
        const draw = random(run + 1_000)
        const index = draw(entries.length)
        const entry = entries[index]
        if (entry === undefined || entry.bytes > 1_000_000) continue
        // Half of the time damages the stored bytes, half of the time the bytes after their verification.
        store.objects.set(key, Buffer.concat([rows, run % 2 === 0 ? damaged(stored, draw) : stored]))
        const found = await findBlobPart(store, layer, entry)
        if (found === undefined) {
          refused++
          continue
        }
        const part = run % 2 === 0 ? partOf(found) : damagedPart(partOf(found), draw)
        const open = async (range?: { readonly start: number; readonly end: number | undefined }) =>
          stream(range === undefined ? gzipSync('') : blob.subarray(range.start, range.end))
        const outcome = await join(openMember(open, wanted(entry), part)).catch((error: unknown) => error)
        if (Buffer.isBuffer(outcome)) {
          right++
          expect(Buffer.compare(outcome, contents[index] ?? Buffer.alloc(0)), `run ${run}`).toBe(0)
        } else {
          refused++
          expect(outcome, `run ${run}`).toMatchObject({ code: 'invalid_image' })
        }
      }
      expect(right).toBeGreaterThan(0)
      expect(refused).toBeGreaterThan(numRuns)
    })
  })
}

type FoundPart = NonNullable<Awaited<ReturnType<typeof findBlobPart>>>

function partOf({ block, ...part }: FoundPart): RangePart {
  return { ...part, from: block ?? 'start' }
}

function damaged(bytes: Uint8Array, draw: (limit: number) => number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const at = draw(copy.length)
  copy[at] = (copy[at] ?? 0) ^ (1 << draw(8))
  return draw(4) === 0 ? copy.subarray(0, draw(copy.length)) : copy
}

/** As if the damage had gone unnoticed. */
function damagedPart(part: RangePart, draw: (limit: number) => number): RangePart {
  const { from } = part
  switch (draw(4)) {
    case 0:
      return { ...part, blobOffset: Math.max(0, part.blobOffset + draw(9) - 4) }
    case 1:
      return { ...part, tarOffset: part.tarOffset + 1 + draw(100_000) }
    case 2:
      return typeof from === 'string' ? part : { ...part, from: { ...from, bit: draw(8) } }
    default:
      return typeof from === 'string'
        ? { ...part, blobEnd: part.blobOffset + draw(1_000) }
        : { ...part, from: { ...from, window: damaged(from.window, draw) } }
  }
}
