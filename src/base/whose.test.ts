import { expect, test } from 'vitest'
import { whoseOf } from './whose.ts'

test.each([
  [{ layer: 0 }, 'base'],
  [{ layer: 1 }, 'base'],
  [{ layer: 2 }, 'own'],
  [{ layer: 0, layers: [0, 1] }, 'base'],
  [{ layer: 0, layers: [0, 2] }, 'both'],
  [{ layer: 2, layers: [2, 3] }, 'own'],
  // Whoever hides a file wasted it.
  [{ layer: 0, byLayer: 1 }, 'base'],
  [{ layer: 0, byLayer: 2 }, 'own'],
  [{}, undefined],
])('of a base with two layers, %j is %s', (stored, whose) => {
  expect(whoseOf(stored, 2)).toBe(whose)
})

test('without a base everything is its own', () => {
  expect(whoseOf({ layer: 0 }, 0)).toBe('own')
})
