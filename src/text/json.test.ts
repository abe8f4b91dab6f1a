import { expect, test } from 'vitest'
import { hasMoreParts, parseJson, toJson } from './json.ts'

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

test('counts tokens outside of strings, and escapes within them', () => {
  const json = (text: string) => new TextEncoder().encode(text)
  expect(hasMoreParts(json('{"a,,,\\\\\\",,,": [1, 2]}'), 4)).toBe(false)
  expect(hasMoreParts(json('{"a,,,\\\\\\",,,": [1, 2]}'), 3)).toBe(true)
  expect(hasMoreParts(json(`{"a":"${'\\\\,'.repeat(1000)}"}`), 2)).toBe(false)
})

test('JSON that is printed has no character that a terminal acts on, and means the same', () => {
  const value = { 'a\u009b31m': ['\u202egpj.exe', '\u{e0041}', '\u2028', '\x7f', '\x1b[31m', 'ü☃𝄞'] }
  const json = toJson(value)
  expect(JSON.parse(json)).toEqual(value)
  expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  expect(json).toContain('ü☃𝄞')
})
