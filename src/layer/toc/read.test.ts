import { describe, expect, test } from 'vitest'
import { LIMITS, readWhole, WASM } from '../../../test/support/blob.ts'
import { type ChunkedOptions, FORMS, type Form, makeChunkedLayer } from '../../../test/support/chunked.ts'
import { digestOf, type TestLayer, type TestMember } from '../../../test/support/images.ts'
import { keyToPath } from '../../text/path.ts'
import type { Entry } from '../entry.ts'
import type { OpenBlob } from '../member.ts'
import { type Chunk, type ChunkSink, type ChunkStart, NoChunks } from './chunk.ts'
import { readChunks } from './content.ts'
import { UnsaidName } from './entries.ts'
import { TableReading } from './read.ts'
import { verifiedToc } from './verified-toc.ts'

const noise = (bytes: number) =>
  Buffer.concat(
    Array.from({ length: Math.ceil(bytes / 32) }, (_, i) =>
      Buffer.from(digestOf(Buffer.from(`${i}`)), 'hex'),
    ),
  )
    .toString('latin1')
    .padEnd(bytes, 'noise ')
    .slice(0, bytes)

const MEMBERS: readonly TestMember[] = [
  { name: 'etc/', mode: 0o755 },
  { name: 'etc/a.txt', content: 'hello\n' },
  { name: 'etc/empty' },
  { name: 'etc/link', type: 'symlink', linkname: 'a.txt' },
  { name: 'etc/hard', type: 'link', linkname: 'etc/a.txt' },
  { name: 'etc/.wh.gone' },
  { name: 'big', content: noise(40_000), mode: 0o4755, uid: 70_000 },
  { name: 'b\u00fcrg', content: 'umlaut' },
  { name: 'last', content: 'the last' },
]

const HOLE: ChunkedOptions = {
  change({ entries }) {
    const chunk = entries.find(({ type }) => type === 'chunk')
    if (chunk !== undefined) chunk.chunkOffset = Number(chunk.chunkOffset) + 1
    return undefined
  },
}

type Read = { readonly entries: readonly Entry[]; readonly reading: TableReading; readonly ranges: string[] }

async function readTable(
  layer: TestLayer,
  chunks: ChunkSink = new NoChunks(),
  entries = 1_000,
): Promise<Read> {
  const table = verifiedToc(layer.descriptor)
  const bytes = layer.bytes ?? new Uint8Array(0)
  if (table === undefined) throw new Error('no table')
  const ranges: string[] = []
  const open: OpenBlob = async (range) => {
    ranges.push(`${range?.start}-${range?.end}`)
    return new Blob([bytes.slice(range?.start, range?.end)]).stream()
  }
  const limits = { ...LIMITS, entries }
  const { size } = layer.descriptor
  const reading = new TableReading({ table, size, open, limits, wasm: WASM, chunks })
  return { entries: (await Array.fromAsync(reading.entries())).flat(), reading, ranges }
}

class Kept extends NoChunks {
  readonly chunks: (Chunk & ChunkStart)[] = []

  override add(chunk?: Chunk & ChunkStart): void {
    super.add()
    if (chunk !== undefined) this.chunks.push(chunk)
  }
}

