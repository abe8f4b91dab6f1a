/** What an ELF file says about itself: machine, type, interpreter, libraries that it needs, build ID. */
import { type ElfFile, sectionNamed, segmentsOf, textAt } from './elf.ts'
import { ElfNumbers, SECTION } from './elf-header.ts'
import { type ElfType, elfTypeName, machineName } from './elf-names.ts'
import type { FileRanges } from './ranges.ts'

export type ElfFacts = {
  readonly class: 32 | 64
  readonly machine: string
  readonly type: ElfType
  readonly interpreter?: string
  readonly needed: readonly string[]
  readonly buildId?: string
  readonly stripped: boolean
}

type Part = { readonly offset: number; readonly bytes: number }

/** Most bytes of one note, the dynamic section and its strings that are read; files have far less. */
const MAX_NOTE_BYTES = 1024 * 1024
const MAX_NOTES = 64
const MAX_DYNAMIC_BYTES = 16 * 1024 * 1024
const MAX_STRINGS_BYTES = 64 * 1024 * 1024
const MAX_INTERPRETER_BYTES = 4096
const MAX_NEEDED = 100_000

/** Dynamic tags, `DT_…`. */
const DYNAMIC = { null: 0, needed: 1, strings: 5 } as const
const NT_GNU_BUILD_ID = 3

export async function readElfFacts(file: FileRanges, elf: ElfFile): Promise<ElfFacts> {
  const { header, sections } = elf
  const interpreter = await readInterpreter(file, elf)
  const buildId = await readBuildId(file, elf)
  let stripped = true
  for (let index = 0; index < sections.count; index++)
    if (sections.type(index) === SECTION.symtab) stripped = false
  return {
    class: header.class,
    machine: machineName(header),
    type: elfTypeName(header),
    ...(interpreter ? { interpreter } : {}),
    needed: await readNeeded(file, elf),
    ...(buildId ? { buildId } : {}),
    stripped,
  }
}

function sectionPart({ sections }: ElfFile, index: number): Part {
  return { offset: sections.offset(index), bytes: sections.stored(index) }
}

async function readInterpreter(file: FileRanges, elf: ElfFile): Promise<string | undefined> {
  const index = elf.sections.count > 0 ? sectionNamed(elf, '.interp') : undefined
  const segment = elf.sections.count > 0 ? undefined : segmentsOf(elf, 'interp')[0]
  const part = index === undefined ? segment : sectionPart(elf, index)
  if (part === undefined) return undefined
  return textAt(await file.read(part.offset, Math.min(part.bytes, MAX_INTERPRETER_BYTES)), 0)
}

/** GNU's build ID, the first one in the notes. */
async function readBuildId(file: FileRanges, elf: ElfFile): Promise<string | undefined> {
  for (const { offset, bytes } of notesOf(elf)) {
    const numbers = await file.read(offset, Math.min(bytes, MAX_NOTE_BYTES))
    const found = buildIdIn(numbers, elf)
    if (found !== undefined) return found
  }
  return undefined
}

function notesOf(elf: ElfFile): readonly Part[] {
  if (elf.sections.count === 0) return segmentsOf(elf, 'note').slice(0, MAX_NOTES)
  const found: Part[] = []
  for (let index = 0; index < elf.sections.count && found.length < MAX_NOTES; index++)
    if (elf.sections.type(index) === SECTION.note) found.push(sectionPart(elf, index))
  return found
}

function buildIdIn(note: Uint8Array, { header }: ElfFile): string | undefined {
  const numbers = new ElfNumbers(note, header)
  for (let at = 0; at + 12 <= note.length; ) {
    const [nameBytes, bytes, type] = [numbers.word(at), numbers.word(at + 4), numbers.word(at + 8)]
    const content = at + 12 + align4(nameBytes)
    const name = Buffer.from(note.subarray(at + 12, at + 12 + nameBytes)).toString('latin1')
    if (type === NT_GNU_BUILD_ID && name === 'GNU\0')
      return Buffer.from(note.subarray(content, content + bytes)).toString('hex')
    at = content + align4(bytes)
  }
  return undefined
}

function align4(bytes: number): number {
  return Math.ceil(bytes / 4) * 4
}

type Dynamic = {
  readonly entries: readonly (readonly [tag: number, value: number])[]
  readonly strings: Part
}

async function readNeeded(file: FileRanges, elf: ElfFile): Promise<readonly string[]> {
  const dynamic = elf.sections.count > 0 ? await dynamicSection(file, elf) : await dynamicSegment(file, elf)
  if (dynamic === undefined) return []
  const positions: number[] = []
  for (const [tag, value] of dynamic.entries) {
    if (tag === DYNAMIC.null || positions.length >= MAX_NEEDED) break
    if (tag === DYNAMIC.needed) positions.push(value)
  }
  if (positions.length === 0) return []
  const { offset, bytes } = dynamic.strings
  const strings = await file.read(offset, Math.max(0, Math.min(bytes, MAX_STRINGS_BYTES)))
  return positions.map((position) => textAt(strings, position))
}

async function dynamicSection(file: FileRanges, elf: ElfFile): Promise<Dynamic | undefined> {
  const { sections } = elf
  for (let index = 0; index < sections.count; index++) {
    if (sections.type(index) !== SECTION.dynamic) continue
    const link = sections.link(index)
    if (link >= sections.count) return undefined
    return {
      entries: await dynamicEntries(file, elf, sectionPart(elf, index)),
      strings: sectionPart(elf, link),
    }
  }
  return undefined
}

async function dynamicSegment(file: FileRanges, elf: ElfFile): Promise<Dynamic | undefined> {
  const [segment] = segmentsOf(elf, 'dynamic')
  if (segment === undefined) return undefined
  const entries = await dynamicEntries(file, elf, segment)
  const address = entries.find(([tag]) => tag === DYNAMIC.strings)?.[1]
  if (address === undefined) return undefined
  const loaded = segmentsOf(elf, 'load').find(
    (load) => load.address <= address && address < load.address + load.bytes,
  )
  if (loaded === undefined) return undefined
  const inside = address - loaded.address
  return { entries, strings: { offset: loaded.offset + inside, bytes: loaded.bytes - inside } }
}

async function dynamicEntries(
  file: FileRanges,
  { header }: ElfFile,
  part: Part,
): Promise<Dynamic['entries']> {
  const bytes = await file.read(part.offset, Math.min(part.bytes, MAX_DYNAMIC_BYTES))
  const numbers = new ElfNumbers(bytes, header)
  const size = header.class / 8
  const count = Math.floor(bytes.length / (2 * size))
  return Array.from({ length: count }, (_, index) => [
    numbers.address(2 * size * index),
    numbers.address(2 * size * index + size),
  ])
}
