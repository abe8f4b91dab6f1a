import { describe, expect, test } from 'vitest'
import { policyFromDiveCi } from './dive-ci.ts'

function rules(text: string) {
  try {
    return policyFromDiveCi(text).rules.map(({ name, limit }) => ({ name, limit }))
  } catch (error) {
    return error
  }
}

test("rules missing from a file have dive's defaults", () => {
  const defaults = [
    { name: 'lowestEfficiency', limit: 0.9 },
    { name: 'highestUserWastedPercent', limit: 0.1 },
  ]
  expect(rules('rules: {}\n')).toEqual(defaults)
  expect(rules('rules:\n')).toEqual(defaults)
  expect(rules('')).toEqual(defaults)
})

test("the example from dive's documentation", () => {
  expect(
    rules(`rules:
  # If the efficiency is measured below X%, mark as failed.
  lowestEfficiency: 0.95
  highestWastedBytes: 20MB
  highestUserWastedPercent: 0.20
`),
  ).toEqual([
    { name: 'lowestEfficiency', limit: 0.95 },
    { name: 'highestWastedBytes', limit: 20_000_000 },
    { name: 'highestUserWastedPercent', limit: 0.2 },
  ])
})

test.each(['disabled', 'Disabled', '"disabled"', 'off', 'false'])('%s turns a rule off', (word) => {
  expect(rules(`rules: {lowestEfficiency: ${word}}`)).toEqual([
    { name: 'highestUserWastedPercent', limit: 0.1 },
  ])
})

test.each([
  ['0', 0],
  ['1', 1],
  ['1kB', 1000],
  ['20 mb', 20_000_000],
  ['20M', 20_000_000],
  ['1.5GiB', 3 * 2 ** 29],
  ['1gi', 2 ** 30],
  ['"1,000"', 1000],
  ['4.35kb', 4350],
  ['.5kB', 500],
])('highestWastedBytes: %s is %d bytes', (text, bytes) => {
  const file = `rules: {lowestEfficiency: off, highestUserWastedPercent: off, highestWastedBytes: ${text}}`
  expect(rules(file)).toEqual([{ name: 'highestWastedBytes', limit: bytes }])
})

describe('refused', () => {
  test.each([
    'rules: {highestUserWastedPercent: 10}',
    'rules: {lowestEfficiency: 1.01}',
    'rules: {lowestEfficiency: -0.1}',
    'rules: {lowestEfficiency: high}',
    'rules: {lowestEfficiency: .nan}',
    'rules: {lowestEfficiency: }',
    'rules: {lowestEfficiency: ""}',
    'rules: {highestWastedBytes: 1XB}',
    'rules: {highestWastedBytes: -1}',
    'rules: {highestWastedBytes: 1.2.3MB}',
    'rules: {highestWastedBytes: 16EiB}',
    'rules: {lowestEficiency: 0.9}',
    'rules: {maxSize: 1}',
    'rules: [lowestEfficiency]',
    'rules: {lowestEfficiency: 0.9, lowestEfficiency: 0.1}',
    'lowestEfficiency: 0.9',
    'rules: {lowestEfficiency: off, highestUserWastedPercent: off}',
    'rules: [',
    'nothing',
  ])('%s', (text) => {
    expect(rules(text)).toEqual(expect.objectContaining({ code: 'invalid_parameter' }))
  })
})
