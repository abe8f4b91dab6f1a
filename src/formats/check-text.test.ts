import { expect, test } from 'vitest'
import { HOSTILE_NAMES, hostile, passing, styleOf, verdict } from '../../test/support/verdicts.ts'
import { checkText } from './check-text.ts'
import { visible } from './escape.ts'

test('one line per rule, and the worst offenders below each failing one', () => {
  expect(checkText({ verdict }, styleOf())).toBe(`\
FAIL  2 of 4 rules broken for docker.io/library/nginx:1.27 (linux/amd64)
FAIL  maxSize               The uncompressed size is 240 MB, over the limit of
                            1.00 kB.
        layer 1 (180 MB)
        layer 0 (60.0 MB)
pass  maxUserWastedPercent  No layer but the first has bytes that could be
                            wasted.
pass  minEfficiency         The efficiency is 0.98765, not below the limit of
                            0.9.
FAIL  deny **/.git/**       1 path matches **/.git/**.
        app/.git/config (300 B, layer 1)
Report: https://lamina.example/?image=nginx
`)
})

test('a passing check', () => {
  expect(checkText({ verdict: passing }, styleOf()).split('\n')[0]).toBe(
    'PASS  All 2 rules hold for docker.io/library/nginx:1.27 (linux/amd64)',
  )
})

test('no hostile name starts a line, colours it or issues a CI command', () => {
  const text = checkText({ verdict: hostile }, { ...styleOf(), width: 10_000 })
  expect(text.split('\n')).toHaveLength(1 + HOSTILE_NAMES.length * 4 + 2)
  expect(text).not.toMatch(/^\s*::/m)
  expect(text).not.toMatch(/##\w*\[/)
  expect(text.split('\n').map(visible)).toEqual(text.split('\n'))
})

test('evidence names a layer by its step, has counts for rules that count, marks hidden paths, and repeats no path', () => {
  const evidence = [
    { path: 'srv/.env', bytes: 41, layer: 3, hidden: true as const },
    { path: 'srv/key', bytes: 40, layer: 3 },
  ]
  const [size, , , deny] = verdict.rules
  if (size === undefined || deny === undefined) throw new Error('the verdict has other rules')
  const createdBy = 'RUN /bin/sh -c make all # buildkit'
  const rules = [
    { ...size, rule: 'maxFiles' as const, evidence: [{ files: 1204, layer: 1, createdBy }] },
    { ...deny, evidence },
    { ...deny, evidence: evidence.slice(1) },
    { ...deny, evidence: [...evidence, { path: 'srv/other', bytes: 1, layer: 0 }] },
  ]
  const lines = checkText({ verdict: { ...verdict, rules } }, { ...styleOf(), width: 120 }).split('\n')
  expect(lines.filter((line) => line.startsWith('        '))).toEqual([
    '        layer 1 (1,204 files): RUN make all',
    '        srv/.env (41 B, layer 3, hidden)',
    '        srv/key (40 B, layer 3)',
    '        the same as above, for deny',
    '        srv/other (1 B, layer 0)',
    '        2 more as above, for deny',
  ])
})

test('has colours when requested', () => {
  const text = checkText({ verdict }, { ...styleOf(), colour: true })
  expect(text).toContain('\x1b[31mFAIL\x1b[0m')
  expect(text).toContain('\x1b[32mpass\x1b[0m')
})

test('a long path is cut in the middle, so that its size and its layer stay; of whole layers the largest five are told', () => {
  const [size] = verdict.rules
  if (size === undefined) throw new Error('the verdict has other rules')
  const path = `usr/lib/${'deep/'.repeat(30)}libexample.so.1`
  const layers = Array.from({ length: 7 }, (_, i) => ({ bytes: 7000 - i, layer: i }))
  const rules = [{ ...size, evidence: [{ path, bytes: 98_100_000, layer: 3 }, ...layers] }]
  const lines = checkText({ verdict: { ...verdict, rules } }, styleOf()).split('\n')
  const told = lines.filter((line) => /^ {8}(usr|layer)/.test(line))
  expect(told[0]).toMatch(/^ {8}usr\/lib\/\S+…\S+\/libexample\.so\.1 \(98\.1 MB, layer 3\)$/)
  expect(told.map((line) => line.length <= 80)).not.toContain(false)
  expect(told.slice(1)).toEqual([0, 1, 2, 3, 4].map((i) => `        layer ${i} (7.00 kB)`))
})
