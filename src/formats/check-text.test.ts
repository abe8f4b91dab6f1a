import { expect, test } from 'vitest'
import { HOSTILE_NAMES, hostile, passing, verdict } from '../../test/verdicts.ts'
import { checkText } from './check-text.ts'
import { visible } from './escape.ts'

test('a line a rule, and the worst below each that fails', () => {
  expect(checkText(verdict)).toBe(`\
FAIL  2 of 4 rules hold for docker.io/library/nginx:1.27 (linux/amd64)
FAIL  maxSize               The uncompressed size is 240 MB, over the limit of 1.00 kB.
        layer 1 (180 MB)
        layer 0 (60.0 MB)
pass  maxUserWastedPercent  No layer but the first has bytes that could be wasted.
pass  minEfficiency         The efficiency is 0.98765, not below the limit of 0.9.
FAIL  deny **/.git/**       1 path matches **/.git/**.
        app/.git/config (300 B, layer 1)
`)
})

test('a passing check', () => {
  expect(checkText(passing).split('\n')[0]).toBe(
    'PASS  All 2 rules hold for docker.io/library/nginx:1.27 (linux/amd64)',
  )
})

test('no hostile name starts a line, colours it or commands a CI', () => {
  const text = checkText(hostile)
  expect(text.split('\n')).toHaveLength(1 + HOSTILE_NAMES.length * 4 + 1)
  expect(text).not.toMatch(/^\s*::/m)
  expect(text).not.toMatch(/##\w*\[/)
  expect(text.split('\n').map(visible)).toEqual(text.split('\n'))
})
