/**
 * The parts of a large ELF file that are held while it passes: its beginning, its end, its section headers and their names, if
 * the headers come first.
 */
import {
  type ElfHeader,
  ElfSections,
  isElf,
  readElfHeader,
  sectionHeaderBytes,
} from '../inside/elf-header.ts'
import { isUnreadable } from '../inside/jar.ts'
import type { FileRanges } from '../inside/ranges.ts'

const HEAD_BYTES = 64 * 1024
const TAIL_BYTES = 4 * 1024 * 1024
/** Limit on one other part. */
const MAX_PART_BYTES = 2 * 1024 * 1024

/** A part that was not held. */
export class NotHeld extends Error {}

type Held = { readonly start: number; readonly bytes: Uint8Array; filled: number }

export class HeldParts implements FileRanges {
  readonly bytes: number
  readonly #held: Held[] = []
  #header: ElfHeader | undefined
  #isHeadRead = false
  #areSectionsRead = false

  constructor(bytes: number) {
    this.bytes = bytes
    this.#want(0, HEAD_BYTES)
    this.#want(Math.max(0, bytes - TAIL_BYTES), TAIL_BYTES)
  }

  /** @param at position of the piece in the file */
  write(piece: Uint8Array, at: number): void {
    this.#store(piece, at)
    const end = at + piece.length
    if (!this.#isHeadRead && end >= 64) this.#readHead(piece, at)
    if (!this.#areSectionsRead) this.#readSections(piece, at)
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const found = this.#find(offset, Math.max(0, Math.min(length, this.bytes - offset)))
    if (found === undefined) throw new NotHeld(`bytes ${offset} to ${offset + length}`)
    return found
  }

  #find(offset: number, length: number): Uint8Array | undefined {
    if (length === 0) return new Uint8Array(0)
    for (const { start, bytes, filled } of this.#held)
      if (offset >= start && offset + length <= start + filled)
        return bytes.subarray(offset - start, offset - start + length)
    return undefined
  }

  #want(start: number, length: number): void {
    this.#held.push({ start, bytes: new Uint8Array(Math.min(length, this.bytes - start)), filled: 0 })
  }

  /** Pieces come in order, so each part is filled from its start. */
  #store(piece: Uint8Array, at: number): void {
    for (const held of this.#held) {
      const from = held.start + held.filled
      if (from < at || from >= at + piece.length || held.filled === held.bytes.length) continue
      const part = piece.subarray(from - at, from - at + held.bytes.length - held.filled)
      held.bytes.set(part, held.filled)
      held.filled += part.length
    }
  }

  #readHead(piece: Uint8Array, at: number): void {
    this.#isHeadRead = true
    const head = this.#find(0, 64)
    if (head === undefined || !isElf(head)) return
    try {
      this.#header = readElfHeader(head)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return
    }
    const { offset, count } = this.#header.sections
    this.#wantLater(offset, count * sectionHeaderBytes(this.#header), { piece, at })
  }

  #readSections(piece: Uint8Array, at: number): void {
    const header = this.#header
    if (header === undefined) return
    const { offset, count, names } = header.sections
    const table = this.#find(offset, count * sectionHeaderBytes(header))
    if (table === undefined) return
    this.#areSectionsRead = true
    const sections = new ElfSections(table, header)
    if (names < sections.count) this.#wantLater(sections.offset(names), sections.stored(names), { piece, at })
  }

  /** Unless it has passed, or is held anyway. */
  #wantLater(start: number, length: number, now: { readonly piece: Uint8Array; readonly at: number }): void {
    const isInTail = start >= this.bytes - TAIL_BYTES
    if (length === 0 || length > MAX_PART_BYTES || start < now.at || isInTail || start + length <= HEAD_BYTES)
      return
    this.#want(start, length)
    this.#store(now.piece, now.at)
  }
}
