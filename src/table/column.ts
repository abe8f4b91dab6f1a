/**
 * The kinds of columns that tables consist of: the type of a value in a row, and the Parquet columns that store it. Any Parquet
 * reader sees ordinary columns; what such a column cannot store exactly (names that are not UTF-8 in a text column) is in a
 * second column beside it.
 */
import { type ByteString, decodeText, encodeText } from '../text/bytes.ts'
import { keyToPath, type PathKey, pathToKey } from '../text/path.ts'
import { ByteBuffer, ByteReader } from './byte-buffer.ts'
import {
  type Bounds,
  ByteArrays,
  readLengthByteArrays,
  readPaths,
  writeLengthByteArrays,
  writePaths,
} from './parquet/byte-array.ts'
import { readHybrid, writeHybrid } from './parquet/hybrid.ts'
import { readIntegers, writeIntegers } from './parquet/integer.ts'
import {
  CODEC,
  type Codec,
  type DataPage,
  ENCODING,
  hasValue,
  type PageBody,
  type PageRows,
  pageBuffer,
  slotOf,
} from './parquet/page.ts'

/** One Parquet column. */
export type Part = {
  readonly name: string
  readonly type: 'boolean' | 'int32' | 'int64' | 'byteArray' | 'fixed'
  /** Bytes of each value of type `fixed`. */
  readonly typeLength?: number
  readonly logical?: 'string' | 'timestamp'
  readonly optional: boolean
  readonly codec: Codec
}

/** Writes an encoded page. @param part which of the column's parts, from 0 */
export type PageSink = (part: number, rows: PageRows, body: PageBody, bounds?: Bounds | undefined) => void

/** The pages of a column's parts, read on demand. */
export type PageSource = (part: number) => DataPage

/** A column's values in one group. @param row from 0, one that has a value */
export type Values<T> = { get(row: number): T }

/** @typeParam T what a row has under this column */
export type Column<T> = {
  readonly parts: readonly Part[]
  /** @param values those of the rows that have one */
  encode(values: readonly T[], rows: PageRows, sink: PageSink): void
  decode(source: PageSource): Values<T>
  /** Bytes that a value adds to a group, if that varies; values of a fixed size count as nothing. */
  weigh?(value: T): number
}

/** Not every row has a value. */
export function optional<T>(column: Column<T>): Column<T | undefined> {
  const { weigh } = column
  return {
    parts: column.parts.map((part) => ({ ...part, optional: true })),
    encode(values, rows, sink) {
      const present = new Uint8Array(rows.count)
      const some: T[] = []
      for (let row = 0; row < values.length; row++) {
        const value = values[row]
        if (value === undefined) continue
        present[row] = 1
        some.push(value)
      }
      column.encode(some, { count: rows.count, present }, sink)
    },
    decode(source) {
      const page = source(0)
      if (page.valueCount === 0) return { get: () => undefined }
      const values = column.decode(source)
      return page.slots === undefined
        ? values
        : { get: (row) => (hasValue(page, row) ? values.get(row) : undefined) }
    },
    ...(weigh === undefined ? {} : { weigh: (value) => (value === undefined ? 0 : weigh(value)) }),
  }
}

/** Values that are stored like those of another column. */
export function mapped<T, S>(column: Column<S>, store: (value: T) => S, load: (stored: S) => T): Column<T> {
  const { weigh } = column
  return {
    parts: column.parts,
    encode: (values, rows, sink) => column.encode(values.map(store), rows, sink),
    decode(source) {
      const values = column.decode(source)
      return { get: (row) => load(values.get(row)) }
    },
    ...(weigh === undefined ? {} : { weigh: (value) => weigh(store(value)) }),
  }
}

/** Integers of -2^31 to 2^31 - 1. */
export function int32(name: string): Column<number> {
  return integer({ name, type: 'int32', optional: false, codec: CODEC.snappy })
}

/** Integers that a double holds exactly. */
export function int64(name: string): Column<number> {
  return integer({ name, type: 'int64', optional: false, codec: CODEC.snappy })
}

/** Microseconds since 1970. */
export function timestamp(name: string): Column<number> {
  return integer({ name, type: 'int64', logical: 'timestamp', optional: false, codec: CODEC.snappy })
}

