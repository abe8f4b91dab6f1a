/**
 * What an ELF file is made of: reads the headers, the section names, the dynamic section and the notes, and nothing else. An
 * `ElfFile` holds only the tables; sections are decoded where they are asked for.
 */
import { Problem } from '../problem.ts'
import {
  ELF_HEADER_BYTES,
  type ElfHeader,
  ElfNumbers,
  ElfSections,
  type ElfSegment,
  readElfHeader,
  readSegment,
  SECTION,
  SEGMENT,
  SEGMENT_BYTES,
  sectionHeaderBytes,
} from './elf-header.ts'
import { damaged, type FileRanges } from './ranges.ts'

/** Limits for the section headers and their names together. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024
const MAX_SECTIONS = 1_000_000

export type ElfFile = {
  readonly bytes: number
  readonly header: ElfHeader
  /** Empty if the file has no section headers. The first is not a section, but counts. */
  readonly sections: ElfSections
  readonly segments: readonly ElfSegment[]
  readonly names: SectionNames
}

/** The string table with the names of the sections. */
export class SectionNames {
  readonly #strings: Uint8Array

  constructor(strings: Uint8Array) {
    this.#strings = strings
  }

  /** Bytes that are not UTF-8 show as U+FFFD. */
  at(position: number): string {
    return textAt(this.#strings, position)
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The text up to a NUL. */
export function textAt(strings: Uint8Array, position: number): string {
  if (position >= strings.length) return ''
  const end = strings.indexOf(0, position)
  return decoder.decode(strings.subarray(position, end < 0 ? undefined : end))
}

/**
 * Reads the headers.
 *
 * @throws Problem `invalid_archive` if they are damaged or a section ends behind the file; `too_large`
 */
export async function readElf(file: FileRanges): Promise<ElfFile> {
  const header = readElfHeader(await file.read(0, ELF_HEADER_BYTES))
  const [sections, segmentCount] = await readSections(file, header)
  const segments = await readSegments(file, header, segmentCount)
  checkExtents(file, sections)
  return { bytes: file.bytes, header, sections, segments, names: await readNames(file, header, sections) }
}

/** The sections, and the number of segments, which the first section states if it is large. */
async function readSections(file: FileRanges, header: ElfHeader): Promise<[ElfSections, number]> {
  const { offset, count } = header.sections
  if (offset === 0) return [new ElfSections(new Uint8Array(0), header), header.segments.count]
  const entry = sectionHeaderBytes(header)
  const first = new ElfSections(await file.read(offset, entry), header)
  if (first.count === 0) throw damaged(`the section headers at byte ${offset} are behind the end of the file`)
  const segments = header.segments.count === 0xffff ? first.info(0) : header.segments.count
  const all = count === 0 ? first.size(0) : count
  const bytes = all * entry
  if (offset + bytes > file.bytes)
    throw damaged(`the ${all} section headers at byte ${offset} end behind the file`)
  if (all > MAX_SECTIONS || bytes > MAX_TABLE_BYTES)
    throw tooLarge(`${all} section headers`, `${MAX_SECTIONS} headers and ${MAX_TABLE_BYTES} bytes`)
  return [new ElfSections(await file.read(offset, bytes), header), segments]
}

async function readSegments(
  file: FileRanges,
  header: ElfHeader,
  count: number,
): Promise<readonly ElfSegment[]> {
  const { offset, entryBytes } = header.segments
  const least = SEGMENT_BYTES[header.class]
  const bytes = count === 0 ? 0 : Math.max(count * entryBytes, (count - 1) * entryBytes + least)
  if (offset + bytes > file.bytes)
    throw damaged(`the ${count} program headers at byte ${offset} end behind the file`)
  if (bytes > MAX_TABLE_BYTES || count > MAX_SECTIONS)
    throw tooLarge(`${count} program headers`, `${MAX_SECTIONS} headers and ${MAX_TABLE_BYTES} bytes`)
  const numbers = new ElfNumbers(await file.read(offset, bytes), header)
  return Array.from({ length: count }, (_, index) => readSegment(numbers, index * entryBytes, header))
}

function checkExtents(file: FileRanges, sections: ElfSections): void {
  for (let index = 1; index < sections.count; index++) {
    const type = sections.type(index)
    if (type === SECTION.null || type === SECTION.nobits) continue
    const end = sections.offset(index) + sections.size(index)
    if (end > file.bytes)
      throw damaged(`section ${index} ends at byte ${end}, behind the end of the file at ${file.bytes}`)
  }
}

async function readNames(
  file: FileRanges,
  { sections: { names } }: ElfHeader,
  sections: ElfSections,
): Promise<SectionNames> {
  const index = names === 0xffff && sections.count > 0 ? sections.link(0) : names
  if (sections.count === 0 || index === 0) return new SectionNames(new Uint8Array(0))
  if (index >= sections.count)
    throw damaged(`the names are in section ${index}, but the file has ${sections.count} sections`)
  const bytes = Math.max(0, Math.min(sections.stored(index), file.bytes - sections.offset(index)))
  if (bytes > MAX_TABLE_BYTES) throw tooLarge(`section names of ${bytes} bytes`, `${MAX_TABLE_BYTES} bytes`)
  return new SectionNames(await file.read(sections.offset(index), bytes))
}

function tooLarge(what: string, limit: string): Problem {
  return new Problem('too_large', `the file has ${what}; the limit is ${limit}`)
}

/** Index of the first section of this name that has bytes in the file. */
export function sectionNamed({ sections, names }: ElfFile, name: string): number | undefined {
  for (let index = 0; index < sections.count; index++) {
    if (sections.type(index) === SECTION.nobits) continue
    if (names.at(sections.name(index)) === name) return index
  }
  return undefined
}

/** The bytes of a section. @param most a larger section is not read: undefined */
export async function readSection(
  file: FileRanges,
  { sections }: ElfFile,
  index: number,
  most: number,
): Promise<Uint8Array | undefined> {
  const bytes = sections.stored(index)
  return bytes > most ? undefined : file.read(sections.offset(index), bytes)
}

/** Segments of a type. */
export function segmentsOf({ segments }: ElfFile, type: keyof typeof SEGMENT): readonly ElfSegment[] {
  return segments.filter((segment) => segment.type === SEGMENT[type])
}
