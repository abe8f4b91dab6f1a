/**
 * The encodings of Parquet, as far as these tables use them. This file reads and writes one column of one row group: a data
 * page of version 2, preceded by a dictionary page if there is one. Levels are those of flat columns: a value is present or
 * not.
 */

import { crc32 } from 'node:zlib'
import { snappyUncompress } from 'hyparquet/src/snappy.js'
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import { snappyCompress } from 'hyparquet-writer/src/snappy.js'
import { ByteBuffer, ByteReader } from '../byte-buffer.ts'
import { readHybrid, writeHybrid } from './hybrid.ts'
import { StructWriter } from './thrift.ts'

/** Numbers of the enum `Encoding` in parquet.thrift. */
export const ENCODING = {
  plain: 0,
  rle: 3,
  deltaBinaryPacked: 5,
  deltaLengthByteArray: 6,
  deltaByteArray: 7,
  dictionary: 8,
} as const

/** Numbers of the enum `CompressionCodec`. */
export const CODEC = { none: 0, snappy: 1 } as const

export type Encoding = (typeof ENCODING)[keyof typeof ENCODING]
export type Codec = (typeof CODEC)[keyof typeof CODEC]

const DICTIONARY_PAGE = 2
const DATA_PAGE_V2 = 3

/** Marks a row without a value. */
const ABSENT = 0xffff
/** Leaves room for a row's number beside `ABSENT`. */
export const MAX_GROUP_ROWS = ABSENT

/** The rows that a page is about: all of the group, or those whose byte in `present` is 1. */
export type PageRows = { readonly count: number; readonly present?: Uint8Array | undefined }

export type PageBody = {
  readonly encoding: Encoding
  /** How many rows have a value. */
  readonly valueCount: number
  /** The encoded values, in memory that is reused for the next page. */
  readonly body: ByteBuffer
  /** The dictionary that they refer to: plain byte arrays. */
  readonly dictionary?: Dictionary
}

type Dictionary = { readonly valueCount: number; readonly body: ByteBuffer }

/** What the footer says about a chunk. */
export type ChunkSizes = {
  readonly encoding: Encoding
  /** Position of the data page in the chunk: the length of the dictionary page, 0 without one. */
  readonly dictionaryBytes: number
  readonly storedBytes: number
  readonly rawBytes: number
}

/** A reusable buffer for encoding pages: garbage of that size would keep the collector busy. */
const scratch = new ByteBuffer(1 << 16)
const levels = new ByteBuffer(1024)

/** An empty buffer for the next page's values. */
export function pageBuffer(): ByteBuffer {
  scratch.length = 0
  return scratch
}

/** Appends the pages of one chunk. */
export function writeChunk(out: ByteBuffer, rows: PageRows, page: PageBody, codec: Codec): ChunkSizes {
  const start = out.length
  const pages = page.valueCount === 0 ? EMPTY : page
  const dictionarySaved =
    pages.dictionary === undefined ? 0 : writeDictionaryPage(out, pages.dictionary, codec)
  const dictionaryBytes = out.length - start
  const saved = dictionarySaved + writeDataPage(out, rows, pages, codec)
  const storedBytes = out.length - start
  return { encoding: pages.encoding, dictionaryBytes, storedBytes, rawBytes: storedBytes + saved }
}

/** Readers decode values even if the levels say that every row is null: plain encoding then takes no bytes. */
const EMPTY: PageBody = { encoding: ENCODING.plain, valueCount: 0, body: new ByteBuffer(0) }

/** @returns the bytes that compression saved */
function writeDictionaryPage(out: ByteBuffer, dictionary: Dictionary, codec: Codec): number {
  const raw = dictionary.body.view()
  const stored = compress(raw, codec)
  const header = pageHeader(out, {
    type: DICTIONARY_PAGE,
    rawBytes: raw.length,
    storedBytes: stored.length,
    crc: crc32(stored),
  })
  header.struct(7).i32(1, dictionary.valueCount).i32(2, ENCODING.plain).end()
  header.end()
  out.bytes(stored)
  return raw.length - stored.length
}

/** @returns the bytes that compression saved */
function writeDataPage(out: ByteBuffer, rows: PageRows, page: PageBody, codec: Codec): number {
  levels.length = 0
  if (rows.present !== undefined) writeHybrid(levels, rows.present, 1)
  const raw = page.body.view()
  // Some readers cannot decompress an empty page.
  const isCompressed = codec !== CODEC.none && raw.length > 0
  const stored = isCompressed ? compress(raw, codec) : raw
  const crc = crc32(stored, crc32(levels.view()))
  const header = pageHeader(out, {
    type: DATA_PAGE_V2,
    rawBytes: levels.length + raw.length,
    storedBytes: levels.length + stored.length,
    crc,
  })
  const data = header.struct(8)
  data
    .i32(1, rows.count)
    .i32(2, rows.count - page.valueCount)
    .i32(3, rows.count)
    .i32(4, page.encoding)
  data.i32(5, levels.length).i32(6, 0).flag(7, isCompressed).end()
  header.end()
  out.bytes(levels.view())
  out.bytes(stored)
  return raw.length - stored.length
}

type PageSummary = Pick<PageHeader, 'type' | 'rawBytes' | 'storedBytes'> & {
  /** CRC-32 of everything after the header. */
  readonly crc: number
}

