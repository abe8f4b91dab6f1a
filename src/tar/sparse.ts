/**
 * Sparse members of GNU tar: the archive stores the pieces that are not zero, and a map of where they belong. Four
 * formats, described in GNU tar's manual, "Storing Sparse Files".
 */
import { type ByteString, toByteString } from '../text/bytes.ts'
import { malformed } from './fault.ts'
import { BLOCK, readNumber } from './header.ts'
import { type PaxRecords, paxInteger, paxText } from './pax.ts'

/** Offset and length of each stored piece in the expanded file, in one flat list, ascending. */
export type SparseMap = readonly number[]

/** How a PAX header describes a sparse file: with its map, or with the map at the head of the content (format 1.0). */
export type PaxSparse = {
  readonly map: SparseMap | 'in content'
  /** Size of the expanded file, if the header has it. */
  readonly bytes: number | undefined
}

/** Pieces in the old format's header (type `S`), and in each of its extension blocks. */
export const HEADER_MAP = { at: 386, pieces: 4, extended: 482, bytes: 483 } as const
export const EXTENSION_MAP = { at: 0, pieces: 21, extended: 504 } as const

const NUMBER = 12

/** Appends the pieces of the old format's table. It ends at the first entry that is not a pair of numbers. */
export function readPieces(block: Uint8Array, at: number, pieces: number, map: number[]): void {
  for (let i = 0; i < pieces; i++) {
    const offset = readNumber(block, at + i * 2 * NUMBER, NUMBER)
    const length = readNumber(block, at + (i * 2 + 1) * NUMBER, NUMBER)
    if (Number.isNaN(offset) || Number.isNaN(length)) return
    if (length !== 0) map.push(offset, length)
  }
}

/** @param position of the member's header, for errors */
export function paxSparse(records: PaxRecords, position: number): PaxSparse | undefined {
  const bytes =
    paxInteger(records, 'GNU.sparse.realsize', position) ?? paxInteger(records, 'GNU.sparse.size', position)
  const map = paxText(records, 'GNU.sparse.map')
  if (map !== undefined) return { map: map.split(',').map((text) => parseNumber(text, position)), bytes }
  if (bytes !== undefined && records.has('GNU.sparse.size')) return { map: [], bytes }
  if (records.get('GNU.sparse.major') !== '1' || records.get('GNU.sparse.minor') !== '0') return undefined
  return { map: 'in content', bytes }
}

/** Reads format 1.0's map, at the start of the content: the number of pieces, then each number on a line. */
export class MapReader {
  readonly #position: number
  readonly #numbers: number[] = []
  #rest = ''

  /** @param position of the member's header, for errors */
  constructor(position: number) {
    this.#position = position
  }

  /** Takes the next block. Returns the map once it is complete. */
  push(block: Uint8Array): SparseMap | undefined {
    const lines = (this.#rest + toByteString(block)).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > BLOCK) throw malformed('the map of a sparse member is malformed', this.#position)
    for (const line of lines) {
      const [pieces] = this.#numbers
      if (pieces !== undefined && this.#numbers.length > pieces * 2) break
      this.#numbers.push(parseNumber(line, this.#position))
    }
    const [pieces] = this.#numbers
    return pieces === undefined || this.#numbers.length <= pieces * 2 ? undefined : this.#numbers.slice(1)
  }
}

function parseNumber(text: ByteString, position: number): number {
  if (!/^\d+$/.test(text)) throw malformed('the map of a sparse member is malformed', position)
  return Number(text)
}

/**
 * Drops empty pieces, and rejects a map that is not ascending, exceeds the file, or needs more bytes than are stored.
 *
 * @param bytes size of the expanded file
 * @param stored bytes that the archive stores
 * @param position of the member's header
 */
export function checkedMap(map: SparseMap, bytes: number, stored: number, position: number): SparseMap {
  const pieces: number[] = []
  let end = 0
  let needed = 0
  for (let i = 0; i + 1 < map.length; i += 2) {
    const offset = map[i] ?? 0
    const length = map[i + 1] ?? 0
    if (length === 0) continue
    if (offset < end || length < 0 || offset + length > bytes) {
      throw malformed('the map of a sparse member exceeds its size', position)
    }
    end = offset + length
    needed += length
    pieces.push(offset, length)
  }
  if (needed > stored) throw malformed('a sparse member stores fewer bytes than its map lists', position)
  return pieces
}
