import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check'
import { expect, test } from 'vitest'
import { type BuiltSection, buildElf, type ElfBuild } from '../../test/support/elf.ts'
import { readElf, sectionNamed } from './elf.ts'
import { areaBytes, areaOf, symbolStrings } from './elf-areas.ts'
import { readElfFacts } from './elf-facts.ts'
import { type FileRanges, rangesOf } from './ranges.ts'

const forms = [
  { class: 64, little: true },
  { class: 64, little: false },
  { class: 32, little: true },
  { class: 32, little: false },
] as const

function note(little: boolean, name: string, type: number, desc: Uint8Array): Uint8Array {
  const out = Buffer.alloc(12 + 4 * Math.ceil(name.length / 4) + 4 * Math.ceil(desc.length / 4))
  const view = new DataView(out.buffer, out.byteOffset)
  for (const [index, value] of [name.length, desc.length, type].entries())
    view.setUint32(4 * index, value, little)
  out.write(name, 12, 'latin1')
  out.set(desc, 12 + 4 * Math.ceil(name.length / 4))
  return out
}

function dynamic({ class: width, little }: (typeof forms)[number], entries: readonly number[]): Uint8Array {
  const out = new DataView(new ArrayBuffer((entries.length * width) / 8))
  for (const [index, value] of entries.entries())
    if (width === 64) out.setBigUint64(8 * index, BigInt(value), little)
    else out.setUint32(4 * index, value, little)
  return new Uint8Array(out.buffer)
}

function program(form: (typeof forms)[number], more: Partial<ElfBuild> = {}): Uint8Array {
  const bytes = (count: number) => new Uint8Array(count).fill(120)
  return buildElf({
    ...form,
    sections: [
      { name: '.interp', type: 1, flags: 2, data: Buffer.from('/lib/ld.so.1\0') },
      { name: '.note.other', type: 7, flags: 2, data: note(form.little, 'Go\0\0', 4, bytes(3)) },
      {
        name: '.note.gnu.build-id',
        type: 7,
        flags: 2,
        data: note(form.little, 'GNU\0', 3, Buffer.from('abcd')),
      },
      { name: '.dynstr', type: 3, flags: 2, address: 0x1000, data: Buffer.from('\0libc.so.6\0libm.so.6\0') },
      {
        name: '.dynamic',
        type: 6,
        flags: 3,
        link: 4,
        data: dynamic(form, [1, 11, 1, 1, 5, 0x1000, 0, 0, 1, 1]),
      },
      { name: '.text', type: 1, flags: 6, data: bytes(500) },
      { name: '.rodata', type: 1, flags: 2, data: bytes(40) },
      { name: '.eh_frame', type: 1, flags: 2, data: bytes(30) },
      { name: '.data', type: 1, flags: 3, data: bytes(20) },
      { name: '.bss', type: 8, flags: 3, size: 1 << 30 },
      { name: '.symtab', type: 2, link: 12, data: bytes(48) },
      { name: '.strtab', type: 3, data: bytes(33) },
      { name: '.debug_info', type: 1, data: bytes(70) },
      { name: '.debug_gdb_scripts', type: 1, flags: 2, data: bytes(9) },
      { name: '.comment', type: 1, flags: 0x30, data: bytes(4) },
    ],
    segments: [
      { type: 3, of: '.interp' },
      { type: 4, of: '.note.gnu.build-id' },
      { type: 2, of: '.dynamic' },
      { type: 1, of: '.dynstr' },
      { type: 1, of: '.text', flags: 5 },
    ],
    ...more,
  })
}

test.each(forms)('a program of $class bits, little $little: facts and areas', async (form) => {
  const file = rangesOf(program(form))
  const elf = await readElf(file)
  expect(await readElfFacts(file, elf)).toEqual({
    class: form.class,
    machine: 'amd64',
    type: 'exec',
    interpreter: '/lib/ld.so.1',
    needed: ['libm.so.6', 'libc.so.6'],
    buildId: '61626364',
    stripped: false,
  })
  const areas = areaBytes(elf)
  const sum = areas.reduce((all, { bytes }) => all + bytes, 0)
  expect(sum).toBe(file.bytes)
  const known = Object.fromEntries(areas.map(({ area, bytes }) => [area, bytes]))
  expect(known).toMatchObject({ code: 500, debug: 70, symbols: 81, tables: 30 })
})

