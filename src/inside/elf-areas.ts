/** What the bytes of an ELF file are for: each byte counts for one area, and the areas sum to the file's bytes. */
import { compareText } from '../text/bytes.ts'
import type { ElfFile } from './elf.ts'
import { FLAG, PERMISSION, SECTION, SEGMENT } from './elf-header.ts'

export const ELF_AREAS = [
  'code',
  'data',
  'readonly',
  'symbols',
  'debug',
  'tables',
  'headers',
  'other',
] as const
export type ElfArea = (typeof ELF_AREAS)[number]

const DEBUG = ['.debug_', '.zdebug_', '.stab', '.gnu.debuglto_']
const TABLES = ['.eh_frame', '.gcc_except_table']
const TABLE_NAMES = new Set(['.gopclntab', '.data.rel.ro.gopclntab'])

/** The area of a section. @param strings the string tables of symbols, from {@link symbolStrings} */
export function areaOf({ sections, names }: ElfFile, index: number, strings: ReadonlySet<number>): ElfArea {
  const name = names.at(sections.name(index))
  const flags = sections.flags(index)
  const has = (flag: keyof typeof FLAG) => (flags & FLAG[flag]) !== 0
  const isDebug = name === '.gdb_index' || DEBUG.some((prefix) => name.startsWith(prefix))
  // Rust's `.debug_gdb_scripts` is loaded.
  if (isDebug && !has('alloc')) return 'debug'
  if (sections.type(index) === SECTION.symtab || strings.has(index)) return 'symbols'
  if (TABLE_NAMES.has(name) || TABLES.some((prefix) => name.startsWith(prefix))) return 'tables'
  if (has('execute')) return 'code'
  if (has('write')) return 'data'
  return has('alloc') ? 'readonly' : 'other'
}

/** Indices of the string tables that belong to symbol tables. */
export function symbolStrings({ sections }: ElfFile): ReadonlySet<number> {
  const found = new Set<number>()
  for (let index = 0; index < sections.count; index++)
    if (sections.type(index) === SECTION.symtab) found.add(sections.link(index))
  return found
}

/** Indices of what counts as a section: not the first header, and none of type NULL. */
export function realSections({ sections }: ElfFile): Uint32Array {
  const found = new Uint32Array(sections.count)
  let count = 0
  for (let index = 1; index < sections.count; index++)
    if (sections.type(index) !== SECTION.null) found[count++] = index
  return found.subarray(0, count)
}

export type AreaBytes = { readonly area: ElfArea; readonly bytes: number }

/** Largest first, then by name; none of 0 bytes. */
export function areaBytes(elf: ElfFile): readonly AreaBytes[] {
  const sums = new Map<ElfArea, number>()
  let covered = 0
  let total = 0
  const cover = (start: number, end: number, area: ElfArea) => {
    const bytes = Math.max(0, end - Math.max(start, covered))
    if (end <= start) return
    covered = Math.max(covered, end)
    total += bytes
    sums.set(area, (sums.get(area) ?? 0) + bytes)
  }
  if (elf.sections.count > 0) coverSections(elf, cover)
  else coverSegments(elf, cover)
  sums.set('headers', elf.bytes - total)
  return [...sums]
    .map(([area, bytes]) => ({ area, bytes }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes || compareText(a.area, b.area))
}

type Cover = (start: number, end: number, area: ElfArea) => void

/** A byte that several sections cover counts for the one that begins first. */
function coverSections(elf: ElfFile, cover: Cover): void {
  const { sections } = elf
  const strings = symbolStrings(elf)
  const starts = new Float64Array(sections.count)
  for (let index = 0; index < sections.count; index++) starts[index] = sections.offset(index)
  const startOf = (index: number) => starts[index] ?? 0
  const order = realSections(elf).sort((a, b) => startOf(a) - startOf(b) || a - b)
  for (const index of order) {
    const bytes = sections.stored(index)
    if (bytes > 0) cover(startOf(index), startOf(index) + bytes, areaOf(elf, index, strings))
  }
}

/** Without section headers: what is loaded. */
function coverSegments({ segments, bytes }: ElfFile, cover: Cover): void {
  const loaded = segments
    .filter(({ type }) => type === SEGMENT.load)
    .map((segment, index) => ({ segment, index }))
    .sort((a, b) => a.segment.offset - b.segment.offset || a.index - b.index)
  for (const { segment } of loaded) {
    const isCode = (segment.flags & PERMISSION.execute) !== 0
    const isData = (segment.flags & PERMISSION.write) !== 0
    cover(
      segment.offset,
      Math.min(bytes, segment.offset + segment.bytes),
      isCode ? 'code' : isData ? 'data' : 'readonly',
    )
  }
}
