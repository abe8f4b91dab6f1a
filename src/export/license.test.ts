import { expect, it } from 'vitest'
import { isExpression } from './license.ts'

it.each([
  ['MIT', true],
  ['MIT OR Apache-2.0', true],
  ['(GPL-2.0-or-later OR MIT) AND BSD-3-Clause', true],
  ['GPLv2+', false],
  ['MIT License', false],
  ['MIT OR', false],
  ['(MIT', false],
  ['SEE LICENSE IN x', false],
  ['', false],
])('%j: %j', (license, expected) => {
  expect(isExpression(license)).toBe(expected)
})
