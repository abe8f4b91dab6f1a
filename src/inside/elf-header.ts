/**
 * The records of an ELF file (System V ABI, chapter 4): file header, section headers and program headers of 32 and 64 bits in
 * both byte orders. Pure functions of bytes.
 */
import { damaged } from './ranges.ts'

/** `e_ident`, and the longer of the two headers. */
export const ELF_HEADER_BYTES = 64

/** Section types, `SHT_…`. */
export const SECTION = { null: 0, symtab: 2, strtab: 3, dynamic: 6, note: 7, nobits: 8 } as const
/** Section flags, `SHF_…`. */
export const FLAG = { write: 1, alloc: 2, execute: 4 } as const
/** Segment types, `PT_…`. */
export const SEGMENT = { load: 1, dynamic: 2, interp: 3, note: 4 } as const
/** Segment flags, `PF_…`. */
export const PERMISSION = { execute: 1, write: 2 } as const

/** How the numbers of a file are encoded. */
export type ElfForm = { readonly class: 32 | 64; readonly little: boolean }

export type ElfHeader = ElfForm & {
  readonly type: number
  readonly machine: number
  readonly segments: { readonly offset: number; readonly count: number; readonly entryBytes: number }
  /** `count` 0: the first section's size has the number; `names` 0xffff: its link has the index of the names' section. */
  readonly sections: { readonly offset: number; readonly count: number; readonly names: number }
}

/** In which numbers too large for a double to be exact are still too large for any file. */
export class ElfNumbers {
  readonly #view: DataView
  readonly #form: ElfForm

  constructor(bytes: Uint8Array, form: ElfForm) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#form = form
  }

  get bytes(): number {
    return this.#view.byteLength
  }

  half(at: number): number {
    return this.#view.getUint16(at, this.#form.little)
  }

  word(at: number): number {
    return this.#view.getUint32(at, this.#form.little)
  }

  /** As wide as an address of the file's class. */
  address(at: number): number {
    if (this.#form.class === 32) return this.word(at)
    const { little } = this.#form
    const [low, high] = [
      this.#view.getUint32(at + (little ? 0 : 4), little),
      this.word(at + (little ? 4 : 0)),
    ]
    return high * 2 ** 32 + low
  }
}

/** Whether a file begins as an ELF file. */
export function isElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46
}

/** @param head the first 64 bytes of the file, or all of it */
export function readElfHeader(head: Uint8Array): ElfHeader {
  const [, , , , width, order] = head
  if (head.length < 52 || (width === 2 && head.length < ELF_HEADER_BYTES))
    throw damaged(`the ELF header is cut off after ${head.length} bytes`)
  if (width !== 1 && width !== 2)
    throw damaged(`the ELF header has class ${width}, which is neither 32 nor 64 bits`)
  if (order !== 1 && order !== 2) throw damaged(`the ELF header has the unknown byte order ${order}`)
  const form = { class: width === 1 ? 32 : 64, little: order === 1 } as const
  const numbers = new ElfNumbers(head, form)
  const size = form.class / 8
  const flags = 24 + 3 * size
  const sections = {
    offset: numbers.address(24 + 2 * size),
    count: numbers.half(flags + 12),
    names: numbers.half(flags + 14),
  }
  const sectionBytes = numbers.half(flags + 10)
  if (sections.offset > 0 && sectionBytes !== sectionHeaderBytes(form))
    throw damaged(`the ELF header says that a section header has ${sectionBytes} bytes`)
  return {
    ...form,
    type: numbers.half(16),
    machine: numbers.half(18),
    segments: {
      offset: numbers.address(24 + size),
      count: numbers.half(flags + 8),
      entryBytes: numbers.half(flags + 6),
    },
    sections,
  }
}

export function sectionHeaderBytes(form: ElfForm): number {
  return form.class === 64 ? 64 : 40
}

export type ElfSegment = {
  readonly type: number
  readonly flags: number
  readonly offset: number
  readonly address: number
  /** In the file. */
  readonly bytes: number
}

export const SEGMENT_BYTES = { 32: 32, 64: 56 } as const

export function readSegment(numbers: ElfNumbers, at: number, form: ElfForm): ElfSegment {
  const wide = form.class === 64
  return {
    type: numbers.word(at),
    flags: numbers.word(at + (wide ? 4 : 24)),
    offset: numbers.address(at + (wide ? 8 : 4)),
    address: numbers.address(at + (wide ? 16 : 8)),
    bytes: numbers.address(at + (wide ? 32 : 16)),
  }
}

/** The table of section headers, read in place, since a file may have a million. */
export class ElfSections {
  readonly count: number
  readonly #numbers: ElfNumbers
  readonly #stride: number
  readonly #size: number

  constructor(bytes: Uint8Array, form: ElfForm) {
    this.#numbers = new ElfNumbers(bytes, form)
    this.#stride = sectionHeaderBytes(form)
    this.#size = form.class / 8
    this.count = Math.floor(bytes.length / this.#stride)
  }

  /** Position of the name in the section of names. */
  name(index: number): number {
    return this.#numbers.word(index * this.#stride)
  }

  type(index: number): number {
    return this.#numbers.word(index * this.#stride + 4)
  }

  flags(index: number): number {
    return this.#numbers.address(index * this.#stride + 8) % 2 ** 32
  }

  offset(index: number): number {
    return this.#numbers.address(index * this.#stride + 8 + 2 * this.#size)
  }

  /** Of its memory: a NOBITS section has none of it in the file. */
  size(index: number): number {
    return this.#numbers.address(index * this.#stride + 8 + 3 * this.#size)
  }

  link(index: number): number {
    return this.#numbers.word(index * this.#stride + 8 + 4 * this.#size)
  }

  info(index: number): number {
    return this.#numbers.word(index * this.#stride + 12 + 4 * this.#size)
  }

  /** Bytes in the file. */
  stored(index: number): number {
    const type = this.type(index)
    return type === SECTION.nobits ? 0 : this.size(index)
  }
}
