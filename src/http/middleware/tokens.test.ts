import { expect, test } from 'vitest'
import { tokenCheck } from './tokens.ts'

test('without tokens anybody may call', () => {
  expect(() => tokenCheck([])(undefined)).not.toThrow()
})

test.each(['Bearer abc', 'bearer def==', 'Bearer  abc'])('%j is let in', (header) => {
  expect(() => tokenCheck(['abc', 'def=='])(header)).not.toThrow()
})

test.each([undefined, '', 'abc', 'Basic abc', 'Bearer', 'Bearer ab', 'Bearer abcd', 'Bearer abc def'])(
  '%j is not let in',
  (header) => {
    expect(() => tokenCheck(['abc', 'def=='])(header)).toThrow(
      expect.objectContaining({ code: 'unauthorized', fields: { authenticate: 'Bearer realm="lamina"' } }),
    )
  },
)
