import { expect, test } from 'vitest'
import { entityTag, isUnchanged } from './conditional.ts'

test('a tag depends on its parts and their order', () => {
  expect(entityTag(['a', 'b'])).toBe(entityTag(['a', 'b']))
  expect(entityTag(['a', 'b'])).not.toBe(entityTag(['b', 'a']))
  expect(entityTag(['a', 'b'])).not.toBe(entityTag(['ab']))
  expect(entityTag(['a'])).toMatch(/^"[\w-]{27}"$/)
})

test.each([
  ['"x"', true],
  ['W/"x"', true],
  ['"a", W/"x" ,"b"', true],
  ['*', true],
  ['"y"', false],
  ['x', false],
  [undefined, false],
])('If-None-Match: %s', (header, unchanged) => {
  expect(isUnchanged(header, '"x"')).toBe(unchanged)
})
