import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arOf } from '../../test/support/ar.ts'
import { LIMITS, WASM } from '../../test/support/blob.ts'
import { packTar } from '../../test/support/images.ts'
import { zipOf } from '../../test/support/zip.ts'
import { rangesOf } from '../inside/ranges.ts'
import { decodeText } from '../text/bytes.ts'
import { keyToPath } from '../text/path.ts'
import { InflateBudget, readInside } from './open-inside.ts'

const MIB = 1024 * 1024
const TOO_LARGE = expect.objectContaining({ code: 'too_large' })

describe('what is inflated out of one file is bounded', () => {
  it('to 64 MiB, or to 1,000 times what is compressed', () => {
    expect(new InflateBudget(LIMITS).limitFor(10).bytes).toBe(64 * MIB)
    expect(new InflateBudget(LIMITS).limitFor(MIB).bytes).toBe(1000 * MIB)
  })

  it('to the limit of a layer, if that is less', () => {
    const budget = new InflateBudget({ ...LIMITS, layerBytes: 1000 })
    expect(budget.limitFor(10)).toMatchObject({ bytes: 1000 })
    expect(() => budget.enter(10, 1001)).toThrow(TOO_LARGE)
  })

  it('for all levels of archives together', () => {
    const budget = new InflateBudget(LIMITS)
    budget.enter(10, 40 * MIB)
    expect(budget.limitFor(10).bytes).toBe(24 * MIB)
    budget.enter(10, 24 * MIB)
    expect(() => budget.enter(10, 1)).toThrow(TOO_LARGE)
  })

  it('by the level that is inflated first: what it holds may be as large as it says, compressed or not', () => {
    const budget = new InflateBudget(LIMITS)
    budget.enter(10, 40 * MIB)
    // 40 MiB are read here, and would allow 40 GB.
    expect(() => budget.enter(40 * MIB, 25 * MIB)).toThrow(TOO_LARGE)
    budget.enter(40 * MIB, MIB)
    expect(budget.limitFor(40 * MIB).bytes).toBe(23 * MIB)
  })

  it('and a level that is refused does not count', () => {
    const budget = new InflateBudget(LIMITS)
    expect(() => budget.enter(10, 65 * MIB)).toThrow(TOO_LARGE)
    expect(budget.limitFor(MIB).bytes).toBe(1000 * MIB)
  })
})

/** Names that need no cleaning. */
const name = fc
  .array(
    fc.string({ unit: fc.constantFrom('a', 'b', 'é', '.x', '-', ' ', '!'), minLength: 1, maxLength: 12 }),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((parts) => parts.map((part) => `_${part}_`))
const files = fc.uniqueArray(
  fc.record({ name, content: fc.uint8Array({ maxLength: 300 }), isRepeated: fc.boolean() }),
  { selector: ({ name }) => name.join('/'), maxLength: 8 },
)
/** Repeated content compresses well. */
const packed = files.map((list) =>
  list.map(({ name, content, isRepeated }) => ({
    name: name.join('/'),
    content: isRepeated ? Buffer.concat(Array(20).fill(content)) : Buffer.from(content),
  })),
)
type Packed = readonly { readonly name: string; readonly content: Buffer }[]

const PACK: Readonly<Record<string, (list: Packed) => Uint8Array | Promise<Uint8Array>>> = {
  zip: (list) => zipOf(Object.fromEntries(list.map(({ name, content }) => [name, content]))),
  'zip behind a stub': (list) =>
    zipOf(Object.fromEntries(list.map(({ name, content }) => [name, content])), {
      stub: Buffer.from('#!/bin/sh\nexec java -jar "$0"\n'),
      comment: Buffer.from('PK\x05\x06 a comment'),
    }),
  zip64: (list) =>
    zipOf(Object.fromEntries(list.map(({ name, content }) => [name, content])), { zip64: 'yes' }),
  tar: packTar,
  'tar with gzip': async (list) => gzipSync(await packTar(list)),
  'tar with zstd': async (list) => zstdCompressSync(await packTar(list)),
  ar: (list) => arOf(list),
  'ar of BSD': (list) => arOf(list, 'bsd'),
}

describe.each(Object.entries(PACK))('a random %s', (kind, pack) => {
  it('is listed as it was packed', async () => {
    await fc.assert(
      fc.asyncProperty(packed, async (list) => {
        // A tar without members has no header.
        fc.pre(list.length > 0 || !kind.startsWith('tar'))
        const bytes = await pack(list)
        const file = rangesOf(bytes)
        const options = { limits: LIMITS, wasm: WASM, budget: new InflateBudget(LIMITS) }
        const inside = await readInside(file, options)
        if (inside.kind === 'elf') throw new Error('not an archive')
        expect(inside.warnings).toEqual([])
        const { entries } = inside
        const found = Array.from({ length: entries.count }, (_, index) => entries.at(index))
        expect(
          found.map(({ key, type, bytes }) => ({ name: decodeText(keyToPath(key)).text, type, bytes })),
        ).toEqual(list.map(({ name, content }) => ({ name, type: 'file', bytes: content.length })))
        if (inside.compression !== 'none') return
        for (const [index, entry] of found.entries()) {
          if (!('offset' in entry) || typeof entry.offset !== 'number') continue
          expect(Buffer.from(await file.read(entry.offset, entry.bytes))).toEqual(list[index]?.content)
        }
      }),
      { numRuns: 60 },
    )
  })
})
