import { expect, test } from 'vitest'
import type { Advice, AdviceItem } from '../advice/advise.ts'
import { filesText, viewAdvice } from './advice-view.ts'

const item = (
  rule: string,
  severity: AdviceItem['severity'],
  bytes: number,
  more: Partial<AdviceItem> = {},
) => ({
  rule,
  severity,
  title: rule,
  bytes,
  files: 1,
  layer: 0,
  paths: [],
  fix: '',
  ...more,
})

const adviceOf = (items: readonly AdviceItem[], bytes = 0): Advice => ({
  savings: { bytes, percent: 1 },
  items,
})

test('secrets come first, then savings, then what may stay; what is tiny is left out, unless it is a secret', () => {
  const items = [
    item('docs', 'info', 900_000),
    item('temporary', 'warning', 500_000),
    item('package-cache', 'warning', 99_999),
    item('secret', 'error', 39),
  ]
  const rules = (fileBytes: number) => viewAdvice(adviceOf(items), fileBytes).items.map(({ rule }) => rule)
  expect(rules(1_000_000_000)).toEqual(['secret', 'temporary', 'docs'])
  // A tenth of a percent of the bytes is worth a line, however few they are.
  expect(rules(99_000_000)).toEqual(['secret', 'temporary', 'package-cache', 'docs'])
})

test('nothing worth telling is nothing to change', () => {
  const { items, savings } = viewAdvice(adviceOf([item('removed', 'warning', 14)], 14), 2_000_000)
  expect(items).toEqual([])
  expect(savings).toBe('There is nothing to change.')
})

test('a removed file that is told as a secret is not told twice', () => {
  const paths = [{ path: 'srv/.env', bytes: 39, layer: 1 }]
  const secret = item('secret', 'error', 78, {
    files: 2,
    paths: [...paths, { path: 'srv/.env', bytes: 39, layer: 2 }],
  })
  const removed = item('removed', 'warning', 39, { layer: 1, byLayer: 2, paths })
  const rules = (one: AdviceItem) => viewAdvice(adviceOf([secret, one]), 100).items.map(({ rule }) => rule)
  expect(rules(removed)).toEqual(['secret'])
  expect(rules({ ...removed, files: 2 })).toEqual(['secret', 'removed'])
  expect(rules({ ...removed, paths: [{ path: 'srv/.env', bytes: 39, layer: 0 }] })).toEqual([
    'secret',
    'removed',
  ])
})

test('the place of the files: all layers that store them, or only what is known', () => {
  expect(filesText(item('docs', 'info', 1, { files: 533, layers: [0, 2, 5] }))).toBe(
    '533 files, layers 0, 2 and 5',
  )
  expect(filesText(item('docs', 'info', 1, { files: 9, layers: [0, 1, 2, 3, 4] }))).toBe('9 files, 5 layers')
  expect(filesText(item('duplicates', 'info', 1, { files: 2 }))).toBe('2 files, the largest in layer 0')
  expect(filesText(item('removed', 'warning', 1, { layer: 1, byLayer: 5, line: 12 }))).toBe(
    '1 file, layer 1, hidden by layer 5, line 12',
  )
})
