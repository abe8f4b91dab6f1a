/**
 * rpm's database since 4.16: an SQLite file whose table `Packages` has one header per package. Its b-tree is read page by page
 * (sqlite.org, "Database File Format"), each page once: a library would follow circular pages forever.
 */
import { toByteString } from '../../text/bytes.ts'
import { UnreadableDatabase } from './found.ts'

const MAGIC = 'SQLite format 3\0'
const FILE_HEADER_BYTES = 100
const UTF_8 = 1
const INTERIOR = 0x05
const LEAF = 0x0d

/** Limit on one row; the header of a package with a hundred thousand files has some ten MB. */
const MAX_ROW_BYTES = 16 * 1024 * 1024
/** Limit on both tables together: more packages than any image has. */
const MAX_ROWS = 100_000

/**
 * The header blobs, in the order of the table.
 *
 * @param file the whole `rpmdb.sqlite`
 * @throws UnreadableDatabase if it is not such a database, is damaged, or reaches one page in two ways
 */
export function* sqliteHeaders(file: Uint8Array): Generator<Uint8Array> {
  const tables = new TableReader(file)
  const root = rootOfPackages(tables)
  if (root === undefined) throw new UnreadableDatabase('it has no table of packages')
  // `CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)`
  for (const row of tables.rows(root)) {
    const blob = valuesOf(row)[1]
    if (blob?.kind === 'blob') yield blob.bytes
  }
}

/** From the schema: `type`, `name`, `tbl_name`, `rootpage`, `sql`. */
function rootOfPackages(tables: TableReader): number | undefined {
  for (const row of tables.rows(1)) {
    const [type, name, , root] = valuesOf(row)
    const isTable = type?.kind === 'text' && toByteString(type.bytes) === 'table'
    const isPackages = name?.kind === 'text' && toByteString(name.bytes) === 'Packages'
    if (isTable && isPackages && root?.kind === 'integer') return toInteger(root.bytes)
  }
  return undefined
}

class TableReader {
  readonly #file: Uint8Array
  readonly #view: DataView
  readonly #pageBytes: number
  /** Usable size of a page, without what extensions reserve at its end. */
  readonly #usable: number
  readonly #pages: number
  readonly #seen: Uint8Array
  #rows = 0

  constructor(file: Uint8Array) {
    this.#file = file
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength)
    if (file.length < FILE_HEADER_BYTES || toByteString(file.subarray(0, MAGIC.length)) !== MAGIC) {
      throw new UnreadableDatabase('it is not an SQLite database')
    }
    const size = this.#view.getUint16(16)
    this.#pageBytes = size === 1 ? 65_536 : size
    this.#usable = this.#pageBytes - (file[20] ?? 0)
    const isPowerOfTwo = (this.#pageBytes & (this.#pageBytes - 1)) === 0
    if (this.#pageBytes < 512 || !isPowerOfTwo || this.#usable < 480 || this.#view.getUint32(56) !== UTF_8) {
      throw new UnreadableDatabase('its header is invalid')
    }
    this.#pages = Math.floor(file.length / this.#pageBytes)
    this.#seen = new Uint8Array(this.#pages + 1)
  }

