import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { actionOf, hintsFor, KEYS, keyLines, keysMarkdown, VIEWS } from './keys.ts'

const DOCS = new URL('../../docs/cli.md', import.meta.url)

test('docs/cli.md has the table of keys', async () => {
  const [, table] = /<!-- keys -->\n\n([\s\S]*?)\n<!-- \/keys -->/.exec(await readFile(DOCS, 'utf8')) ?? []
  expect(table).toBe(keysMarkdown())
})

test('every key has one action', () => {
  const keys = KEYS.flatMap(({ keys }) => Object.keys(keys))
  expect(keys.length).toBe(new Set(keys).size)
  for (const { keys } of KEYS)
    for (const [key, action] of Object.entries(keys)) expect(actionOf(key)).toBe(action)
  expect(actionOf('z')).toBeUndefined()
})

test.each([...VIEWS, 'pager'] as const)('%s has hints', (pane) => {
  expect(hintsFor(pane)).toContain('/ search')
})

test('the help has every key, in lines that fit', () => {
  const lines = keyLines(58)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(58)
  const text = lines.join('\n').replace(/\s+/g, ' ')
  for (const word of ['Shift-Tab', 'PgUp', 'unified diff', 'percent', 'OSC 52']) expect(text).toContain(word)
})
