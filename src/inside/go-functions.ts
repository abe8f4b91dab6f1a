/**
 * Go's function table (`.gopclntab`, runtime/symtab.go) since Go 1.18: where each function begins and what it is called. Stripped
 * programs have it too, since the runtime needs it for stack traces.
 */
import { type ByteString, toByteString } from '../text/bytes.ts'
import { type ElfFile, sectionNamed } from './elf.ts'
import { type ElfForm, ElfNumbers } from './elf-header.ts'
import { type FileRanges, rangesOf, sliceOf } from './ranges.ts'

/** A larger table is not read. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024
/** Go 1.18 and 1.19; Go 1.20 and later. */
const MAGICS = new Set([0xfffffff0, 0xfffffff1])
const QUANTA = new Set([1, 2, 4])

/** The functions in the order of the code. */
export class GoFunctions {
  readonly count: number
  readonly #rows: ElfNumbers
  readonly #names: Uint8Array

  constructor(count: number, rows: ElfNumbers, names: Uint8Array) {
    this.count = count
    this.#rows = rows
    this.#names = names
  }

  /** From where it begins to where the next one does, padding included. */
  bytes(index: number): number {
    return this.#rows.word(8 * index + 8) - this.#rows.word(8 * index)
  }

  /** `net/http.(*Client).Do`; undefined if the table is damaged there. */
  name(index: number): ByteString | undefined {
    const record = this.#rows.word(8 * index + 4)
    if (record + 8 > this.#rows.bytes) return undefined
    const from = this.#rows.word(record + 4)
    const end = from < this.#names.length ? this.#names.indexOf(0, from) : -1
    return end < 0 ? undefined : toByteString(this.#names.subarray(from, end))
  }
}

/** Undefined if the file has no such table, it is damaged, or larger than 64 MiB. */
export async function readGoFunctions(file: FileRanges, elf: ElfFile): Promise<GoFunctions | undefined> {
  for (const name of ['.gopclntab', '.data.rel.ro.gopclntab']) {
    const table = tableSection(file, elf, name)
    if (table !== undefined) return readTable(table, elf.header)
  }
  const section = tableSection(file, elf, '.data.rel.ro')
  return section && (await searchTable(section, elf.header))
}

function tableSection(file: FileRanges, elf: ElfFile, name: string): FileRanges | undefined {
  const index = sectionNamed(elf, name)
  if (index === undefined || elf.sections.stored(index) > MAX_TABLE_BYTES) return undefined
  return sliceOf(file, elf.sections.offset(index), elf.sections.stored(index))
}

/** With cgo, a position-independent program has its table somewhere in this section. */
async function searchTable(section: FileRanges, form: ElfForm): Promise<GoFunctions | undefined> {
  const bytes = await section.read(0, section.bytes)
  const pointer = form.class / 8
  for (let at = 0; at + headBytes(form) <= bytes.length; at += pointer) {
    if (!isHead(bytes.subarray(at, at + 8), form)) continue
    const found = await readTable(rangesOf(bytes.subarray(at)), form)
    if (found !== undefined) return found
  }
  return undefined
}

/** Magic, two zeros, quantum, size of a pointer; then eight numbers as wide as pointers. */
function headBytes({ class: width }: ElfForm): number {
  return 8 + width
}

function isHead(head: Uint8Array, form: ElfForm): boolean {
  if (head.length < 8 || head[4] !== 0 || head[5] !== 0) return false
  const isKnown = MAGICS.has(new ElfNumbers(head, form).word(0))
  return isKnown && QUANTA.has(head[6] ?? 0) && head[7] === form.class / 8
}

/** Reads the names and the functions; not the line numbers between them, which are half of the table. */
async function readTable(table: FileRanges, form: ElfForm): Promise<GoFunctions | undefined> {
  const head = await table.read(0, headBytes(form))
  if (head.length < headBytes(form) || !isHead(head, form)) return undefined
  const numbers = new ElfNumbers(head, form)
  const [count = 0, , , names = 0, units = 0, , , rows = 0] = Array.from({ length: 8 }, (_, index) =>
    numbers.address(8 + (index * form.class) / 8),
  )
  const rowBytes = 8 * count + 4
  if (count === 0 || rows + rowBytes > table.bytes || names > units || units > table.bytes) return undefined
  const nameBytes = await table.read(names, units - names)
  const found = new GoFunctions(
    count,
    new ElfNumbers(await table.read(rows, table.bytes - rows), form),
    nameBytes,
  )
  return isSound(found) ? found : undefined
}

function isSound(functions: GoFunctions): boolean {
  for (let index = 0; index < functions.count; index++) if (functions.bytes(index) < 0) return false
  return true
}
