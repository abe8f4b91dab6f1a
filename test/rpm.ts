/** rpm headers and databases, made byte by byte. */
import initSqlJs from 'sql.js'

type Value = string | readonly string[] | readonly number[]

/** A header blob as the database has it: tags in the given order, a string, strings or 32-bit integers each. */
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
