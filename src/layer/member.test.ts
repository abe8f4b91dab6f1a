import { createHash } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { blobOf, LIMITS, readWhole, WASM } from '../../test/support/blob.ts'
import { header, member, pax, tar } from '../../test/support/tar.ts'
import { type MemberOptions, openMember } from './member.ts'

/** Incompressible, so any blob has many pieces. */
const noise = Buffer.concat(
  Array.from({ length: 50_000 }, (_, i) => createHash('sha256').update(`${i}`).digest()),
)
const hole = pax({ 'GNU.sparse.size': '300000', 'GNU.sparse.map': '100000,3' })
const bytes = tar(
  member({ name: 'first' }, 'one'),
  member({ name: 'empty' }),
  member({ name: 'big' }, noise),
  Buffer.concat([hole, header({ name: 'sparse', size: 3 }), Buffer.from('abc'.padEnd(512, '\0'))]),
  member({ name: 'last' }, Buffer.from(noise).reverse()),
)
const contents: Record<string, Buffer> = {
  first: Buffer.from('one'),
  empty: Buffer.alloc(0),
  big: noise,
  sparse: Buffer.concat([Buffer.alloc(100_000), Buffer.from('abc'), Buffer.alloc(199_997)]),
}

async function wanted(key: string): Promise<MemberOptions> {
  const entry = (await readWhole(bytes)).entries.find((found) => found.key === key)
  const { offset = 0, bytes: size = 0, sha256 = '' } = entry ?? {}
  return { offset, bytes: size, sha256, limits: LIMITS, wasm: WASM }
}

/** Keeps all pieces before comparing them: they must not share memory. */
async function collect(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream))
}

describe.each([
  ['plain', bytes],
  ['gzip', gzipSync(bytes)],
  ['zstd', zstdCompressSync(bytes)],
])('from a %s blob', (_, packed) => {
  test.each(Object.keys(contents))('%s arrives complete, and nothing after it is read', async (key) => {
    const blob = blobOf(packed)
    const content = await collect(openMember(async () => blob.stream, await wanted(key)))
    expect(content.equals(contents[key] ?? Buffer.from('?'))).toBe(true)
    expect(blob.cancelled()).toBe(true)
  })

  test('content with a wrong digest fails before its last piece', async () => {
    const reader = openMember(async () => blobOf(packed).stream, {
      ...(await wanted('big')),
      sha256: 'x'.repeat(32),
    }).getReader()
    let got = 0
    const reading = async () => {
      for (let piece = await reader.read(); !piece.done; piece = await reader.read())
        got += piece.value.length
    }
    await expect(reading()).rejects.toMatchObject({ code: 'invalid_image' })
    expect(got).toBeLessThan(noise.length)
  })

  test('a reader who has enough cancels the blob', async () => {
    const blob = blobOf(packed)
    const reader = openMember(async () => blob.stream, await wanted('big')).getReader()
    expect((await reader.read()).value?.length).toBeGreaterThan(0)
    await reader.cancel()
    expect(blob.cancelled()).toBe(true)
  })

  test('reads nothing until asked', async () => {
    let asked = 0
    const blob = new ReadableStream<Uint8Array>({ pull: () => void asked++ }, { highWaterMark: 0 })
    openMember(async () => blob, await wanted('big'))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(asked).toBe(0)
  })
})

test.each([
  ['begins elsewhere', { offset: 513 }],
  ['is past the end', { offset: 1e9 }],
  ['has another size', { bytes: 4 }],
])('a member that %s is not in this layer', async (_, other) => {
  const options = { ...(await wanted('first')), ...other }
  await expect(collect(openMember(async () => blobOf(bytes).stream, options))).rejects.toMatchObject({
    code: 'invalid_image',
    message: expect.stringContaining('differs from the one that was indexed'),
  })
})

test('a signal ends it with its reason', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  const options = { ...(await wanted('first')), signal }
  await expect(collect(openMember(async () => blobOf(bytes).stream, options))).rejects.toThrow('enough')
})
