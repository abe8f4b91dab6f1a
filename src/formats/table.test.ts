import { expect, test } from 'vitest'
import { wrapped } from './table.ts'

test('a line break does not separate a number from its unit', () => {
  expect(wrapped('usr/bin 6.82 MB, var 39 B.', 15)).toEqual(['usr/bin', '6.82 MB, var', '39 B.'])
  expect(wrapped('a plan Big enough', 6)).toEqual(['a plan', 'Big', 'enough'])
})
