import { expect, test } from 'vitest'
import { pieces } from '../../test/support/findings.ts'
import { goProgram } from '../../test/support/go-program.ts'
import { BuildInfoSearch } from './go-build-info-search.ts'

function found(program: Uint8Array, size = program.length) {
  const search = new BuildInfoSearch()
  for (const piece of pieces(program, size)) search.push(piece.slice())
  return search.finish()
}

const MODULES = [
  'path\texample.org/app/cmd',
  'mod\texample.org/app\t(devel)\t',
  'dep\texample.org/lib\tv1.2.0\th1:abc=',
  'dep\texample.org/old\tv1.0.0',
  '=>\texample.org/fork\tv1.0.1\th1:abc=',
  'dep\texample.org/local\tv0.1.0',
  '=>\t../local',
  'build\t-compiler=gc',
]
const INFO = {
  version: '1.26.1',
  modules: [
    { name: 'example.org/app', isMain: true },
    { name: 'example.org/lib', version: 'v1.2.0', isMain: false },
    { name: 'example.org/fork', version: 'v1.0.1', replaces: 'example.org/old', isMain: false },
    { name: 'example.org/local', isMain: false },
  ],
}

test.each([1, 7, 16, 33, 100_000])('modules are found in pieces of %i bytes', (size) => {
  expect(found(goProgram('go1.26.1 X:nocoverageredesign', MODULES, 1_000), size)).toEqual(INFO)
})

test('a text longer than what is looked at first is found', () => {
  const dependencies = Array.from({ length: 9_000 }, (_, i) => `dep\texample.org/m${i}\tv1.0.${i}`)
  const program = goProgram('go1.26.1', dependencies, 5)
  expect(program.length).toBeGreaterThan(200_000)
  for (const size of [1_000, 65_536, program.length])
    expect(found(program, size)?.modules).toHaveLength(dependencies.length)
})

test('a toolchain between releases has no version', () => {
  expect(found(goProgram('devel go1.27-abc', ['mod\tm\tv1.0.0']))).toEqual({
    modules: [{ name: 'm', version: 'v1.0.0', isMain: true }],
  })
})

const at = (program: Uint8Array) => Buffer.from(program).indexOf('\xff Go buildinf:', 0, 'latin1')

test('one that does not parse, or stands between multiples of 16, is skipped', () => {
  const program = goProgram('go1.26.1', MODULES)
  const info = program.subarray(at(program))
  const pointers = info.slice()
  pointers[15] = 0
  const other = info.slice()
  other[33] = 0x58
  for (const skipped of [info.subarray(0, 32), pointers, other]) {
    const padding = new Uint8Array(16 - (skipped.length % 16))
    expect(found(Buffer.concat([skipped, padding, info]), 50)).toEqual(INFO)
  }
  expect(found(Buffer.concat([new Uint8Array(8), info]))).toBe(undefined)
})

test('one that is cut off is none', () => {
  const program = goProgram('go1.26.1', MODULES)
  const start = at(program)
  for (const bytes of [10, 31, 33, 40, 100])
    expect(found(program.subarray(0, start + bytes), 20)).toBe(undefined)
})
