import { expect, test } from 'vitest'
import { z } from 'zod'
import { HOSTILE_NAMES, hostile, passing, rebuilt, styleOf, verdict } from '../../test/support/verdicts.ts'
import { checkGitlab } from './check-gitlab.ts'
import { visible } from './escape.ts'

/** What GitLab's documentation requires of a code quality report. */
const report = z.array(
  z.strictObject({
    description: z.string().min(1),
    check_name: z.string().min(1),
    fingerprint: z.string().min(1),
    severity: z.enum(['info', 'minor', 'major', 'critical', 'blocker']),
    location: z.strictObject({
      path: z.string().regex(/^(?!\.\/)/),
      lines: z.strictObject({ begin: z.int().min(1) }),
    }),
  }),
)

function read(text: string) {
  const issues = report.parse(JSON.parse(text))
  expect(new Set(issues.map(({ fingerprint }) => fingerprint)).size).toBe(issues.length)
  return issues
}

test('an issue for each failing rule', () => {
  expect(read(checkGitlab({ verdict }, styleOf())).map(({ description }) => description)).toEqual([
    'The uncompressed size is 240 MB, over the limit of 1.00 kB. Worst: layer 1 (180 MB); layer 0 (60.0 MB).',
    '1 path matches **/.git/**. Worst: app/.git/config (300 B, layer 1).',
  ])
})

test('none if every rule holds', () => {
  expect(read(checkGitlab({ verdict: passing }, styleOf()))).toEqual([])
})

test('fingerprints survive a rebuild', () => {
  const prints = (text: string) => read(text).map(({ fingerprint }) => fingerprint)
  expect(prints(checkGitlab({ verdict: rebuilt }, styleOf()))).toEqual(
    prints(checkGitlab({ verdict }, styleOf())),
  )
})

test('hostile names become one line of visible text', () => {
  const issues = read(checkGitlab({ verdict: hostile }, styleOf()))
  expect(issues).toHaveLength(HOSTILE_NAMES.length)
  for (const { description } of issues) expect(visible(description)).toBe(description)
})
