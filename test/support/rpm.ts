/** rpm headers and databases, made byte by byte. */
import initSqlJs from 'sql.js'

type Value = string | readonly string[] | readonly number[]

/** A header blob as in the database: tags in the given order, each a string, strings or 32-bit integers. */
export function rpmHeader(tags: Readonly<Record<number, Value>>): Uint8Array {
  const index: Buffer[] = []
  const data: Buffer[] = []
  let offset = 0
  for (const [tag, value] of Object.entries(tags)) {
    const { type, bytes, count } = encode(value)
    index.push(words(Number(tag), type, offset, count))
    data.push(bytes)
    offset += bytes.length
  }
  return new Uint8Array(Buffer.concat([words(index.length, offset), ...index, ...data]))
}

function encode(value: Value): { type: number; bytes: Buffer; count: number } {
  if (typeof value === 'string') return { type: 6, bytes: Buffer.from(`${value}\0`), count: 1 }
  if (value.every((item) => typeof item === 'number')) {
    return { type: 4, bytes: words(...value), count: value.length }
  }
  return { type: 8, bytes: Buffer.from(value.map((item) => `${item}\0`).join('')), count: value.length }
}

function words(...values: number[]): Buffer {
  const buffer = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) buffer.writeUInt32BE(value, 4 * i)
  return buffer
}

/** An `rpmdb.sqlite` with these headers. */
export async function rpmDatabase(headers: readonly Uint8Array[]): Promise<Uint8Array> {
  const { Database } = await initSqlJs()
  const database = new Database()
  database.run('CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)')
  for (const header of headers) database.run('INSERT INTO Packages (blob) VALUES (?)', [header])
  const file = database.export()
  database.close()
  return file
}

/** A `Packages.db` with these headers; one slot before each is free. */
export function ndbDatabase(headers: readonly Uint8Array[]): Uint8Array {
  const slotPages = Math.ceil(((2 * headers.length + 2) * 16) / 4096)
  const head = Buffer.alloc(slotPages * 4096)
  head.write('RpmP')
  head.writeUInt32LE(slotPages, 12)
  for (let slot = 2; slot < head.length / 16; slot++) head.write('Slot', 16 * slot)
  const blobs: Buffer[] = []
  let block = head.length / 16
  for (const [i, header] of headers.entries()) {
    const blob = Buffer.alloc(Math.ceil((16 + header.length + 12) / 16) * 16)
    blob.write('BlbS')
    blob.writeUInt32LE(i + 1, 4)
    blob.writeUInt32LE(header.length, 12)
    blob.set(header, 16)
    blob.write('BlbE', blob.length - 4)
    const slot = 16 * (2 * i + 3)
    head.writeUInt32LE(i + 1, slot + 4)
    head.writeUInt32LE(block, slot + 8)
    head.writeUInt32LE(blob.length / 16, slot + 12)
    block += blob.length / 16
    blobs.push(blob)
  }
  return new Uint8Array(Buffer.concat([head, ...blobs]))
}

const PAGE = 4096
const INTERIOR_TABLE_PAGE = 5
const LEVELS = 8
/** SQLite treats a page with many more as corrupt. */
const CELLS = 580

/**
 * An `rpmdb.sqlite` of few pages in which each interior page refers to the next one hundreds of times: more rows than
 * anybody can read.
 */
export async function endlessRpmDatabase(): Promise<Uint8Array> {
  const { Database } = await initSqlJs()
  const database = new Database()
  database.run(`PRAGMA page_size = ${PAGE}`)
  database.run('CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)')
  // Not a blob, so that no row is a package.
  database.run("INSERT INTO Packages (blob) VALUES ('text')")
  const [found] = database.exec("SELECT rootpage FROM sqlite_schema WHERE name = 'Packages'")
  const root = Number(found?.values[0]?.[0])
  const file = Buffer.from(database.export())
  database.close()
  const pages = file.length / PAGE
  const leaf = file.subarray((root - 1) * PAGE, root * PAGE)
  const inner = Array.from({ length: LEVELS }, (_, level) => innerPage(pages + 1 + level))
  // The leaf is appended first, each interior page refers to the one before it, and the root to the last.
  const whole = Buffer.concat([file, leaf, ...inner])
  innerPage(pages + 1 + LEVELS).copy(whole, (root - 1) * PAGE)
  whole.writeUInt32BE(pages + 1 + LEVELS, 28)
  return whole
}

/** All of its cells are the same bytes. */
function innerPage(child: number): Buffer {
  const page = Buffer.alloc(PAGE)
  const cell = PAGE - 5
  page.writeUInt8(INTERIOR_TABLE_PAGE, 0)
  page.writeUInt16BE(CELLS, 3)
  page.writeUInt16BE(cell, 5)
  page.writeUInt32BE(child, 8)
  for (let i = 0; i < CELLS; i++) page.writeUInt16BE(cell, 12 + 2 * i)
  page.writeUInt32BE(child, cell)
  page.writeUInt8(1, cell + 4)
  return page
}

const BERKELEY_PAGE = 512
/** The page's number, links, counts and type. */
const PAGE_HEAD = 26

/** A `Packages` with these headers: those of more than half a page are on overflow pages. */
export function berkeleyDatabase(
  headers: readonly Uint8Array[],
  order: 'little' | 'big' = 'little',
): Uint8Array {
  const isLittle = order === 'little'
  const pages: Uint8Array[] = []
  const newPage = (type: number) => {
    const bytes = new Uint8Array(BERKELEY_PAGE)
    bytes[25] = type
    const number = pages.push(bytes) - 1
    const view = new DataView(bytes.buffer)
    const word = (at: number, value: number) => view.setUint32(at, value, isLittle)
    const half = (at: number, value: number) => view.setUint16(at, value, isLittle)
    return { bytes, number, word, half }
  }
  const meta = newPage(8)
  meta.word(12, 0x00061561)
  meta.word(20, BERKELEY_PAGE)
  /** @returns the first page */
  const chain = (content: Uint8Array): number => {
    const page = newPage(7)
    const part = content.subarray(0, BERKELEY_PAGE - PAGE_HEAD)
    page.half(22, part.length)
    page.bytes.set(part, PAGE_HEAD)
    if (part.length < content.length) page.word(16, chain(content.subarray(part.length)))
    return page.number
  }
  // The key 0 has the number of the last package.
  for (const [key, header] of [words(headers.length), ...headers].entries()) {
    const page = newPage(13)
    const item = new Uint8Array(header.length > BERKELEY_PAGE / 2 ? 12 : 1 + header.length)
    if (header.length > BERKELEY_PAGE / 2) {
      const view = new DataView(item.buffer)
      item[0] = 3
      view.setUint32(4, chain(header), isLittle)
      view.setUint32(8, header.length, isLittle)
    } else item.set([1, ...header])
    const keyAt = BERKELEY_PAGE - 5
    page.bytes.set([1, ...words(key)], keyAt)
    page.bytes.set(item, keyAt - item.length)
    page.half(20, 2)
    page.half(PAGE_HEAD, keyAt)
    page.half(PAGE_HEAD + 2, keyAt - item.length)
  }
  meta.word(32, pages.length - 1)
  return new Uint8Array(Buffer.concat(pages))
}
