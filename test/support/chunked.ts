/**
 * Layers with a table of contents, eStargz and zstd:chunked, made in memory: each file starts a gzip member or a zstd frame,
 * and a large file one for each chunk. A test can falsify the table, or what is said about it.
 */
import { constants, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { TarScanner } from '../../src/tar/scan.ts'
import { digestOf, packTar, type TestDescriptor, type TestLayer, type TestMember } from './images.ts'
import { header } from './tar.ts'

export const FORMS = ['estargz', 'zstd:chunked'] as const
export type Form = (typeof FORMS)[number]

export type TableEntry = { name: string; type: string; [field: string]: unknown }
export type TestTable = { version: number; entries: TableEntry[] }

export type ChunkedOptions = {
  /** Chunk size in bytes; by default files are in one piece. */
  readonly chunkBytes?: number
  /** Replaces the table by what it returns, as JSON or as bytes. */
  readonly change?: (table: TestTable) => TestTable | string | undefined
  /** What the manifest says about the table. */
  readonly digest?: string
  /** Where the footer or the manifest says that the table begins. */
  readonly offset?: (offset: number, size: number) => number
  /** The stated size of its JSON. */
  readonly jsonBytes?: number
}

const TYPES = {
  file: 'reg',
  directory: 'dir',
  symlink: 'symlink',
  link: 'hardlink',
  'character-device': 'char',
  fifo: 'fifo',
} as const
const GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip'
const ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd'
const CHUNKED = 'io.github.containers.zstd-chunked.'

/** Where the contents of the files begin in a tar. */
function offsetsIn(tar: Uint8Array): number[] {
  const scanner = new TarScanner({ bytes: { bytes: tar.length, setting: '' }, entries: 1_000_000 })
  scanner.feed(tar)
  const offsets: number[] = []
  for (let event = scanner.next(); event !== 'hungry'; event = scanner.next())
    if (event === 'member') offsets.push(scanner.member.offset)
  return offsets
}

/** Packs members and describes them, as BuildKit and skopeo do it. */
export async function makeChunkedLayer(
  form: Form,
  members: readonly TestMember[],
  options: ChunkedOptions = {},
): Promise<TestLayer> {
  const tar = await packTar(members)
  const offsets = offsetsIn(tar)
  const pack = form === 'estargz' ? (bytes: Uint8Array) => gzipSync(bytes) : zstdCompressSync
  const pieces: Uint8Array[] = []
  const entries: TableEntry[] = []
  let at = 0
  const length = () => pieces.reduce((sum, piece) => sum + piece.length, 0)
  for (const [i, { name, type, content, mode = 0o644, linkname, uid }] of members.entries()) {
    const kind = type ?? (name.endsWith('/') ? 'directory' : 'file')
    const bytes = Buffer.from(content ?? '')
    const entry: TableEntry = {
      name,
      type: TYPES[kind as keyof typeof TYPES],
      mode,
      modtime: '2023-11-14T22:13:20Z',
      ...(uid === undefined ? {} : { uid }),
      ...(linkname ? { linkName: linkname } : {}),
      ...(kind === 'file' && bytes.length > 0 ? { size: bytes.length, digest: digestOf(bytes) } : {}),
    }
    entries.push(entry)
    if (kind !== 'file' || bytes.length === 0) continue
    const start = offsets[i] ?? 0
    pieces.push(pack(tar.subarray(at, start)))
    at = start + bytes.length
    const chunkBytes = options.chunkBytes ?? bytes.length
    for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
      const chunk = bytes.subarray(offset, offset + chunkBytes)
      const told = offset === 0 ? entry : { name, type: 'chunk', chunkOffset: offset }
      if (offset > 0) entries.push(told)
      Object.assign(told, { offset: length(), chunkDigest: digestOf(chunk) })
      if (chunk.length < bytes.length - offset) Object.assign(told, { chunkSize: chunk.length })
      pieces.push(pack(chunk))
    }
    if (form === 'zstd:chunked') entry.endOffset = length()
  }
  pieces.push(pack(tar.subarray(at)))
  const table: TestTable = { version: 1, entries }
  const changed = options.change?.(table) ?? table
  const json = Buffer.from(typeof changed === 'string' ? changed : JSON.stringify(changed))
  const content = Buffer.concat(pieces)
  return form === 'estargz' ? stargz(content, tar, json, options) : chunked(content, tar, json, options)
}

function stargz(content: Buffer, tar: Uint8Array, json: Buffer, options: ChunkedOptions): TestLayer {
  const { digest = digestOf(json), jsonBytes = json.length } = options
  const table = Buffer.concat([
    header({ name: 'stargz.index.json', size: jsonBytes }),
    json,
    Buffer.alloc(((512 - (json.length % 512)) % 512) + 1024),
  ])
  const packed = gzipSync(table)
  const size = content.length + packed.length + 51
  const offset = options.offset?.(content.length, size) ?? content.length
  const footer = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 26, 0, 0x53, 0x47, 22, 0]),
    Buffer.from(`${offset.toString(16).padStart(16, '0')}STARGZ`),
    deflateRawSync('', { level: 0, finishFlush: constants.Z_FINISH }),
    Buffer.alloc(8),
  ])
  const annotations = { 'containerd.io/snapshot/stargz/toc.digest': digest }
  return layer(GZIP, Buffer.concat([content, packed, footer]), annotations, Buffer.concat([tar, table]))
}

function chunked(content: Buffer, tar: Uint8Array, json: Buffer, options: ChunkedOptions): TestLayer {
  const packed = zstdCompressSync(json)
  const { digest = digestOf(packed), jsonBytes = json.length } = options
  const at = content.length + 8
  const offset = options.offset?.(at, at + packed.length + 72) ?? at
  const footer = Buffer.alloc(64)
  for (const [i, value] of [offset, packed.length, jsonBytes, 1].entries()) footer.writeDoubleLE(value, 8 * i)
  const annotations = {
    [`${CHUNKED}manifest-checksum`]: digest,
    [`${CHUNKED}manifest-position`]: `${offset}:${packed.length}:${jsonBytes}:1`,
  }
  return layer(ZSTD, Buffer.concat([content, skippable(packed), skippable(footer)]), annotations, tar)
}

function skippable(content: Uint8Array): Buffer {
  const head = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
  head.writeUInt32LE(content.length, 4)
  return Buffer.concat([head, content])
}

function layer(
  mediaType: string,
  bytes: Buffer,
  annotations: Readonly<Record<string, string>>,
  tar: Uint8Array,
): TestLayer {
  const descriptor: TestDescriptor = { mediaType, digest: digestOf(bytes), size: bytes.length, annotations }
  return { descriptor, diffId: digestOf(tar), bytes }
}