describe.each(FORMS)('%s', (form) => {
  const make = (options?: ChunkedOptions) => makeChunkedLayer(form, MEMBERS, options)

  test('the table matches the tar, in one or two ranged reads', async () => {
    const layer = await make({ chunkBytes: 16_384 })
    const { entries, ranges, reading } = await readTable(layer)
    const whole = await readWhole(layer.bytes ?? new Uint8Array(0))
    const told = (found: readonly Entry[]) => found.map(({ offset: _, ...entry }) => entry)
    expect(told(entries)).toEqual(told(whole.entries))
    expect(ranges).toHaveLength(form === 'estargz' ? 2 : 1)
    const { fileBytes, compression } = whole.facts
    expect(reading.facts).toEqual({ compression, fileBytes, entries: MEMBERS.length, warnings: [] })
  })

  test('each file is read from only its own chunks', async () => {
    const layer = await make({ chunkBytes: 16_384 })
    const kept = new Kept()
    const { entries, reading } = await readTable(layer, kept)
    for (const { key, bytes, offset } of entries.filter((entry) => entry.bytes > 0)) {
      const chunks: Chunk[] = []
      for (let at = offset, covered = 0; covered < bytes; at++) {
        const chunk = kept.chunks[at]
        if (chunk === undefined) throw new Error('no chunk')
        chunks.push(chunk)
        covered += chunk.bytes
      }
      const next = kept.chunks[offset + chunks.length]
      const end = kept.chunks[offset + chunks.length - 1]?.blobEnd ?? next?.blobOffset ?? reading.contentEnd
      const { blobOffset = 0, inner = 0 } = kept.chunks[offset] ?? {}
      const stream = new Blob([(layer.bytes ?? new Uint8Array(0)).slice(blobOffset, end)]).stream()
      const pieces = await Array.fromAsync(readChunks({ stream, inner, chunks, limits: LIMITS, wasm: WASM }))
      const member = MEMBERS.find(({ name }) => Buffer.from(name).toString('latin1') === keyToPath(key))
      expect(Buffer.concat(pieces).equals(Buffer.from(member?.content ?? '?'))).toBe(true)
    }
  })

  test.each<[string, string, ChunkedOptions]>([
    ['a negative size', 'whole number', lie('etc/a.txt', { size: -6 })],
    ['a file that ends within its chunks', 'ends after its file', lie('big', { size: 16_000 })],
    ['a file that continues beyond its chunks', 'chunks of entry', lie('big', { size: 50_000 }, 'chunkSize')],
    ['a digest of an unknown algorithm', 'not a sha256', lie('etc/a.txt', { digest: 'sha256:../../x' })],
    ['an invalid digest of a chunk', 'not a sha256', lie('etc/a.txt', { chunkDigest: 'md5:1' })],
    [
      'an empty file with the digest of other content',
      'is empty',
      lie('etc/empty', { digest: digestOf(Buffer.from('x')) }),
    ],
    ['content without an offset', 'no offset', lie('etc/a.txt', { offset: 0 })],
    [
      'a chunk beyond the content',
      'the content of the blob',
      lie('last', { offset: 1e9, endOffset: 1e9 + 9 }),
    ],
    [
      'a chunk inside another file',
      'within the previous content',
      lie('last', { offset: 200, endOffset: 210 }),
    ],
    ['a chunk that leaves a hole', 'does not begin at byte', HOLE],
    [
      'a chunk without a file',
      'belongs to no file',
      { change: ({ entries }) => ({ version: 1, entries: [{ name: 'x', type: 'chunk' }, ...entries] }) },
    ],
    ['an unknown type', 'unknown type', lie('etc/a.txt', { type: 'door' })],
    ['a name with a zero byte', 'zero byte', lie('etc/a.txt', { name: 'a\0b' })],
    ['an invalid time', 'not a time', lie('etc/a.txt', { modtime: 'yesterday' })],
    ['another version', 'version', { change: (table) => ({ ...table, version: 2 }) }],
    ['a truncated table', 'not complete JSON', { change: (table) => JSON.stringify(table).slice(0, -1) }],
    [
      'a table truncated within an entry',
      'not complete JSON',
      { change: (table) => JSON.stringify(table).slice(0, -90) },
    ],
    ['a table that is not JSON', 'not complete JSON', { change: () => '<html>blocked by proxy</html>' }],
    ['a table of other JSON', 'version', { change: () => '[1,2,3]' }],
    [
      'two lists of entries',
      'two lists',
      { change: (table) => `${JSON.stringify(table).slice(0, -1)},"entries":[]}` },
    ],
    [
      'two entries without a comma',
      'invalid after entry',
      { change: (table) => JSON.stringify(table).replace('},{', '} {') },
    ],
  ])('refused permanently: %s', async (_, detail, options) => {
    const layer = await make({ chunkBytes: 16_384, ...options })
    await expect(readTable(layer)).rejects.toMatchObject({
      code: 'invalid_image',
      permanent: true,
      message: expect.stringContaining(detail),
    })
  })

  test.each<[string, ChunkedOptions]>([
    ['another digest than the manifest says', { digest: digestOf(Buffer.from('another')) }],
    [
      'another digest and a false table',
      { digest: digestOf(Buffer.from('another')), ...lie('etc/a.txt', { size: -6 }) },
    ],
    ['another offset, among the files', { offset: () => 20 }],
  ])('refused, but perhaps not permanently: %s', async (_, options) => {
    const layer = await make(options)
    await expect(readTable(layer)).rejects.toMatchObject({
      code: 'invalid_image',
      permanent: false,
      message: expect.stringContaining('the table of contents'),
    })
  })

  test('a position beyond the end of the blob is refused', async () => {
    const layer = await make({ offset: (_, size) => size + 4096 })
    await expect(readTable(layer)).rejects.toMatchObject({ code: 'invalid_image' })
  })

  test('too many members or too much JSON is refused as too large', async () => {
    await expect(readTable(await make(), new NoChunks(), 5)).rejects.toMatchObject({
      code: 'too_large',
      permanent: true,
    })
    await expect(readTable(await make({ jsonBytes: 1_500_000_000 }))).rejects.toMatchObject({
      code: 'too_large',
    })
  })

  test('an endless entry is refused before it is held in memory', async () => {
    const change = () => `{"version":1,"entries":[{"name":"${'x'.repeat(2_000_000)}"}]}`
    await expect(readTable(await make({ change }))).rejects.toMatchObject({ code: 'invalid_image' })
  })

  test.each(['\ufffd', '\ud800'])('a name with %j cannot be represented', async (sign) => {
    const options = lie('etc/a.txt', { name: `etc/${sign}` })
    await expect(readTable(await make(options))).rejects.toBeInstanceOf(UnsaidName)
    const other = { ...options, digest: digestOf(Buffer.from('another')) }
    await expect(readTable(await make(other))).rejects.toMatchObject({ code: 'invalid_image' })
  })

  test('absolute names and names that lead out of the root give warnings', async () => {
    const extra = ['../../shadow', '/abs'].map((name) => ({ name, type: 'reg' }))
    const { entries, reading } = await readTable(
      await make({ change: ({ entries }) => ({ version: 1, entries: [...entries, ...extra] }) }),
    )
    expect(entries.slice(-2).map(({ key }) => key)).toEqual(['shadow', 'abs'])
    expect(reading.facts.warnings.map(({ code, count }) => [code, count])).toEqual([
      ['dotdot', 2],
      ['absolute', 1],
    ])
  })

  test('content that does not match the table fails before its end', async () => {
    const layer = await make(lie('last', { chunkDigest: digestOf(Buffer.from('x')) }))
    const kept = new Kept()
    await readTable(layer, kept)
    const chunk = kept.chunks.at(-1)
    if (chunk === undefined) throw new Error('no chunk')
    const { blobOffset, inner } = chunk
    const stream = new Blob([(layer.bytes ?? new Uint8Array(0)).slice(blobOffset)]).stream()
    const chunks = [chunk]
    const pieces: Uint8Array[] = []
    await expect(async () => {
      for await (const piece of readChunks({ stream, inner, chunks, limits: LIMITS, wasm: WASM }))
        pieces.push(piece)
    }).rejects.toMatchObject({ code: 'invalid_image' })
    expect(pieces).toEqual([])
  })
})

