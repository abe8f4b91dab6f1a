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

test('every rule is read with its kind of limit, in the order of the table', () => {
  expect(
    read(
      'image=nginx&maxCompressedGrowth=5%25&deny=**/.git/**&maxSize=1.5GiB&minEfficiency=0.9&maxLayers=10' +
        '&deny=**/id_rsa&maxWastedPercent=12.5&baseline=nginx:1&ignore=var/**&minWasteBytes=1MB&baseImage=debian',
    ),
  ).toMatchObject({
    rules: [
      { name: 'maxSize', limit: 3 * 2 ** 29 },
      { name: 'maxWastedPercent', limit: { digits: 125n, scale: 1 } },
      { name: 'maxLayers', limit: 10 },
      { name: 'minEfficiency', limit: 0.9 },
      { name: 'deny', limit: '**/.git/**' },
      { name: 'deny', limit: '**/id_rsa' },
      { name: 'maxCompressedGrowth', limit: { percent: { digits: 5n, scale: 0 } } },
    ],
    baseline: 'nginx:1',
    baseImage: 'debian',
    ignore: ['var/**'],
    minWasteBytes: 1_000_000,
  })
})

describe('nothing passes by mistake', () => {
  test.each([
    { why: 'no rule', query: 'image=nginx', parameter: undefined },
    {
      why: 'conditions without a rule',
      query: 'baseline=a&baseImage=b&ignore=c&minWasteBytes=1',
      parameter: undefined,
    },
    { why: 'a misspelt rule', query: 'maxsize=1', parameter: 'maxsize' },
    { why: 'a misspelt rule beside a good one', query: 'maxSize=1&maxlayers=1', parameter: 'maxlayers' },
    { why: 'a parameter that nobody knows', query: 'maxSize=1&plattform=x', parameter: 'plattform' },
    { why: 'a key that every object knows', query: 'maxSize=1&toString=1', parameter: 'toString' },
    { why: 'a rule given twice', query: 'maxSize=1&maxSize=2', parameter: 'maxSize' },
    { why: 'a rule given twice with one limit', query: 'maxSize=1&maxSize=1', parameter: 'maxSize' },
    { why: 'two baselines', query: 'maxGrowth=1&baseline=a&baseline=b', parameter: 'baseline' },
    { why: 'an empty limit', query: 'maxSize=', parameter: 'maxSize' },
    { why: 'a negative limit', query: 'maxSize=-1', parameter: 'maxSize' },
    { why: 'a limit that is no number', query: 'maxLayers=ten', parameter: 'maxLayers' },
    { why: 'an efficiency above 1', query: 'minEfficiency=90', parameter: 'minEfficiency' },
    { why: 'a percentage in bytes', query: 'maxWastedPercent=10MB', parameter: 'maxWastedPercent' },
    { why: 'growth without a baseline', query: 'maxGrowth=1%25', parameter: 'baseline' },
    { why: 'a floor that is no size', query: 'maxSize=1&minWasteBytes=some', parameter: 'minWasteBytes' },
    { why: 'an empty glob', query: 'deny=', parameter: 'deny' },
    { why: 'a malformed glob', query: 'deny=**/[a', parameter: 'deny' },
    { why: 'a glob that matches nothing', query: 'deny=/etc/**', parameter: 'deny' },
    { why: 'a malformed glob to ignore', query: 'maxWasted=1&ignore={', parameter: 'ignore' },
    { why: 'too many globs', query: `${'deny=x&'.repeat(101)}`, parameter: 'deny' },
  ])('$why is refused', ({ query, parameter }) => {
    expect(refusal(query)).toEqual(
      expect.objectContaining({
        code: 'invalid_parameter',
        fields: parameter === undefined ? {} : { parameter },
      }),
    )
  })

  test('a misspelt rule is answered with a suggestion', () => {
    expect(refusal('max_size=1')).toHaveProperty('message', expect.stringContaining('did you mean maxSize?'))
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