function pageHeader(out: ByteBuffer, { type, rawBytes, storedBytes, crc }: PageSummary): StructWriter {
  return new StructWriter(out)
    .i32(1, type)
    .i32(2, rawBytes)
    .i32(3, storedBytes)
    .i32(4, crc | 0)
}

function compress(raw: Uint8Array, codec: Codec): Uint8Array {
  return codec === CODEC.snappy ? snappyCompress(raw) : raw
}

/** A chunk whose headers and levels are decoded, but not its values. */
export type DataPage = {
  /** One of `ENCODING`, unless the bytes are damaged. */
  readonly encoding: number
  readonly valueCount: number
  /** For each row the number of its value; undefined if every row has one: then row and value have the same number. */
  readonly slots: Uint16Array | undefined
  /** The encoded values. A view: valid until the next page is read, unless the codec is `none`. */
  readonly body: Uint8Array
}

/** Whether the row has a value, and which. */
export function hasValue(page: DataPage, row: number): boolean {
  return page.slots === undefined || page.slots[row] !== ABSENT
}

/** The number of the value of a row that has one. */
export function slotOf(page: DataPage, row: number): number {
  return page.slots === undefined ? row : (page.slots[row] ?? 0)
}

/** Shared by all pages without values. */
const NONE = new Uint16Array(MAX_GROUP_ROWS).fill(ABSENT)
/** No group is written with more than a few MB in one column. */
const MAX_PAGE_BYTES = 1 << 28

let unpacked = new Uint8Array(1 << 16)

/**
 * @param chunk all of its bytes
 * @param rows in its group
 * @throws Error if the bytes are not what `writeChunk` writes
 */
export function readChunk(chunk: Uint8Array, rows: number, codec: Codec): DataPage {
  const reader = new ByteReader(chunk)
  let header = readHeader(reader)
  if (header.type === DICTIONARY_PAGE) {
    // Its content is known: a column of words has the same dictionary in every group.
    reader.bytes(header.storedBytes)
    header = readHeader(reader)
  }
  const { data } = header
  if (header.type !== DATA_PAGE_V2 || data?.rows !== rows)
    throw new RangeError('the data page has other rows')
  const { levelBytes, valueCount, encoding } = data
  if (valueCount < 0 || valueCount > rows) throw new RangeError('there are more values than rows')
  const slots = readSlots(reader.bytes(levelBytes), rows, valueCount)
  const stored = reader.bytes(header.storedBytes - levelBytes)
  if (reader.offset !== chunk.length) throw new RangeError('there is data after the page')
  const isStored = codec === CODEC.none || !data.isCompressed
  const body = isStored ? stored : unpack(stored, header.rawBytes - levelBytes)
  return { encoding, valueCount, slots, body }
}

function readSlots(levels: Uint8Array, rows: number, valueCount: number): Uint16Array | undefined {
  if (valueCount === rows) return undefined
  if (valueCount === 0) return NONE
  const slots = new Uint16Array(rows).fill(ABSENT)
  const present = new Uint8Array(rows)
  readHybrid(new ByteReader(levels), present, 1)
  let slot = 0
  for (let row = 0; row < rows; row++) if (present[row] === 1) slots[row] = slot++
  if (slot !== valueCount) throw new RangeError('levels and values disagree')
  return slots
}

/** Into memory that the next page reuses. */
function unpack(stored: Uint8Array, rawBytes: number): Uint8Array {
  if (!(rawBytes >= 0 && rawBytes <= MAX_PAGE_BYTES))
    throw new RangeError('the page is larger than any that is written')
  if (unpacked.length < rawBytes) unpacked = new Uint8Array(rawBytes * 2)
  const raw = unpacked.subarray(0, rawBytes)
  snappyUncompress(stored, raw)
  return raw
}

type PageHeader = {
  readonly type: number
  readonly rawBytes: number
  readonly storedBytes: number
  /** Undefined for a dictionary page. */
  readonly data: DataPageHeader | undefined
}

type DataPageHeader = {
  readonly rows: number
  readonly valueCount: number
  readonly encoding: number
  readonly levelBytes: number
  readonly isCompressed: boolean
}

/** Reads a page's header. Its CRC-32 is for other readers: here the whole chunk has been verified. */
function readHeader(reader: ByteReader): PageHeader {
  const { data } = reader
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const thrift = { view, offset: reader.offset }
  const header = deserializeTCompactProtocol(thrift)
  reader.offset = thrift.offset
  const storedBytes = integerOf(header.field_3)
  if (storedBytes < 0 || storedBytes > data.length - reader.offset)
    throw new RangeError('the page ends past its chunk')
  return {
    type: integerOf(header.field_1),
    rawBytes: integerOf(header.field_2),
    storedBytes,
    data: header.field_8 === undefined ? undefined : readDataHeader(header.field_8),
  }
}

function readDataHeader(header: Record<`field_${number}`, unknown>): DataPageHeader {
  const rows = integerOf(header.field_3)
  const nullCount = integerOf(header.field_2)
  if (
    integerOf(header.field_1) !== rows ||
    integerOf(header.field_6) !== 0 ||
    typeof header.field_7 !== 'boolean'
  ) {
    throw new RangeError('the page has repetition levels')
  }
  return {
    rows,
    valueCount: rows - nullCount,
    encoding: integerOf(header.field_4),
    levelBytes: integerOf(header.field_5),
    isCompressed: header.field_7,
  }
}

function integerOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new RangeError('the page has no header')
  return value
}
