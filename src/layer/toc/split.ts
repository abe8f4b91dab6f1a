/**
 * The JSON of a table of contents, split into its entries as it arrives: `{"version":1,"entries":[{…},…],…}`. A table can have
 * millions of entries, so it is never held whole.
 */
import { parseJson } from '../../text/json.ts'
import { invalidTable } from './verified-toc.ts'

/** A name of 4 KiB and extended attributes of 64 KiB each fit; nothing longer is a valid entry. */
const MAX_ENTRY_BYTES = 1024 * 1024
/** Limit on everything besides the entries. */
const MAX_OUTER_BYTES = 64 * 1024
const NOTHING = new Uint8Array(0)
const CHAR = {
  quote: 0x22,
  comma: 0x2c,
  openList: 0x5b,
  backslash: 0x5c,
  closeList: 0x5d,
  open: 0x7b,
  close: 0x7d,
} as const

/** An entry, as in its JSON. */
export type Fields = Readonly<Record<string, unknown>>

/** `outside` the list of entries, `between` two of them, `behind` one, or `within` one. */
type Context = 'outside' | 'between' | 'behind' | 'within'

export class EntrySplitter {
  #place: Context = 'outside'
  #outer = ''
  /** The beginning of the entry that is being read. */
  #held: Uint8Array = NOTHING
  #depth = 0
  #isText = false
  #isEscaped = false
  #lists = 0
  #entries = 0

  /** @throws Problem `invalid_image` if the JSON is incomplete, or is not a table of contents */
  finish(): void {
    const outer = this.#place === 'outside' ? parseJson(this.#outer) : undefined
    if (typeof outer !== 'object' || outer === null) throw invalidTable('it is not complete JSON')
    if (!('version' in outer) || outer.version !== 1)
      throw invalidTable('its version is not 1, the only one supported')
    // Go writes an empty list as `null`.
    const isEmpty = 'entries' in outer && outer.entries === null
    if (this.#lists !== 1 && !isEmpty) throw invalidTable('it has no list of entries')
  }

  /**
   * Takes the next bytes.
   *
   * @returns the entries that end in them
   * @throws Problem `invalid_image`
   */
  *take(bytes: Uint8Array): Generator<Fields> {
    let start = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      switch (this.#place) {
        case 'within':
          if (!this.#endsEntry(byte)) break
          yield this.#entry(bytes.subarray(start, at + 1))
          this.#place = 'behind'
          break
        case 'outside':
          this.#readOuter(byte)
          break
        default:
          if (this.#beginsEntry(byte)) start = at
      }
    }
    if (this.#place === 'within') this.#hold(bytes.subarray(start))
  }

  #readOuter(byte: number): void {
    if (this.#outer.length >= MAX_OUTER_BYTES) throw invalidTable('it has too much data besides its entries')
    this.#outer += String.fromCharCode(byte)
    if (this.#readText(byte)) return
    if (byte === CHAR.open || byte === CHAR.openList) this.#depth++
    if (byte === CHAR.close || byte === CHAR.closeList) this.#depth--
    if (byte !== CHAR.openList || this.#depth !== 2 || !this.#isListOfEntries()) return
    this.#lists++
    if (this.#lists > 1) throw invalidTable('it has two lists of entries')
    this.#place = 'between'
  }

  #isListOfEntries(): boolean {
    const before = this.#outer.slice(0, -1).trimEnd()
    if (!before.endsWith(':')) return false
    return before.slice(0, -1).trimEnd().endsWith('"entries"')
  }

  /** Between the entries; the list's end belongs to the outside. */
  #beginsEntry(byte: number): boolean {
    if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) return false
    if (byte === CHAR.open && this.#place === 'between') {
      this.#place = 'within'
      this.#depth = 1
      return true
    }
    if (byte === CHAR.comma && this.#place === 'behind') {
      this.#place = 'between'
      return false
    }
    const isEnd = byte === CHAR.closeList && (this.#place === 'behind' || this.#entries === 0)
    if (!isEnd) throw invalidTable(`its JSON is invalid after entry ${this.#entries}`)
    this.#place = 'outside'
    this.#outer += ']'
    this.#depth = 1
    return false
  }

  /** Whether the byte is part of a string, in which brackets do not count. */
  #readText(byte: number): boolean {
    if (!this.#isText) {
      this.#isText = byte === CHAR.quote
      return this.#isText
    }
    if (this.#isEscaped) this.#isEscaped = false
    else if (byte === CHAR.backslash) this.#isEscaped = true
    else if (byte === CHAR.quote) this.#isText = false
    return true
  }

  #endsEntry(byte: number): boolean {
    if (this.#readText(byte)) return false
    if (byte === CHAR.open || byte === CHAR.openList) this.#depth++
    else if (byte === CHAR.close || byte === CHAR.closeList) this.#depth--
    return this.#depth === 0
  }

  #entry(end: Uint8Array): Fields {
    this.#hold(end)
    const entry = parseJson(Buffer.from(this.#held).toString('utf8'))
    this.#held = NOTHING
    if (!isFields(entry)) throw invalidTable(`entry ${this.#entries} is not JSON`)
    this.#entries++
    return entry
  }

  #hold(piece: Uint8Array): void {
    if (this.#held.length + piece.length > MAX_ENTRY_BYTES)
      throw invalidTable(`entry ${this.#entries} has more than ${MAX_ENTRY_BYTES} bytes`)
    this.#held = this.#held.length === 0 ? piece.slice() : Buffer.concat([this.#held, piece])
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}
