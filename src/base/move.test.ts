import { expect, test } from 'vitest'
import { baseMove, baseShare } from './move.ts'

const shared = (...pairs: readonly (readonly [number, number])[]) => ({
  shared: pairs.map(([from, to]) => ({
    diffId: `sha256:${from}`,
    from: { index: from, digest: 'a' },
    to: { index: to, digest: 'b' },
  })),
  removed: [],
  added: [],
})
const from = { reference: 'python:3.13', layers: 2, baseBytes: 100, ownBytes: 40 }
const to = { reference: 'python:3.13', layers: 2, baseBytes: 130, ownBytes: 35 }

test('a base of the same layers did not move, however they are compressed', () => {
  expect(baseMove(shared([0, 0], [1, 1]), from, to)).toBeUndefined()
})

test.each([
  ['another layer', shared([0, 0]), to],
  ['a layer at another place', shared([0, 1], [1, 0]), to],
  ['a layer more', shared([0, 0], [1, 1], [2, 2]), { ...to, layers: 3 }],
  ['a layer less', shared([0, 0], [1, 1]), { ...to, layers: 1 }],
])('%s moves it, and both parts sum to the change', (_, layers, after) => {
  expect(baseMove(layers, from, after)).toEqual({
    from: 'python:3.13',
    to: 'python:3.13',
    baseDelta: 30,
    ownDelta: -5,
  })
})

test('a guess has no share', () => {
  const own = { layers: 1, compressedBytes: 40 }
  const base = { evidence: ['history'], layers: 2, compressedBytes: 100 } as const
  expect(baseShare({ base, own })).toBeUndefined()
  expect(baseShare({ own })).toBeUndefined()
  expect(baseShare({ base: { ...base, reference: 'python:3.13' }, own })).toEqual(from)
})