test.each(forms)('without section headers, segments of $class bits say the same', async (form) => {
  const file = rangesOf(program(form, { hasHeaders: false }))
  const elf = await readElf(file)
  expect(await readElfFacts(file, elf)).toMatchObject({
    interpreter: '/lib/ld.so.1',
    needed: ['libm.so.6', 'libc.so.6'],
    buildId: '61626364',
    stripped: true,
  })
  expect(
    areaBytes(elf)
      .map(({ area }) => area)
      .sort(),
  ).toEqual(['code', 'headers', 'readonly'])
})

test('only the headers, the names and what is asked for are read', async () => {
  const content = buildElf({
    sections: [
      { name: '.text', type: 1, flags: 6, data: new Uint8Array(5_000_000) },
      { name: '.wanted', type: 1, data: Buffer.from('here') },
    ],
  })
  let bytes = 0
  const file: FileRanges = {
    bytes: content.length,
    read: async (offset, length) => {
      bytes += length
      return content.subarray(offset, offset + length)
    },
  }
  const elf = await readElf(file)
  await readElfFacts(file, elf)
  expect(sectionNamed(elf, '.wanted')).toBe(2)
  expect(bytes).toBeLessThan(1000)
})

const whole = program({ class: 64, little: true })
const faults: [string, Uint8Array][] = [
  ['a header that is cut off', whole.subarray(0, 40)],
  ['an unknown class', whole.with(4, 7)],
  ['an unknown byte order', whole.with(5, 9)],
  ['a file that is cut off', whole.subarray(0, whole.length / 2)],
  ['section headers of another size', whole.with(58, 8)],
  ['names in a section that does not exist', whole.with(62, 77)],
]

test.each(faults)('%s is damage', async (_, content) => {
  await expect(readElf(rangesOf(content))).rejects.toMatchObject({ code: 'invalid_archive' })
})

test('a section that ends behind the file is damage', async () => {
  const content = buildElf({ sections: [{ name: '.text', type: 1, size: 2 ** 40 }] })
  await expect(readElf(rangesOf(content))).rejects.toThrow(/section 1 ends at byte/)
})

const section = record({
  name: constantFrom('.text', '.data', '.debug_x', '.eh_frame', '.stab', '.note', '.zero'),
  type: constantFrom(1, 2, 3, 8),
  flags: constantFrom(0, 2, 3, 6, 4),
  at: integer({ min: 0, max: 1200 }),
  size: integer({ min: 0, max: 300 }),
  link: integer({ min: 0, max: 6 }),
})

test('each byte of a random file counts for the first section that covers it', async () => {
  const files = record({
    sections: array(section, { maxLength: 8 }),
    form: constantFrom(...forms),
  })
  await assert(
    asyncProperty(files, async ({ sections: random, form }) => {
      const filler: BuiltSection = { name: '.filler', type: 0, data: new Uint8Array(1600) }
      const padding: BuiltSection = {
        name: '.padding',
        type: 1,
        flags: 2,
        data: new Uint8Array(1600),
        align: 1,
      }
      const content = buildElf({
        ...form,
        sections: [padding, ...random.map(({ at, ...rest }) => ({ ...rest, offset: at })), filler],
      })
      const elf = await readElf(rangesOf(content))
      const strings = symbolStrings(elf)
      const owner: (string | undefined)[] = Array(content.length).fill(undefined)
      const order = [...Array(elf.sections.count).keys()]
        .slice(1)
        .filter((index) => elf.sections.type(index) !== 0)
        .sort((a, b) => elf.sections.offset(a) - elf.sections.offset(b) || a - b)
      for (const index of order.reverse())
        for (let i = 0; i < elf.sections.stored(index); i++)
          owner[elf.sections.offset(index) + i] = areaOf(elf, index, strings)
      const want: Record<string, number> = {}
      for (const area of owner) want[area ?? 'headers'] = (want[area ?? 'headers'] ?? 0) + 1
      expect(Object.fromEntries(areaBytes(elf).map(({ area, bytes }) => [area, bytes]))).toEqual(want)
    }),
    { numRuns: 150 },
  )
})
