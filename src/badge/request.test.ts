import { describe, expect, test } from 'vitest'
import { emptyFacts } from '../../test/support/facts.ts'
import type { ImageFacts } from '../image/report.ts'
import type { BadgeMessage, Metric } from './metric.ts'
import { readBadgeRequest } from './request.ts'

function read(metric: Metric, query: string) {
  return readBadgeRequest(metric, new URLSearchParams(`image=nginx&${query}`))
}

function figure(
  metric: Metric,
  query: string,
  facts: ImageFacts,
  baselineBytes = 0,
): BadgeMessage | undefined {
  const { show } = read(metric, query)
  const { compressedBytes } = facts.size
  switch (show.from) {
    case 'pull':
      return show.figure(compressedBytes)
    case 'manifest':
      return show.figure({ compressedBytes, layers: facts.counts.layers })
    case 'manifests':
    case 'update':
      return show.figure(compressedBytes, baselineBytes)
    case 'analysis':
      return show.figure(facts)
    case 'advice':
      return show.figure(baselineBytes, facts)
    case 'check':
      return undefined
  }
}

const facts: ImageFacts = {
  ...emptyFacts,
  size: {
    ...emptyFacts.size,
    compressedBytes: 85_400_000,
    uncompressedBytes: 240_000_000,
    fileBytes: 200_000_000,
  },
  counts: { ...emptyFacts.counts, layers: 7, files: 12_345 },
  waste: { ...emptyFacts.waste, bytes: 10_000_000 },
  efficiency: { ...emptyFacts.efficiency, score: 0.9999 },
}

test.each<[Metric, string, BadgeMessage]>([
  ['size', '', { message: '85.4 MB', color: 'blue' }],
  ['size', 'warn=85.4MB&bad=1GB', { message: '85.4 MB', color: 'brightgreen' }],
  ['size', 'warn=85399999&bad=1GB', { message: '85.4 MB', color: 'yellow' }],
  ['size', 'warn=1&bad=80MiB', { message: '85.4 MB', color: 'red' }],
  ['size', 'bad=80MiB', { message: '85.4 MB', color: 'red' }],
  ['uncompressed', '', { message: '240 MB', color: 'blue' }],
  ['layers', 'warn=6', { message: '7', color: 'yellow' }],
  ['files', '', { message: '12.3k', color: 'blue' }],
  ['wasted', '', { message: '10.0 MB', color: 'brightgreen' }],
  ['wasted', 'warn=4.9%25', { message: '10.0 MB', color: 'yellow' }],
  ['wasted', 'bad=9MB', { message: '10.0 MB', color: 'red' }],
  ['efficiency', '', { message: '99.9%', color: 'brightgreen' }],
  ['efficiency', 'bad=1', { message: '99.9%', color: 'red' }],
])('%s?%s', (metric, query, expected) => {
  expect(figure(metric, query, facts)).toEqual(expected)
})

test('an image that wastes nothing is 100 % efficient', () => {
  const whole = { ...facts, efficiency: { ...facts.efficiency, score: 1 } }
  expect(figure('efficiency', '', whole)).toEqual({ message: '100%', color: 'brightgreen' })
})

test.each([
  ['', 84_400_000, { message: '+1.00 MB', color: 'orange' }],
  ['', 86_400_000, { message: '-1.00 MB', color: 'brightgreen' }],
  ['', 85_400_000, { message: '0 B', color: 'lightgrey' }],
  ['warn=1%25', 84_400_000, { message: '+1.00 MB', color: 'yellow' }],
  ['bad=0', 0, { message: '+85.4 MB', color: 'red' }],
  ['bad=500%25', 0, { message: '+85.4 MB', color: 'red' }],
])('delta?%s over %d bytes', (query, before, expected) => {
  expect(figure('delta', `baseline=nginx:1&${query}`, facts, before)).toEqual(expected)
})

test('a check has a policy besides its appearance', () => {
  expect(read('check', 'maxSize=1MB&style=flat&label=x&color=red&warn=1')).toMatchObject({
    image: 'nginx',
    appearance: { style: 'flat', label: 'x', color: 'red' },
    show: { from: 'check', policy: { rules: [{ name: 'maxSize', limit: 1_000_000 }] } },
  })
})

test('parameters that only GitHub uses are ignored', () => {
  expect(read('size', 'cacheBust=1').show.from).toBe('pull')
})

describe('a bad value', () => {
  test.each<[Metric, string]>([
    ['size', 'image=another'],
    ['size', 'style=round'],
    ['size', 'color=nocolor'],
    ['size', 'color=constructor'],
    ['size', 'color=red%22onload'],
    ['size', 'labelColor=url(%23x)'],
    ['size', 'color=red&color=blue'],
    ['size', `label=${'x'.repeat(257)}`],
    ['size', 'logo=https://evil.example/x.svg'],
    ['size', 'logo=data:text/html;base64,AA=='],
    ['size', 'logo=data:image/png;base64,%22/%3E'],
    ['size', `logo=data:image/png;base64,${'A'.repeat(10_240)}`],
    ['size', 'warn=some'],
    ['layers', 'bad=1MB'],
    ['efficiency', 'bad=90'],
    ['delta', ''],
    ['check', ''],
    ['check', 'maxSize=1&maxlayers=1'],
    ['check', 'maxSize=1&cacheBust=1'],
  ])('%s?%s is refused', (metric, query) => {
    expect(() => read(metric, query)).toThrow(expect.objectContaining({ code: 'invalid_parameter' }))
  })

  test('a request without an image is refused', () => {
    expect(() => readBadgeRequest('size', new URLSearchParams(''))).toThrow(
      expect.objectContaining({ fields: { parameter: 'image' } }),
    )
  })
})

test.each([
  ['color=ff69b4', 'ff69b4'],
  ['color=F0F', 'f0f'],
  ['color=%23ff69b4', '#ff69b4'],
  ['color=brightgreen', 'brightgreen'],
  ['color=critical', 'critical'],
  ['color=rebeccapurple', 'rebeccapurple'],
  ['color=rgb(1,2,3)', 'rgb(1,2,3)'],
])('%s is a color', (query, color) => {
  expect(read('size', query).appearance.color).toBe(color)
})

test('a plus in a logo may have become a space', () => {
  expect(read('size', 'logo=data:image/svg+xml;base64,A+B=').appearance.logo).toBe(
    'data:image/svg+xml;base64,A+B=',
  )
})

test.each([
  [0, 'nothing to save', 'brightgreen'],
  [95_400_000, 'saves 95.4 MB', 'red'],
  [1_000_000, 'saves 1.00 MB', 'brightgreen'],
])('advice that saves %d bytes: %s', (bytes, message, color) => {
  expect(figure('advice', '', facts, bytes)).toEqual({ message, color })
})
