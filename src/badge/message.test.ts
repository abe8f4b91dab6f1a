import { expect, test } from 'vitest'
import { Problem } from '../problem.ts'
import { checkBadge, figureBadge, problemBadge, stateOf, unknownMetricBadge } from './message.ts'

test('a figure has the color and the label that were chosen', () => {
  const figure = { message: '85.4 MB', color: 'blue' }
  expect(figureBadge('size', figure, {})).toMatchObject({
    label: 'image size',
    color: 'blue',
    isError: false,
  })
  expect(figureBadge('size', figure, { color: 'pink', label: 'x' })).toMatchObject({
    label: 'x',
    color: 'pink',
  })
})

test('a failing check is red even if another color was chosen', () => {
  expect(checkBadge('passing', { color: 'blue' })).toMatchObject({ message: 'passing', color: 'blue' })
  expect(checkBadge('failing', { color: 'blue' })).toMatchObject({
    message: 'failing',
    color: 'red',
    isError: true,
  })
})

test.each([
  [new Problem('analysis_pending', ''), 'analysing…'],
  [new Problem('image_not_found', ''), 'unknown image'],
  [new Problem('unauthorized', ''), 'private or unknown'],
  [new Problem('invalid_reference', ''), 'invalid'],
  [new Problem('invalid_parameter', ''), 'invalid'],
  [new Problem('forbidden_registry', ''), 'unavailable'],
  [new Problem('invalid_image', ''), 'unavailable'],
  [new Problem('not_an_image', ''), 'not an image'],
  [new Error('anything'), 'unavailable'],
] as const)('%s: %s', (error, state) => {
  expect(stateOf(error)).toBe(state)
  expect(problemBadge('size', error, { color: 'green' })).toMatchObject({
    message: state,
    color: state === 'invalid' ? 'red' : 'lightgrey',
    isError: state !== 'analysing…',
  })
})

test('an invalid badge says why, a private one says nothing', () => {
  const why = new Problem('invalid_parameter', 'warn: "x" is not a size')
  expect(problemBadge('size', why, {})).toMatchObject({ reason: 'warn: "x" is not a size' })
  expect(problemBadge('size', new Problem('unauthorized', 'of a/b'), {})).not.toHaveProperty('reason')
  expect(unknownMetricBadge('x'.repeat(9_999), {}).reason).toHaveLength(200)
})
