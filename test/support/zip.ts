/** Zips for tests, packed byte by byte. */
import { crc32, deflateRawSync } from 'node:zlib'

type Raw = {
  readonly name: string
  readonly stored: Uint8Array
  readonly bytes: number
  readonly crc32: number
}

export type ZipOptions = {
  /** Stands before the zip, whose offsets do not count it. */
  readonly stub?: Uint8Array
  readonly comment?: Uint8Array
  readonly zip64?: 'yes'
  /** Deflated entries as they are. */
  readonly raw?: readonly Raw[]
  /** Entries that are not deflated. */
  readonly stored?: Readonly<Record<string, Uint8Array>>
}

/** A zip of these files: texts of more than 100 bytes are deflated. */
export function zipOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  { stub = Buffer.alloc(0), comment = Buffer.alloc(0), zip64, raw = [], stored: plain = {} }: ZipOptions = {},
): Uint8Array {
  const locals: Buffer[] = []
  const rows: Buffer[] = []
  let offset = 0
  const add = ({ name, stored, bytes, crc32: sum }: Raw, method: number) => {
    const path = Buffer.from(name)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(method, 4)
    fields.writeUInt32LE(sum, 10)
    fields.writeUInt32LE(stored.length, 14)
    fields.writeUInt32LE(bytes, 18)
    fields.writeUInt16LE(path.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, path, stored])
    const end = Buffer.alloc(14)
    end.writeUInt32LE(offset, 10)
    rows.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), fields, end, path]))
    locals.push(local)
    offset += local.length
  }
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content)
    const method = bytes.length > 100 ? 8 : 0
    const stored = method === 0 ? bytes : deflateRawSync(bytes)
    add({ name, stored, bytes: bytes.length, crc32: crc32(bytes) }, method)
  }
  for (const entry of raw) add(entry, 8)
  for (const [name, content] of Object.entries(plain))
    add({ name, stored: content, bytes: content.length, crc32: crc32(content) }, 0)
  const directory = Buffer.concat(rows)
  return Buffer.concat([
    stub,
    ...locals,
    directory,
    ...(zip64 === undefined ? [] : [zip64End(rows.length, offset, directory.length)]),
    endOf({ count: rows.length, offset, bytes: directory.length, comment, isLarge: zip64 !== undefined }),
    comment,
  ])
}

function endOf(end: {
  readonly count: number
  readonly offset: number
  readonly bytes: number
  readonly comment: Uint8Array
  readonly isLarge: boolean
}): Buffer {
  const record = Buffer.alloc(22)
  record.write('PK\x05\x06', 'latin1')
  record.writeUInt16LE(end.isLarge ? 0xffff : end.count, 8)
  record.writeUInt16LE(end.isLarge ? 0xffff : end.count, 10)
  record.writeUInt32LE(end.isLarge ? 0xffffffff : end.bytes, 12)
  record.writeUInt32LE(end.isLarge ? 0xffffffff : end.offset, 16)
  record.writeUInt16LE(end.comment.length, 20)
  return record
}

function zip64End(count: number, offset: number, bytes: number): Buffer {
  const record = Buffer.alloc(76)
  record.write('PK\x06\x06', 'latin1')
  record.writeUInt32LE(44, 4)
  for (const [at, value] of [
    [24, count],
    [32, count],
    [40, bytes],
    [48, offset],
  ] as const)
    record.writeUInt32LE(value, at)
  record.write('PK\x06\x07', 56, 'latin1')
  record.writeUInt32LE(offset + bytes, 64)
  record.writeUInt32LE(1, 72)
  return record
}