function integer(part: Part): Column<number> {
  return {
    parts: [part],
    encode: (values, rows, sink) => sink(0, rows, writeIntegers(values, part.type === 'int32' ? 32 : 64)),
    decode(source) {
      const page = source(0)
      const values = readIntegers(page, part.type === 'int32' ? 32 : 64)
      if (typeof values === 'number') return { get: () => values }
      if (page.slots === undefined) return { get: (row) => values[row] ?? 0 }
      return { get: (row) => values[slotOf(page, row)] ?? 0 }
    },
  }
}

/** True or false; with `optional(flag(…))`, true or absent. */
export function flag(name: string): Column<boolean> {
  return {
    parts: [{ name, type: 'boolean', optional: false, codec: CODEC.none }],
    encode(values, rows, sink) {
      const body = pageBuffer()
      for (let i = 0; i < values.length; i += 8) {
        let bits = 0
        for (let bit = 0; bit < 8; bit++) if (values[i + bit]) bits |= 1 << bit
        body.byte(bits)
      }
      sink(0, rows, { encoding: ENCODING.plain, valueCount: values.length, body })
    },
    decode(source) {
      const page = source(0)
      const { body } = page
      expectBytes(page, Math.ceil(page.valueCount / 8))
      return {
        get(row) {
          const slot = slotOf(page, row)
          return (((body[slot >>> 3] ?? 0) >>> (slot & 7)) & 1) === 1
        },
      }
    },
  }
}

const SHA256_BYTES = 32

/** A SHA-256, always 32 bytes. Stored uncompressed, since it does not compress. */
export function sha256(name: string): Column<ByteString> {
  return {
    parts: [{ name, type: 'fixed', typeLength: SHA256_BYTES, optional: false, codec: CODEC.none }],
    encode(values, rows, sink) {
      for (const value of values)
        if (value.length !== SHA256_BYTES) throw new RangeError(`a SHA-256 of ${value.length} bytes`)
      const body = pageBuffer()
      body.latin1(values.join(''))
      sink(0, rows, { encoding: ENCODING.plain, valueCount: values.length, body })
    },
    decode(source) {
      const page = source(0)
      expectBytes(page, page.valueCount * SHA256_BYTES)
      const arrays = ByteArrays.ofLength(page.body, SHA256_BYTES)
      return { get: (row) => arrays.get(slotOf(page, row)) }
    },
  }
}

/**
 * The first 32 bits of each SHA-256 in a column that `sha256` wrote: enough to tell most of them apart, without making strings.
 */
export function sha256Start(name: string): Column<number> {
  const { parts } = sha256(name)
  return {
    parts,
    encode() {
      throw new Error('a digest is only partly written')
    },
    decode(source) {
      const page = source(0)
      expectBytes(page, page.valueCount * SHA256_BYTES)
      const { buffer, byteOffset, byteLength } = page.body
      const digests = new DataView(buffer, byteOffset, byteLength)
      return { get: (row) => digests.getUint32(SHA256_BYTES * slotOf(page, row)) }
    },
  }
}

function expectBytes(page: DataPage, bytes: number): void {
  if (page.body.length !== bytes) throw new RangeError('the values have another size')
}

/** Bytes, stored unchanged. */
export function bytes(name: string): Column<ByteString> {
  return {
    parts: [{ name, type: 'byteArray', optional: false, codec: CODEC.snappy }],
    encode: (values, rows, sink) => sink(0, rows, writeLengthByteArrays(values)),
    decode(source) {
      const page = source(0)
      const arrays = readLengthByteArrays(page)
      return { get: (row) => arrays.get(slotOf(page, row)) }
    },
    weigh: (value) => value.length,
  }
}

/** Text that this service wrote itself. */
export function string(name: string): Column<string> {
  const stored = mapped(bytes(name), encodeText, (value: ByteString) => decodeText(value).text)
  return { ...stored, parts: stored.parts.map((part) => ({ ...part, logical: 'string' })) }
}

/** Any JSON value. @param parse turns the result of `JSON.parse` into a value */
export function json<T>(name: string, parse: (value: unknown) => T): Column<T> {
  return mapped(
    string(name),
    (value) => JSON.stringify(value),
    (text: string) => parse(JSON.parse(text)),
  )
}

