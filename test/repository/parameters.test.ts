/** The check of parameter lists finds long ones, however the function is written. */
import { expect, test } from 'vitest'
import { findLongParameterLists } from './parameters.ts'

const faultsOf = (text: string) => findLongParameterLists('a.ts', text)

test.each([
  'function f(a, b, c, d, e) {}',
  'const f = (a, b, c, d, e) => a',
  'class A { #f(a, b, c, d, e) {} }',
  'class A { constructor(a, b, c, d, e) {} }',
  'const o = { f(a, b, c, d, e) {} }',
])('more than four positional parameters are an error: %s', (text) => {
  expect(faultsOf(`// first\n${text}`)).toEqual([expect.stringMatching(/^a\.ts:2 takes 5 parameters/)])
})

test.each([
  'function f(a, b, c, d) {}',
  'function f({ a, b, c, d, e }, f, g) {}',
  'text.replace(/a/, (all, a, b, c, d) => all)',
  'type Zlib = { write(a: 1, b: 1, c: 1, d: 1, e: 1): void }',
])('four are allowed, and so is what a library dictates: %s', (text) => {
  expect(faultsOf(text)).toEqual([])
})
