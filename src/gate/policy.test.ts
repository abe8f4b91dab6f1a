import { describe, expect, test } from 'vitest'
import { needsOf, policyFromQuery } from './policy.ts'

function read(query: string) {
  return policyFromQuery(new URLSearchParams(query), ['image', 'platform'])
}

function refusal(query: string) {
  try {
    return { policy: read(query) }
  } catch (error) {
    return error
  }
}

test('every rule is read in its own kind of limit, in the order of the table', () => {
  expect(
    read(
      'image=nginx&maxCompressedGrowth=5%25&deny=**/.git/**&maxSize=1.5GiB&minEfficiency=0.9&maxLayers=10' +
        '&deny=**/id_rsa&maxWastedPercent=12.5&baseline=nginx:1&ignore=var/**&minWasteBytes=1MB&baseImage=debian',
    ),
  ).toEqual({
    rules: [
      { name: 'maxSize', bytes: 3 * 2 ** 29 },
      { name: 'maxWastedPercent', percent: { digits: 125n, scale: 1 } },
      { name: 'maxLayers', count: 10 },
      { name: 'minEfficiency', ratio: 0.9 },
      { name: 'deny', glob: '**/.git/**' },
      { name: 'deny', glob: '**/id_rsa' },
      { name: 'maxCompressedGrowth', growth: { percent: { digits: 5n, scale: 0 } } },
    ],
    baseline: 'nginx:1',
    baseImage: 'debian',
    ignore: ['var/**'],
    minWasteBytes: 1_000_000,
  })
})

describe('nothing passes by mistake', () => {
  test.each([
    ['image=nginx', undefined, 'no rule'],
    ['baseline=a&baseImage=b&ignore=c&minWasteBytes=1', undefined, 'conditions without a rule'],
    ['maxsize=1', 'maxsize', 'a misspelt rule'],
    ['maxSize=1&maxlayers=1', 'maxlayers', 'a misspelt rule beside a good one'],
    ['maxSize=1&plattform=x', 'plattform', 'a parameter that nobody knows'],
    ['maxSize=1&toString=1', 'toString', 'a word that every object knows'],
    ['maxSize=1&maxSize=2', 'maxSize', 'a rule given twice'],
    ['maxSize=1&maxSize=1', 'maxSize', 'a rule given twice with one limit'],
    ['maxGrowth=1&baseline=a&baseline=b', 'baseline', 'two baselines'],
    ['maxSize=', 'maxSize', 'an empty limit'],
    ['maxSize=-1', 'maxSize', 'a negative limit'],
    ['maxLayers=ten', 'maxLayers', 'a limit that is no number'],
    ['minEfficiency=90', 'minEfficiency', 'an efficiency above 1'],
    ['maxWastedPercent=10MB', 'maxWastedPercent', 'a percentage in bytes'],
    ['maxGrowth=1%25', 'baseline', 'growth without a baseline'],
    ['maxSize=1&minWasteBytes=some', 'minWasteBytes', 'a floor that is no size'],
    ['deny=', 'deny', 'an empty glob'],
    ['deny=**/[a', 'deny', 'a malformed glob'],
    ['deny=/etc/**', 'deny', 'a glob that matches nothing'],
    ['maxWasted=1&ignore={', 'ignore', 'a malformed glob to ignore'],
    [`${'deny=x&'.repeat(101)}`, 'deny', 'too many globs'],
  ])('%s is refused', (query, parameter) => {
    expect(refusal(query)).toEqual(
      expect.objectContaining({
        code: 'invalid_parameter',
        fields: parameter === undefined ? {} : { parameter },
      }),
    )
  })

  test('a misspelt rule is told the word that is meant', () => {
    expect(refusal('max_size=1')).toHaveProperty('message', expect.stringContaining('maxSize is meant'))
  })
})

test.each([
  ['maxCompressed=1&maxLayers=1', { image: 'manifest' }],
  ['maxCompressed=1&maxSize=1', { image: 'analysis' }],
  ['deny=x', { image: 'analysis' }],
  ['maxCompressedGrowth=1&baseline=a', { image: 'manifest', baseline: 'manifest' }],
  ['maxGrowth=1&baseline=a', { image: 'analysis', baseline: 'analysis' }],
  ['maxSize=1&baseline=a', { image: 'analysis', baseline: 'manifest' }],
])('%s needs %o', (query, needs) => {
  expect(needsOf(read(query))).toEqual(needs)
})