/** One of a few words, stored as its number in a dictionary. */
export function choice<T extends string>(name: string, words: readonly T[]): Column<T> {
  const numbers = new Map<string, number>(words.map((word, number) => [word, number]))
  const dictionary = new ByteBuffer()
  for (const word of words) {
    const text = encodeText(word)
    dictionary.uint32(text.length)
    dictionary.latin1(text)
  }
  return {
    parts: [{ name, type: 'byteArray', logical: 'string', optional: false, codec: CODEC.snappy }],
    encode(values, rows, sink) {
      const chosen = new Uint8Array(values.length)
      for (let i = 0; i < values.length; i++) {
        const number = numbers.get(values[i] ?? '')
        if (number === undefined) throw new RangeError(`not one of the words of ${name}: ${values[i]}`)
        chosen[i] = number
      }
      const body = pageBuffer()
      if (values.length > 0) body.byte(8)
      writeHybrid(body, chosen, 8)
      sink(0, rows, {
        encoding: ENCODING.dictionary,
        valueCount: values.length,
        body,
        dictionary: { valueCount: words.length, body: dictionary },
      })
    },
    decode(source) {
      const page = source(0)
      const chosen = new Uint8Array(page.valueCount)
      readHybrid(new ByteReader(page.body, 1), chosen, 8)
      return {
        get(row) {
          const word = words[chosen[slotOf(page, row)] ?? 0]
          if (word === undefined) throw new RangeError(`another dictionary of ${name} than was written`)
          return word
        },
      }
    },
  }
}

/**
 * Bytes that are usually text: Parquet readers see text, with U+FFFD where it is not UTF-8, and the exact bytes in a column
 * `<name>Bytes`.
 */
export function text(name: string): Column<ByteString> {
  const form = { show: same, load: same, write: writeLengthByteArrays, read: readLengthByteArrays }
  return exactText(name, form)
}

/**
 * A path: a key in a row, `/`-separated in Parquet. Each is stored as its difference from the previous one; the footer has the
 * least and the greatest of each group.
 */
export function path(name: string): Column<PathKey> {
  return exactText(name, { show: keyToPath, load: pathToKey, write: writePaths, read: readPaths })
}

const same = (value: ByteString): ByteString => value

type TextForm = {
  /** The exact bytes, if the text is not exact. */
  readonly show: (value: ByteString) => ByteString
  readonly load: (exact: ByteString) => ByteString
  readonly write: (values: readonly ByteString[]) => PageBody & { readonly bounds?: Bounds | undefined }
  readonly read: (page: DataPage) => ByteArrays
}

const NOT_ASCII = /[^\0-\x7f]/

function exactText(name: string, form: TextForm): Column<ByteString> {
  const text: Part = { name, type: 'byteArray', logical: 'string', optional: false, codec: CODEC.snappy }
  const exact: Part = { name: `${name}Bytes`, type: 'byteArray', optional: true, codec: CODEC.snappy }
  return {
    parts: [text, exact],
    encode(values, rows, sink) {
      const shown: ByteString[] = []
      const inexact = new Map<number, ByteString>()
      for (let slot = 0; slot < values.length; slot++) {
        const value = values[slot] ?? ''
        const lossy = NOT_ASCII.test(value) ? decodeText(value) : undefined
        shown.push(lossy === undefined || lossy.exact ? value : encodeText(lossy.text))
        if (lossy?.exact === false) inexact.set(slot, form.show(value))
      }
      const { bounds, ...body } = form.write(shown)
      sink(0, rows, body, bounds)
      sink(
        1,
        { count: rows.count, present: rowsOf(inexact, rows) },
        writeLengthByteArrays([...inexact.values()]),
      )
    },
    decode(source) {
      const page = source(0)
      const texts = form.read(page)
      const exactPage = source(1)
      if (exactPage.valueCount === 0) return { get: (row) => texts.get(slotOf(page, row)) }
      const exacts = readLengthByteArrays(exactPage)
      return {
        get: (row) =>
          hasValue(exactPage, row)
            ? form.load(exacts.get(slotOf(exactPage, row)))
            : texts.get(slotOf(page, row)),
      }
    },
    weigh: (value) => value.length,
  }
}

/** Which of the group's rows the values in these slots belong to. */
function rowsOf(slots: ReadonlyMap<number, unknown>, rows: PageRows): Uint8Array {
  const present = new Uint8Array(rows.count)
  if (slots.size === 0) return present
  for (let row = 0, slot = 0; row < rows.count; row++) {
    if (rows.present !== undefined && rows.present[row] === 0) continue
    if (slots.has(slot++)) present[row] = 1
  }
  return present
}
