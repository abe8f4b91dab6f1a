import { expect, test } from 'vitest'
import { parseJson } from './json.ts'

test.each([
  ['{"a":1}', { a: 1 }],
  ['null', null],
  ['{', undefined],
  ['', undefined],
])('%j', (json, value) => {
  expect(parseJson(json)).toEqual(value)
  expect(parseJson(new TextEncoder().encode(json))).toEqual(value)
})

test('bytes that are not UTF-8 are not JSON', () => {
  expect(parseJson(Uint8Array.of(0x22, 0xff, 0x22))).toBeUndefined()
})
