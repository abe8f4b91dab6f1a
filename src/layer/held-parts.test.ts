import { expect, test } from 'vitest'
import { pieces } from '../../test/support/findings.ts'
import { readElf, sectionNamed } from '../inside/elf.ts'
import { HeldParts, NotHeld } from './held-parts.ts'

const MIB = 1024 * 1024
const BYTES = 20 * MIB
const NAMES = Buffer.from('\0.dep-v0\0.shstrtab\0')

/** An ELF file of 64 bits whose section headers and names are at these positions. */
function program(headersAt: number, namesAt: number): Uint8Array {
  const file = new Uint8Array(BYTES)
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  const view = new DataView(file.buffer)
  view.setUint16(16, 2, true)
  view.setUint16(18, 62, true)
  view.setBigUint64(40, BigInt(headersAt), true)
  view.setUint16(58, 64, true)
  view.setUint16(60, 3, true)
  view.setUint16(62, 2, true)
  const sections = [
    { name: 1, offset: 100, bytes: 8 },
    { name: 9, offset: namesAt, bytes: NAMES.length },
  ]
  for (const [index, { name, offset, bytes }] of sections.entries()) {
    const at = headersAt + 64 * (index + 1)
    view.setUint32(at, name, true)
    view.setUint32(at + 4, 1, true)
    view.setBigUint64(at + 24, BigInt(offset), true)
    view.setBigUint64(at + 32, BigInt(bytes), true)
  }
  file.set(NAMES, namesAt)
  return file
}

function held(file: Uint8Array, size: number): HeldParts {
  const parts = new HeldParts(file.length)
  let at = 0
  for (const piece of pieces(file, size)) {
    // A view whose bytes change afterwards.
    const view = piece.slice()
    parts.write(view, at)
    view.fill(0xee)
    at += piece.length
  }
  return parts
}

test.each([
  ['at its end', BYTES - 200, BYTES - 1_000],
  ['at its beginning', 64, 1_000],
  ['in the middle, names after headers', 5 * MIB, 6 * MIB],
  ['in the middle, side by side', 5 * MIB, 5 * MIB + 192],
])('the sections of a file that has them %s are found', async (_, headersAt, namesAt) => {
  const file = program(headersAt, namesAt)
  for (const size of [40_000, 65_536, 3_000_001, BYTES]) {
    const elf = await readElf(held(file, size))
    expect(sectionNamed(elf, '.dep-v0')).toBe(1)
  }
})

test('names in the middle before the headers have passed when they are wanted', async () => {
  await expect(readElf(held(program(5 * MIB, 1 * MIB), 65_536))).rejects.toThrow(NotHeld)
})

test('the beginning and the end are held, what is between is not', async () => {
  const file = Uint8Array.from({ length: BYTES }, (_, i) => i % 251)
  const parts = held(file, 100_000)
  for (const [offset, length] of [
    [0, 1_000],
    [65_000, 536],
    [BYTES - 4 * MIB, 10],
    [BYTES - 3, 3],
    [BYTES - 3, 100],
    [BYTES + 5, 10],
  ] as const)
    expect(await parts.read(offset, length)).toEqual(file.slice(offset, offset + length))
  for (const [offset, length] of [
    [65_000, 537],
    [10 * MIB, 1],
    [BYTES - 4 * MIB - 1, 2],
  ] as const)
    await expect(parts.read(offset, length)).rejects.toThrow(NotHeld)
})

test('tables that a header claims to be huge are not held', async () => {
  const file = program(5 * MIB, 6 * MIB)
  const view = new DataView(file.buffer)
  view.setUint16(60, 0xfffe, true)
  const parts = held(file, 65_536)
  await expect(parts.read(5 * MIB, 64)).rejects.toThrow(NotHeld)
})