test('eStargz: the inner offset separates files that share a gzip member', async () => {
  const share = (inner: number): ChunkedOptions => ({
    change: ({ entries }) => {
      const [first, second] = ['etc/a.txt', 'last'].map((name) =>
        entries.find((entry) => entry.name === name),
      )
      Object.assign(second ?? {}, { offset: first?.offset, innerOffset: inner })
      return { version: 1, entries: [first, second].filter((entry) => entry !== undefined) }
    },
  })
  const kept = new Kept()
  await readTable(await makeChunkedLayer('estargz', MEMBERS, share(6)), kept)
  expect(kept.chunks.map(({ inner }) => inner)).toEqual([0, 6])
  await expect(readTable(await makeChunkedLayer('estargz', MEMBERS, share(5)))).rejects.toMatchObject({
    code: 'invalid_image',
  })
})

test('a layer is empty if Go wrote its entries as null', async () => {
  for (const form of FORMS satisfies readonly Form[]) {
    const { entries } = await readTable(
      await makeChunkedLayer(form, [], { change: () => '{"version":1,"entries":null}' }),
    )
    expect(entries).toEqual([])
  }
})

test('without the annotations, or with an invalid digest, there is no table', async () => {
  const layer = await makeChunkedLayer('estargz', MEMBERS)
  expect(verifiedToc({ size: layer.descriptor.size })).toBeUndefined()
  const other = await makeChunkedLayer('zstd:chunked', MEMBERS, { digest: 'sha256:../x' })
  expect(verifiedToc(other.descriptor)).toBeUndefined()
})

function lie(name: string, fields: Record<string, unknown>, without?: string): ChunkedOptions {
  return {
    change({ entries }) {
      const entry = entries.find((one) => one.name === name && one.type !== 'chunk')
      Object.assign(entry ?? {}, fields)
      if (without !== undefined)
        for (const one of entries) if (one.name === name && one.chunkOffset === 32_768) one[without] = 7_232
      return undefined
    },
  }
}
