import { expect, it } from 'vitest'
import { parsePlainList, parseQuotedList, parseRune, parseSet } from './go-format.ts'

it.each([
  ['["a" "b c"]', ['a', 'b c']],
  ['["a", "b"]', ['a', 'b']],
  ['[]', []],
  ['&{["a"]}', ['a']],
  [
    String.raw`["\"q\"" "\\" "\n" "\x00" "\u00e9" "\U0001f433" "[" "]"]`,
    ['"q"', '\\', '\n', '\0', 'é', '🐳', '[', ']'],
  ],
  ['[a b]', undefined],
  ['echo ["a"]', undefined],
])('a quoted list: %s', (text, list) => {
  expect(parseQuotedList(text)).toEqual(list)
})

it('plain lists, sets and characters', () => {
  expect(parsePlainList('[/data /cache]')).toEqual(['/data', '/cache'])
  expect(parsePlainList('80 443/tcp')).toEqual(['80', '443/tcp'])
  expect(parseSet('map[443/tcp:{} 80/tcp:{}]')).toEqual(['443/tcp', '80/tcp'])
  expect(parseSet('map[]')).toEqual([])
  expect(parseSet('80')).toBeUndefined()
  expect(parseRune(String.raw`'\x03'`)).toBe(3)
  expect(parseRune(String.raw`'\n'`)).toBe(10)
  expect(parseRune('7')).toBe(7)
  expect(parseRune('x')).toBeUndefined()
})

it('reads a megabyte of any quotes in a single pass', () => {
  expect(parseQuotedList(`["${String.raw`\"`.repeat(500_000)}]`)).toBeUndefined()
  expect(parseQuotedList(`["${String.raw`\"`.repeat(500_000)}"]`)).toEqual(['"'.repeat(500_000)])
})