  /** The rows of a table by its root page, each as its record. */
  *rows(root: number): Generator<Uint8Array> {
    const pages = [root]
    for (let page = pages.pop(); page !== undefined; page = pages.pop()) {
      const start = this.#enter(page)
      // The first page begins with the file's header.
      const at = page === 1 ? FILE_HEADER_BYTES : 0
      const kind = this.#file[start + at]
      const cells = this.#view.getUint16(start + at + 3)
      if (kind === LEAF) yield* this.#leaf(start, at + 8, cells)
      else if (kind === INTERIOR) pages.push(...this.#children(start, at, cells))
      else throw new UnreadableDatabase(`page ${page} does not belong to a table`)
    }
  }

  /** In reverse order, for a stack. */
  #children(start: number, at: number, cells: number): number[] {
    const children = [this.#view.getUint32(start + at + 8)]
    for (let i = cells - 1; i >= 0; i--) {
      children.push(this.#view.getUint32(start + this.#cell(start, at + 12 + 2 * i, 4)))
    }
    return children
  }

  /** Cells do not overlap: together they are no larger than their page. */
  *#leaf(start: number, pointers: number, cells: number): Generator<Uint8Array> {
    let left = this.#usable
    for (let i = 0; i < cells; i++) {
      const cursor = new Cursor(
        this.#file,
        start + this.#cell(start, pointers + 2 * i, 2),
        start + this.#usable,
      )
      const bytes = cursor.varint()
      cursor.varint()
      const local = this.#localBytes(bytes)
      left -= local
      if (left < 0 || cursor.left < local + (local < bytes ? 4 : 0)) {
        throw new UnreadableDatabase('cells that do not fit their page')
      }
      if (++this.#rows > MAX_ROWS) throw new UnreadableDatabase(`more than ${MAX_ROWS} rows`)
      yield this.#payload(cursor.at, local, bytes)
    }
  }

  #cell(start: number, pointer: number, bytes: number): number {
    if (pointer + 2 > this.#usable) throw new UnreadableDatabase('more cells than fit a page')
    const cell = this.#view.getUint16(start + pointer)
    if (cell + bytes > this.#usable) throw new UnreadableDatabase('a cell outside of its page')
    return cell
  }

  /** How much of a payload is in its cell ("Cell Payload Overflow Pages"). */
  #localBytes(bytes: number): number {
    const most = this.#usable - 35
    if (bytes <= most) return bytes
    const least = Math.floor(((this.#usable - 12) * 32) / 255) - 23
    const rest = least + ((bytes - least) % (this.#usable - 4))
    return rest <= most ? rest : least
  }

  #payload(at: number, local: number, bytes: number): Uint8Array {
    if (bytes === local) return this.#file.subarray(at, at + local)
    if (bytes > MAX_ROW_BYTES || bytes > this.#file.length)
      throw new UnreadableDatabase(`a row of ${bytes} bytes`)
    const payload = new Uint8Array(bytes)
    payload.set(this.#file.subarray(at, at + local))
    let next = this.#view.getUint32(at + local)
    for (let filled = local; filled < bytes; ) {
      const start = this.#enter(next)
      const piece = this.#file.subarray(start + 4, start + 4 + Math.min(this.#usable - 4, bytes - filled))
      payload.set(piece, filled)
      filled += piece.length
      next = this.#view.getUint32(start)
    }
    return payload
  }

  /** @returns where the page begins in the file */
  #enter(page: number): number {
    if (page < 1 || page > this.#pages) throw new UnreadableDatabase(`page ${page} is outside of the file`)
    if (this.#seen[page] === 1) throw new UnreadableDatabase(`page ${page} is reachable in two ways`)
    this.#seen[page] = 1
    return (page - 1) * this.#pageBytes
  }
}

/** Reads within bounds. */
class Cursor {
  readonly #bytes: Uint8Array
  readonly #end: number
  at: number

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes
    this.#end = end
    this.at = at
  }

  get left(): number {
    return this.#end - this.at
  }

  /** Seven bits per byte, high ones first; a ninth byte has eight. A number too large for a double is not a valid size. */
  varint(): number {
    let value = 0
    for (let i = 0; i < 9; i++) {
      if (this.left <= 0) throw new UnreadableDatabase('a truncated number')
      const byte = this.#bytes[this.at++] ?? 0
      if (i === 8) return value * 256 + byte
      value = value * 128 + (byte & 0x7f)
      if (byte < 0x80) return value
    }
    return value
  }
}

type RecordValue = { readonly kind: 'integer' | 'text' | 'blob' | 'other'; readonly bytes: Uint8Array }

/** The first values of a record ("Record Format"); no table that is read here has more. */
function valuesOf(record: Uint8Array): RecordValue[] {
  const cursor = new Cursor(record, 0, record.length)
  const headerBytes = cursor.varint()
  const header = new Cursor(record, cursor.at, Math.min(headerBytes, record.length))
  const values: RecordValue[] = []
  for (let at = headerBytes; header.left > 0 && values.length < 5; ) {
    const type = header.varint()
    const bytes = bytesOf(type)
    if (at + bytes > record.length) throw new UnreadableDatabase('a truncated row')
    values.push({ kind: kindOf(type), bytes: record.subarray(at, at + bytes) })
    at += bytes
  }
  return values
}

const FIXED_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0]

function bytesOf(type: number): number {
  return type < 12 ? (FIXED_BYTES[type] ?? 0) : Math.floor((type - 12) / 2)
}

function kindOf(type: number): RecordValue['kind'] {
  if (type >= 12) return type % 2 === 0 ? 'blob' : 'text'
  return type >= 1 && type <= 6 ? 'integer' : 'other'
}

/** Big-endian; page numbers are not negative. */
function toInteger(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0)
}
