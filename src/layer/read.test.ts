import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { tries } from '../../test/layers/tries.ts'
import {
  blobOf,
  DatabaseRecorder,
  LIMITS,
  type ReadLayer,
  readWhole,
  sha256Digest,
  WASM,
} from '../../test/support/blob.ts'
import { cut } from '../../test/support/scan-tar.ts'
import { header, member, pax, tar } from '../../test/support/tar.ts'
import { frameHeader, rawBlock } from '../../test/support/zstd-frame.ts'
import { type ReadOptions, readLayer } from './read.ts'

const text = 'content of some length, '.repeat(40)
const small = tar(
  member({ name: 'dir/', type: '5' }),
  member({ name: 'dir/file' }, text),
  member({ name: 'dir/empty' }),
  pax({ path: `dir/${'long'.repeat(40)}`, 'SCHILY.xattr.user.note': 'x' }),
  member({ name: 'short' }, 'under a long name'),
  member({ name: 'dir/.wh.gone' }),
  member({ name: 'link', type: '2', link: 'dir/file' }),
)

/** Incompressible, and larger than any buffer. */
const big = tar(
  member({ name: 'a' }, noise(300_000)),
  member({ name: 'b' }, noise(900_001)),
  member({ name: 'c' }, 'c'),
)

function noise(bytes: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, i) =>
    createHash('sha256').update(`${i}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, bytes)
}

const hex = (text: string | undefined) => text && Buffer.from(text, 'latin1').toString('hex')
const members = (bytes: Uint8Array, piece: number) =>
  Buffer.concat([...cut(bytes, [piece])].map((part) => gzipSync(part)))
const zstd = (bytes: Uint8Array) =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
/** A frame that requires a window of 2^`log` bytes. */
const zstdWindow = (bytes: Uint8Array, log: number) =>
  Buffer.concat([frameHeader(log), rawBlock(bytes, true)])
const skippable = (content: string, kind = 0x50) => {
  const head = Buffer.from([kind, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
  head.writeUInt32LE(content.length, 4)
  return Buffer.concat([head, Buffer.from(content)])
}
const frames = (bytes: Uint8Array, piece: number) =>
  Buffer.concat([...cut(bytes, [piece])].flatMap((part) => [zstd(part), skippable('skip!')]))

/** What was read, or the error. */
async function outcome(
  bytes: Uint8Array,
  options: Parameters<typeof readWhole>[1] = {},
): Promise<ReadLayer | Error> {
  try {
    return await readWhole(bytes, options)
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
}

describe.each([
  ['small', small],
  ['big', big],
])('a %s layer', (_, bytes) => {
  const packed: readonly [string, 'gzip' | 'zstd' | 'none', Uint8Array][] = [
    ['plain', 'none', bytes],
    ['gzip', 'gzip', gzipSync(bytes)],
    ['gzip of many members', 'gzip', members(bytes, 1000)],
    ['gzip with zeros after it', 'gzip', Buffer.concat([gzipSync(bytes), Buffer.alloc(300_000)])],
    ['zstd', 'zstd', zstd(bytes)],
    ['zstd of many frames, skippable ones between them', 'zstd', frames(bytes, 1000)],
    [
      'zstd that begins with a skippable frame',
      'zstd',
      Buffer.concat([skippable('x'.repeat(70_000), 0x5f), zstd(bytes)]),
    ],
    [
      'zstd with a window of 128 MiB',
      'zstd',
      Buffer.concat([...cut(bytes, [100_000])].map((part) => zstdWindow(part, 27))),
    ],
    ['zstd with zeros after it', 'zstd', Buffer.concat([zstd(bytes), Buffer.alloc(300_000)])],
  ]
  const plain = readWhole(bytes)

  test.each(packed)('reads the same as %s', async (_, compression, blob) => {
    const { entries, facts } = await readWhole(blob)
    expect(entries).toEqual((await plain).entries)
    expect(facts).toEqual({
      ...(await plain).facts,
      compression,
      digest: sha256Digest(blob),
      compressedBytes: blob.length,
      diffId: sha256Digest(bytes),
      uncompressedBytes: bytes.length,
    })
  })

  test('gives the position of each content', async () => {
    for (const { offset, bytes: length, sha256 } of (await plain).entries) {
      const content = bytes.subarray(offset, offset + length)
      if (sha256 !== undefined) expect(createHash('sha256').update(content).digest('binary')).toBe(sha256)
    }
  })

  test.each(packed)('reads the same as %s in chunks of any size', async (_, _compression, blob) => {
    const cuts = blob.length < 10_000 ? [1] : [40_000, 1, 3, 70_000]
    for (const kind of ['bytes', 'chunks'] as const) {
      const { entries } = await readWhole(blob, { blob: blobOf(blob, { cuts, kind }).stream })
      expect(entries).toEqual((await plain).entries)
    }
  })
})

describe('facts', () => {
  test('sum up the members', async () => {
    const { facts, entries } = await readWhole(small)
    expect(facts).toEqual({
      digest: sha256Digest(small),
      diffId: sha256Digest(small),
      compression: 'none',
      compressedBytes: small.length,
      uncompressedBytes: small.length,
      fileBytes: text.length + 'under a long name'.length,
      entries: 6,
      warnings: [],
    })
    expect(entries.map((entry) => hex(entry.sha256)?.slice(0, 8))).toEqual([
      undefined,
      createHash('sha256').update(text).digest('hex').slice(0, 8),
      'e3b0c442',
      createHash('sha256').update('under a long name').digest('hex').slice(0, 8),
      'e3b0c442',
      undefined,
    ])
  })

  test('count anomalies of names, except those of whiteouts', async () => {
    const names = ['/abs', 'x/../../y', '/abs2', '../.wh.z', '/.wh.w', '/']
    const types = ['0', '0', '0', '0', '0', '5']
    const { facts } = await readWhole(tar(...names.map((name, i) => member({ name, type: types[i] ?? '0' }))))
    expect(facts.warnings).toEqual([
      { code: 'absolute', count: 2, key: 'abs' },
      { code: 'dotdot', count: 2, key: 'y' },
    ])
  })

  test.each([
    ['no bytes at all', new Uint8Array(0), 'none'],
    ['gzip of nothing', gzipSync(new Uint8Array(0)), 'gzip'],
    ['zstd of nothing', zstd(new Uint8Array(0)), 'zstd'],
    ['an end marker alone', new Uint8Array(1024), 'none'],
  ])('are those of an empty layer for %s', async (_, blob, compression) => {
    const { entries, facts } = await readWhole(blob)
    expect([entries, facts.entries, facts.compression]).toEqual([[], 0, compression])
  })

  test('are not available before the entries are read', () => {
    const reading = readLayer(blobOf(small).stream, options(small))
    expect(() => reading.facts).toThrow()
  })

  test('say how many bytes arrived', async () => {
    const told: number[] = []
    await readWhole(big, { onBytes: (bytes) => told.push(bytes) })
    expect(told.at(-1)).toBe(big.length)
    expect(told.length).toBeGreaterThan(3)
    expect(told).toEqual(told.toSorted((a, b) => a - b))
  })
})

describe('package databases', () => {
  const status = 'Package: a\n'.repeat(60_000)
  const bytes = tar(
    member({ name: 'var/lib/dpkg/status' }, status),
    member({ name: 'other' }, 'x'),
    member({ name: './lib/apk/db/installed' }, 'P:b'),
    member({ name: 'lib/apk/db/empty/node_modules/e/package.json' }),
    member({ name: 'app/node_modules/c/package.json', type: '2', link: 'x' }),
  )
  const expected = [
    ['var\0lib\0dpkg\0status', status],
    ['lib\0apk\0db\0installed', 'P:b'],
    ['lib\0apk\0db\0empty\0node_modules\0e\0package.json', ''],
  ]

  test.each([
    ['plain', bytes],
    ['gzip', gzipSync(bytes)],
    ['zstd', zstd(bytes)],
  ])('are passed on while reading %s', async (_, blob) => {
    expect([...(await readWhole(blob)).databases]).toEqual(expected)
  })

  test('are left out past 64 MiB, with a warning', async () => {
    const half = { size: 40 * 2 ** 20 }
    const zeros = Buffer.alloc(half.size)
    const blob = gzipSync(
      tar(
        member({ name: 'node_modules/a/package.json' }, zeros),
        member({ name: 'node_modules/b/package.json' }, zeros),
        member({ name: 'node_modules/c/package.json' }, 'c'),
      ),
      { level: 1 },
    )
    const written = { a: 0, b: 0, c: 0 }
    let current: 'a' | 'b' | 'c' = 'a'
    const database = {
      open: (key: string) => {
        current = key.includes('\0a\0') ? 'a' : key.includes('\0b\0') ? 'b' : 'c'
      },
      write: (chunk: Uint8Array) => {
        written[current] += chunk.length
      },
      close: () => {},
    }
    const { facts } = await readWhole(blob, { database })
    expect(written).toEqual({ a: half.size, b: 0, c: 1 })
    expect(facts.warnings).toEqual([
      { code: 'databaseTooLarge', count: 1, key: 'node_modules\0b\0package.json' },
    ])
  })

  test('and what was found inside files: what the sink has no room for gives a warning', async () => {
    const blob = gzipSync(tar(...['a', 'b', 'c'].map((name) => member({ name: `${name}.jar` }, 'no zip'))))
    const inside = {
      scratch: () => {
        throw new Error('nothing is put aside')
      },
      examined: async (key: string) => (key === 'a.jar' ? ('kept' as const) : ('left out' as const)),
    }
    const { facts } = await readWhole(blob, { inside })
    expect(facts.warnings).toEqual([{ code: 'examinedTooLarge', count: 2, key: 'b.jar' }])
  })

  test("fail the read with the sink's error if the sink fails", async () => {
    const full = new Error('the store is full')
    const database = { open: () => Promise.reject(full), write: () => {}, close: () => {} }
    expect(await outcome(bytes, { database })).toBe(full)
  })
})

describe('refusals', () => {
  const gz = gzipSync(small)
  const zst = zstd(small)
  const changed = (bytes: Uint8Array, at: number) =>
    Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte))

  test.each([
    [
      'a truncated gzip stream',
      gz.subarray(0, -100),
      `is truncated: it ends at byte ${gz.length - 100} of the blob`,
    ],
    ['a wrong gzip checksum', changed(gz, gz.length - 8), 'incorrect data check'],
    ['garbage after gzip', Buffer.concat([gz, Buffer.from('garbage')]), 'the gzip stream is corrupt'],
    [
      'garbage after the zeros after gzip',
      Buffer.concat([gz, Buffer.alloc(10), Buffer.from('garbage')]),
      `unexpected data after the end of the compressed stream, at byte ${gz.length + 10} of the blob`,
    ],
    [
      'garbage far after gzip',
      Buffer.concat([gz, Buffer.alloc(700_000), Buffer.from('garbage')]),
      `unexpected data after the end of the compressed stream, at byte ${gz.length + 700_000} of the blob`,
    ],
    [
      'a truncated zstd stream',
      zst.subarray(0, -10),
      `is truncated: it ends at byte ${zst.length - 10} of the blob`,
    ],
    ['a wrong zstd checksum', changed(zst, zst.length - 1), 'wrong checksum'],
    [
      'garbage after zstd',
      Buffer.concat([zst, Buffer.from('garbage')]),
      `unexpected data after the end of the compressed stream, at byte ${zst.length} of the blob`,
    ],
    ['a truncated skippable frame', Buffer.concat([zst, skippable('skip').subarray(0, -1)]), 'is truncated'],
    ['a truncated plain tar', small.subarray(0, 700), 'at byte 700 of the uncompressed tar'],
    ['data that is not a tar', gzipSync(noise(5000)), 'this is no tar'],
    ['data that is neither a tar nor compressed', Buffer.from('<html>'.repeat(300)), 'this is no tar'],
  ])('%s is permanently invalid, and the error says where', async (_, blob, message) => {
    expect(await outcome(blob)).toMatchObject({
      code: 'invalid_image',
      permanent: true,
      message: expect.stringContaining(message),
    })
  })

  test('a blob with a wrong digest is refused, but not permanently', async () => {
    const digest = sha256Digest(Buffer.from('other'))
    for (const bytes of [gz, gz.subarray(0, -100), changed(gz, 40)]) {
      expect(await outcome(bytes, { descriptor: { digest, size: bytes.length } })).toMatchObject({
        code: 'invalid_image',
        permanent: false,
        message: `the registry sent ${bytes.length} bytes with the digest ${sha256Digest(bytes)} for the blob ${digest}`,
      })
    }
  })

  test('a blob that is shorter than the manifest says is refused permanently', async () => {
    expect(
      await outcome(gz, { descriptor: { digest: sha256Digest(gz), size: gz.length + 100 } }),
    ).toMatchObject({
      code: 'invalid_image',
      permanent: true,
      message: `the blob has ${gz.length} bytes, but the manifest says ${gz.length + 100}`,
    })
  })

  test('a blob that is longer than the manifest says is refused without reading further', async () => {
    const blob = blobOf(big)
    const size = 1000
    expect(
      await outcome(big, { blob: blob.stream, descriptor: { digest: sha256Digest(big), size } }),
    ).toMatchObject({
      code: 'invalid_image',
      permanent: false,
      message: 'the blob is longer than 1000 bytes, the size in the manifest',
    })
    expect(blob.cancelled()).toBe(true)
  })

  test('a broken stream is reported as a failure of the stream, not of the tar', async () => {
    const broken = new Error('connection reset')
    for (const bytes of [gz, zst, small, Buffer.from('<html>'.repeat(300))]) {
      for (const sent of [0, 1, 300]) {
        const blob = new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(Uint8Array.from(bytes.subarray(0, sent + 1))),
          pull: (controller) => controller.error(broken),
        })
        expect(await outcome(bytes, { blob })).toBe(broken)
      }
    }
  })
})

test('yields to the event loop regularly, even after the end of the tar', async () => {
  const blob = gzipSync(Buffer.concat([tar(), Buffer.alloc(96 * 2 ** 20)]), { level: 1 })
  let turns = 0
  const others = setInterval(() => turns++)
  await outcome(blob, {})
  clearInterval(others)
  expect(turns).toBeGreaterThanOrEqual(4)
})

describe('limits', () => {
  test('stop a decompression bomb while reading', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20), { level: 1 })
    const blob = Buffer.concat([
      gzipSync(header({ name: 'zeros', size: 640 * 2 ** 20 })),
      ...Array(10).fill(bomb),
    ])
    const limits = { ...LIMITS, layerBytes: 10 * 2 ** 20 }
    expect(await outcome(blob, { limits })).toMatchObject({ code: 'too_large', permanent: true })
    const behind = gzipSync(Buffer.concat([tar(), Buffer.alloc(64 * 2 ** 20)]), { level: 1 })
    expect(await outcome(behind, { limits })).toMatchObject({
      code: 'too_large',
      permanent: true,
      message: expect.stringContaining('LAMINA_MAX_LAYER_BYTES'),
    })
  })

  test("are the image's if those are lower", async () => {
    expect(await outcome(big, { limits: { ...LIMITS, imageBytes: 1000 } })).toMatchObject({
      message: expect.stringContaining('LAMINA_MAX_IMAGE_BYTES'),
    })
  })

  test('apply to the number of entries', async () => {
    expect(await outcome(small, { limits: { ...LIMITS, entries: 5 } })).toMatchObject({
      code: 'too_large',
      message: expect.stringContaining('LAMINA_MAX_ENTRIES'),
    })
  })

  test('refuse a large zstd window before allocating memory for it', async () => {
    const first = zstd(small)
    const blob = Buffer.concat([first, zstdWindow(small, 27)])
    expect(await outcome(blob, { limits: { ...LIMITS, zstdWindow: 8 * 2 ** 20 } })).toMatchObject({
      code: 'too_large',
      permanent: true,
      message: `the zstd frame at byte ${first.length} of the blob needs a window of 134217728 bytes, more than the limit of 8388608 (LAMINA_MAX_ZSTD_WINDOW)`,
    })
  })
})

describe('a reader that stops early', () => {
  const blobs: readonly [string, Uint8Array][] = [
    ['plain', big],
    ['gzip', gzipSync(big)],
    ['zstd', zstd(big)],
  ]

  test.each(blobs)('cancels the blob: %s', async (_, bytes) => {
    const blob = blobOf(bytes, { cuts: [10_000] })
    for await (const batch of readLayer(blob.stream, options(bytes)).entries()) {
      expect(batch.length).toBeGreaterThan(0)
      break
    }
    expect(blob.cancelled()).toBe(true)
  })

  test.each(blobs)('can stop by a signal even while no bytes arrive: %s', async (_, bytes) => {
    for (const sent of [0, 50_000]) {
      let cancelled: unknown
      const blob = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(Uint8Array.from(bytes.subarray(0, sent + 1))),
        cancel: (reason) => {
          cancelled = reason
        },
      })
      const stop = new AbortController()
      const reading = outcome(bytes, { blob, signal: stop.signal })
      setTimeout(() => stop.abort(new Error('enough')), 5)
      expect(await reading).toEqual(new Error('enough'))
      expect(cancelled).toEqual(new Error('enough'))
    }
  })

  test('gets the reason if it was aborted before the start', async () => {
    const signal = AbortSignal.abort(new Error('never'))
    expect(await outcome(small, { signal })).toEqual(new Error('never'))
  })

  test('pulls nothing from the blob until it asks for entries', async () => {
    let pulled = 0
    const blob = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled++
          controller.enqueue(Buffer.concat([header({ name: 'a', size: 2 ** 30 }), Buffer.alloc(65_536)]))
        },
      },
      { highWaterMark: 0 },
    )
    const entries = readLayer(blob, options(big)).entries()
    expect(pulled).toBe(0)
    await entries.return(undefined)
  })
})

describe('every prefix of a layer', () => {
  const tiny = tar(pax({ path: 'long' }), member({ name: 'a' }, 'content'), member({ name: 'b' }))

  test.each([
    ['gzip', gzipSync(tiny)],
    ['zstd', zstd(tiny)],
  ])('is read if it is complete, or refused: %s', async (_, blob) => {
    const { entries } = await readWhole(blob)
    for (let length = 0; length < blob.length; length++) {
      const found = await outcome(blob.subarray(0, length))
      if (found instanceof Error) {
        expect(found, `${length} bytes`).toMatchObject({ code: 'invalid_image', permanent: true })
      } else {
        expect(found.entries, `${length} bytes`).toEqual(entries.slice(0, found.entries.length))
      }
    }
  })
})

describe('every changed byte of a layer', () => {
  const most = tries(300, 10_000)

  /** A copy with one bit flipped, a different bit in each of 8 * blob.length runs. */
  const changed = (blob: Uint8Array, run: number) => {
    const [round, place] = [Math.floor(run / blob.length), run % blob.length]
    const at = (place * 7919) % blob.length
    const copy = Uint8Array.from(blob)
    copy[at] = (copy[at] ?? 0) ^ (1 << ((place + round) % 8))
    return { at, copy }
  }

  test.each([
    ['plain', small],
    ['gzip', gzipSync(small)],
    ['zstd', zstd(small)],
  ])('is harmless, or refused, or changes one entry: %s', async (kind, blob) => {
    const { entries } = await readWhole(blob)
    // More runs would only flip the same bits again.
    const runs = Math.min(most, 8 * blob.length)
    let refused = 0
    for (let run = 0; run < runs; run++) {
      const { at, copy } = changed(blob, run)
      const found = await outcome(copy)
      if (found instanceof Error) {
        refused++
        expect(found, `byte ${at}`).toMatchObject({
          code: expect.stringMatching(/^(invalid_image|too_large)$/),
          permanent: true,
        })
        continue
      }
      expect(found.entries.length, `byte ${at}`).toBe(entries.length)
      const differing = found.entries.filter((entry, i) => !isDeepStrictEqual(entry, entries[i]))
      // The checksums of gzip and zstd detect every change; a plain tar's only those in headers.
      expect(differing.length, `byte ${at}`).toBeLessThanOrEqual(kind === 'plain' ? 1 : 0)
    }
    expect(refused).toBeGreaterThan(runs / 4)
  })
})

function options(bytes: Uint8Array): ReadOptions {
  const descriptor = { digest: sha256Digest(bytes), size: bytes.length }
  return { descriptor, limits: LIMITS, wasm: WASM, database: new DatabaseRecorder() }
}
