import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Largest } from './largest.ts'

test('keeps the heaviest, and the first of equal ones, generated', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9)), fc.integer({ min: 1, max: 12 }), (weights, limit) => {
      const largest = new Largest<number>(limit)
      weights.forEach((weight, i) => {
        largest.add(weight, i, () => i)
      })
      const inOrder = weights
        .map((weight, i) => ({ weight, i }))
        .toSorted((a, b) => b.weight - a.weight || a.i - b.i)
      expect(largest.sorted().map(({ item }) => item)).toEqual(inOrder.slice(0, limit).map(({ i }) => i))
    }),
    { numRuns: process.env.LAMINA_LONG ? 100_000 : 2_000 },
  )
})

test('does not create rows that it does not keep', () => {
  const made: number[] = []
  const largest = new Largest<number>(2)
  for (const weight of [5, 4, 3, 6, 4]) {
    largest.add(weight, weight, () => {
      made.push(weight)
      return weight
    })
  }
  expect(made).toEqual([5, 4, 6])
})

test('keeps the lowest texts among equal weights, in any order of arrival', () => {
  const largest = new Largest<string, string>(2)
  for (const key of ['b', 'c', 'a']) largest.add(1, key, () => key)
  expect(largest.sorted().map(({ item }) => item)).toEqual(['a', 'b'])
})
