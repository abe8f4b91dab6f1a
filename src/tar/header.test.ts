import { describe, expect, test } from 'vitest'
import { header, MAGIC } from '../../test/support/tar.ts'
import { checkBlock, readName, readNumber } from './header.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')
const number = (field: string) => readNumber(bytes(field), 0, field.length)
const name = (block: Uint8Array, type = 0x30) => Buffer.from(readName(block, 0, type)).toString('latin1')

describe('readNumber', () => {
  test.each([
    ['0000644\0', 0o644],
    ['000644 \0', 0o644],
    ['   644 \0', 0o644],
    ['644\0\0\0\0\0', 0o644],
    ['77777777', 0o77777777],
    ['644\0junk', 0o644],
    ['\0\0\0\0\0\0\0\0', 0],
    ['        ', 0],
    ['\x80\0\0\0\0\0\0\x2a', 42],
    ['\x80\0\0\0\xb2\xd0\x5e\x00', 3_000_000_000],
    ['\xff\xff\xff\xff\xff\xff\xff\xfe', -2],
    ['\x80\x00\x00\x00\x40\0\0\0\0\0\0\0', 2 ** 62],
  ])('%j is %d', (field, expected) => {
    expect(number(field)).toBe(expected)
  })

  test.each(['0000648\0', '12x45678', '\x81\0\0\0\0\0\0\x01', '-0000001', '64 4\0\0\0\0'])(
    '%j is not a number',
    (field) => {
      expect(number(field)).toBeNaN()
    },
  )
})

describe('checkBlock', () => {
  test('accepts a correct checksum, wherever the block is in the buffer', () => {
    const block = Buffer.concat([bytes('junk'), header({ name: 'a' })])
    expect(checkBlock(block, 4)).toBe('valid')
  })

  test('recognises the end marker', () => {
    expect(checkBlock(new Uint8Array(512), 0)).toBe('zeros')
  })

  test('refuses a change of any byte', () => {
    const block = header({ name: 'some/name', size: 12 })
    for (let i = 0; i < 512; i++) {
      const changed = Uint8Array.from(block)
      changed[i] = (changed[i] ?? 0) ^ 1
      // The checksum's own padding does not matter.
      if (i < 154 || i > 155) expect(checkBlock(changed, 0), `byte ${i}`).toBe('invalid')
    }
  })

  test('accepts the sum of signed bytes, as some old tars wrote it', () => {
    const block = Buffer.from(header({ name: 'caf\xe9' }))
    const sum = Number.parseInt(block.toString('latin1', 148, 154), 8) - 256
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    expect(checkBlock(block, 0)).toBe('valid')
  })
})

describe('readName', () => {
  test('joins prefix and name', () => {
    expect(name(header({ name: 'name', prefix: 'some/prefix' }))).toBe('some/prefix/name')
  })

  test('reads a name that fills its field', () => {
    expect(name(header({ name: 'n'.repeat(100) }))).toBe('n'.repeat(100))
  })

  test('does not treat an access time as a prefix', () => {
    expect(name(header({ name: 'name', magic: MAGIC.gnu, prefix: '14501234567' }))).toBe('name')
  })

  test("reads a prefix under GNU's magic", () => {
    expect(name(header({ name: 'name', magic: MAGIC.gnu, prefix: 'some/prefix' }))).toBe('some/prefix/name')
  })

  test('finds no prefix in the map of a sparse file', () => {
    expect(name(header({ name: 'name', prefix: 'x' }), 0x53)).toBe('name')
  })
})
