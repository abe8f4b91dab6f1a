import { expect, test } from 'vitest'
import { emptyFacts } from '../../test/support/facts.ts'
import { HOSTILE_NAMES, verdict } from '../../test/support/verdicts.ts'
import type { LayerReport } from '../image/report.ts'
import { reportMarkdown } from './report-markdown.ts'
import { reportText } from './report-text.ts'
import type { ReportView } from './report-view.ts'
import { lengthOf } from './table.ts'

const layer = (index: number, createdBy: string): LayerReport => ({
  index,
  digest: `sha256:${'0'.repeat(64)}`,
  diffId: `sha256:${'1'.repeat(64)}`,
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  compression: 'gzip',
  verified: 'content',
  compressedBytes: 40_000_000,
  uncompressedBytes: 100_000_000,
  fileBytes: 90_000_000,
  entries: 10,
  wastedBytes: index === 0 ? 0 : 80_000_000,
  createdBy,
})

function viewOf(names: readonly string[]): ReportView {
  const [path = ''] = names
  return {
    report: {
      ...emptyFacts,
      image: { ...verdict.image, reference: `app:${path}` },
      layers: names.map((name, i) => layer(i, `RUN ${name}`)),
      largestFiles: names.map((name) => ({ path: name, bytes: 1_000, layer: 0 })),
      warnings: [{ code: 'dotdot', count: 2, layer: 0, path }],
    },
    advice: {
      savings: { bytes: 80_000_000, percent: 44.4 },
      items: names.map((name, i) => ({
        rule: 'removed',
        severity: i === 7 ? 'info' : 'warning',
        title: 'Files that a later layer removes',
        bytes: 80_000_000,
        files: 3,
        layer: 0,
        byLayer: 1,
        paths: [],
        fix: `Do it in one step instead of \`${name}\`.`,
      })),
    },
  }
}

test('a report begins with the verdict and what to change, then figures, layers with their steps, the largest files', () => {
  const text = reportText(viewOf(['make', 'rm -rf /x']))
  expect(text).toContain('\n    1     40.0 MB        100 MB  80.0 MB  RUN rm -rf /x\n')
  expect(text.split('\n').slice(1, 5)).toEqual([
    '0 B on disk, 0 B to pull. 80.0 MB can be saved, 44.4% of the bytes in files.',
    '  80.0 MB  Files that a later layer removes (layer 0, hidden by layer 1)',
    '           Do it in one step instead of `make`.',
    '  80.0 MB  Files that a later layer removes (layer 0, hidden by layer 1)',
  ])
  expect(text).toMatch(/Warnings\n {2}dotdot 2, first in layer 0: make\n$/)
  expect(reportText(viewOf(['make']), { colour: true })).toContain('\x1b[1mLayer')
})

test('the first three pieces of advice are shown, what may stay comes last, and the rest are counted', () => {
  const few = reportText(viewOf(['a', 'b', 'c']))
  expect(few.match(/Do it in one step instead of `(.)`/g)).toHaveLength(3)
  expect(few).not.toContain('more piece')
  const view = viewOf(['a', 'b', 'c', 'd'])
  const [first, ...others] = view.advice.items
  const items = [{ ...first!, severity: 'info' as const }, ...others]
  const text = reportText({ ...view, advice: { ...view.advice, items } })
  expect(text.match(/(?<=instead of `)(.)/g)).toEqual(['b', 'c', 'd'])
  expect(text).toContain('\n  … and 1 more suggestion\n')
})

test('what looks like a secret comes before the three largest savings', () => {
  const view = viewOf(['a', 'b', 'c', 'd', 'e'])
  const items = view.advice.items.map((item, i) => (i === 4 ? { ...item, severity: 'error' as const } : item))
  const text = reportText({ ...view, advice: { ...view.advice, items } })
  expect(text.match(/(?<=instead of `)(.)/g)).toEqual(['e', 'a', 'b', 'c'])
  expect(text.replace(/\s+/g, ' ')).toContain('It carries files that look like secrets.')
})

test('Markdown begins with the verdict and what to change', () => {
  const text = reportMarkdown(viewOf(['a', 'b', 'c', 'd']))
  expect(text.split('\n').slice(2, 8)).toEqual([
    '**0 B on disk, 0 B to pull. 80.0 MB can be saved, 44.4% of the bytes in files.**',
    '',
    ...['a', 'b', 'c'].map(
      (name) =>
        `* 80.0 MB: Files that a later layer removes (layer 0, hidden by layer 1). Do it in one step instead of \`${name}\`.`,
    ),
    '* … and 1 more suggestion',
  ])
})

test.each([80, 120])(
  'no hostile name breaks a line, issues a CI command, or is wider than %d columns',
  (width) => {
    const names = [...HOSTILE_NAMES, '漢字'.repeat(100), 'x'.repeat(300)]
    for (const name of names) {
      const lines = reportText(viewOf([name, name]), { colour: false, width }).split('\n')
      expect(lines.filter((line) => lengthOf(line) > width || /^\s*(::|##\w*\[)/.test(line))).toEqual([])
      const markdown = reportMarkdown(viewOf([name, name]))
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for characters that must not be there
      expect(markdown).not.toMatch(/^\s*(::|##\[)|[\0-\x09\x0b-\x1f\x7f-\x9f]/m)
      const tables = markdown.match(/(^\|.*\n)+/gm) ?? []
      for (const table of tables)
        expect(
          new Set(
            table
              .trim()
              .split('\n')
              .map((row) => row.split('|').length),
          ).size,
        ).toBe(1)
    }
  },
)

test('a local build has no size to pull, and an image of a registry has one even if it is stored uncompressed', () => {
  const view = viewOf(['make'])
  const size = {
    ...view.report.size,
    compressedBytes: 240_000_000,
    apparentBytes: 137_000_000,
    stored: 'mixed' as const,
  }
  const layers: LayerReport[] = [layer(0, 'RUN a'), { ...layer(1, 'RUN b'), compression: 'none' }]
  const report = { ...view.report, size, layers }
  const local = { ...report, image: { ...report.image, transport: 'docker-daemon' } }
  for (const told of [reportText({ ...view, report: local }), reportMarkdown({ ...view, report: local })]) {
    expect(told).toContain('137 MB on disk; what a pull takes is unknown until it is pushed.')
    expect(told).not.toMatch(/240 MB|to pull\./)
    expect(told).toMatch(/\b1 [ |]+– [ |]+100 MB/)
  }
  expect(reportText({ ...view, report })).toContain('137 MB on disk, 240 MB to pull.')
})

test('the digest is whole and on a line of its own', () => {
  const view = viewOf(['make'])
  const image = { ...view.report.image, created: '2026-01-02T03:04:05Z' }
  const lines = reportText({ ...view, report: { ...view.report, image } }).split('\n')
  expect(lines).toContain(image.digest)
  expect(lines).toContain('Built 2026-01-02 03:04')
})
