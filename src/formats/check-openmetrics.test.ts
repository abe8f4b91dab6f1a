import { expect, test } from 'vitest'
import { HOSTILE_NAMES, hostile, passing, rebuilt, verdict } from '../../test/support/verdicts.ts'
import { checkOpenmetrics } from './check-openmetrics.ts'
import { visible } from './escape.ts'

type Sample = { readonly name: string; readonly labels: Record<string, string>; readonly value: number }

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"'
const DESCRIPTOR = new RegExp(`^# (TYPE|UNIT|HELP) (${NAME}) (.*)$`)
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)?\\})? ([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)$`,
)

/**
 * Parses strictly what OpenMetrics 1.0 allows for a set of gauges: families that do not interleave, each described once
 * before its samples, names that end in their unit, no duplicate samples, `# EOF` last.
 */
function read(text: string): readonly Sample[] {
  const lines = text.split('\n')
  expect(lines.pop()).toBe('')
  expect(lines.pop()).toBe('# EOF')
  const samples: Sample[] = []
  const done = new Set<string>()
  let family = ''
  let described = new Set<string>()
  const enter = (name: string) => {
    if (name === family) return
    expect(done).not.toContain(name)
    done.add(name)
    family = name
    described = new Set()
  }
  for (const line of lines) {
    const descriptor = DESCRIPTOR.exec(line)
    if (descriptor !== null) {
      const [, kind = '', name = '', value = ''] = descriptor
      enter(name)
      expect(described).not.toContain(kind)
      expect(described).not.toContain('sample')
      described.add(kind)
      if (kind === 'TYPE') expect(value).toBe('gauge')
      if (kind === 'UNIT') expect(name.endsWith(`_${value}`)).toBe(true)
      continue
    }
    const [matched, name = '', labels = '', value] = SAMPLE.exec(line) ?? []
    expect(matched, line).toBe(line)
    expect(name).toBe(family)
    expect(described).toContain('TYPE')
    described.add('sample')
    const pairs = [...labels.matchAll(/([^=,]+)="((?:[^"\\]|\\.)*)"/g)]
    const read = pairs.map(([, label = '', text = '']) => [label, labelValue(text)] as const)
    expect(new Set(read.map(([label]) => label)).size).toBe(read.length)
    samples.push({ name, labels: Object.fromEntries(read), value: Number(value) })
  }
  const identities = samples.map(({ name, labels }) => JSON.stringify([name, labels]))
  expect(new Set(identities).size).toBe(identities.length)
  return samples
}

function labelValue(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}

test("has each rule's verdict, figure and limit in their unit", () => {
  const repository = 'docker.io/library/nginx'
  const glob = '**/.git/**'
  expect(read(checkOpenmetrics({ verdict }))).toEqual([
    { name: 'lamina_check_pass', labels: { repository }, value: 0 },
    { name: 'lamina_rule_pass', labels: { repository, rule: 'maxSize' }, value: 0 },
    { name: 'lamina_rule_pass', labels: { repository, rule: 'maxUserWastedPercent' }, value: 1 },
    { name: 'lamina_rule_pass', labels: { repository, rule: 'minEfficiency' }, value: 1 },
    { name: 'lamina_rule_pass', labels: { repository, rule: 'deny', glob }, value: 0 },
    { name: 'lamina_rule_actual_bytes', labels: { repository, rule: 'maxSize' }, value: 240_000_123 },
    { name: 'lamina_rule_limit_bytes', labels: { repository, rule: 'maxSize' }, value: 1000 },
    { name: 'lamina_rule_limit_percent', labels: { repository, rule: 'maxUserWastedPercent' }, value: 12.5 },
    { name: 'lamina_rule_actual_ratio', labels: { repository, rule: 'minEfficiency' }, value: 0.987_654_321 },
    { name: 'lamina_rule_limit_ratio', labels: { repository, rule: 'minEfficiency' }, value: 0.9 },
    { name: 'lamina_rule_actual', labels: { repository, rule: 'deny', glob }, value: 1 },
  ])
})

test('a rebuild gives another value of the same metric', () => {
  const names = (text: string) =>
    read(text)
      .filter(({ labels }) => labels.rule !== 'maxUserWastedPercent')
      .map(({ name, labels }) => ({ name, labels }))
  expect(names(checkOpenmetrics({ verdict: rebuilt }))).toEqual(names(checkOpenmetrics({ verdict })))
})

test('a passing check is 1', () => {
  expect(read(checkOpenmetrics({ verdict: passing }))[0]?.value).toBe(1)
})

test('hostile names stay label values', () => {
  const globs = read(checkOpenmetrics({ verdict: hostile })).flatMap(({ name, labels }) =>
    name === 'lamina_rule_pass' ? [labels.glob] : [],
  )
  expect(globs).toEqual(HOSTILE_NAMES.map(visible))
})
