import { expect, test } from 'vitest'
import { HOSTILE_NAMES } from '../../test/support/verdicts.ts'
import type { TreeNode } from '../image/tree.ts'
import { lengthOf } from './table.ts'
import { treeMarkdown, treeText } from './tree-text.ts'

const file = (path: string, bytes: number): TreeNode => ({ path, type: 'file', bytes, files: 1 })

const tree: TreeNode = {
  path: '',
  type: 'directory',
  bytes: 3_500_000,
  files: 3,
  children: [
    {
      path: 'usr',
      type: 'directory',
      bytes: 3_000_000,
      files: 2,
      children: [file('usr/a', 2_000_000), file('usr/b', 1_000_000)],
    },
    file('etc', 500_000),
  ],
}

test('looks like tree and du combined', () => {
  expect(treeText('app:v1 (linux/amd64)', tree)).toBe(`\
app:v1 (linux/amd64)
 3.50 MB  /
 3.00 MB  ├── usr/
 2.00 MB  │   ├── a
 1.00 MB  │   └── b
  500 kB  └── etc

3 files
`)
  expect(treeText('app:v1', tree, { colour: true })).toContain('├── \x1b[1;34musr/\x1b[0m\n')
})

test('is a list in Markdown', () => {
  expect(treeMarkdown('app:v1', tree)).toBe(`\
### 3.50 MB in 3 files

\`app:v1\`

- 3.50 MB \`/\`
  - 3.00 MB \`usr/\`
    - 2.00 MB \`a\`
    - 1.00 MB \`b\`
  - 500 kB \`etc\`
`)
})

test('entries left out of a directory are counted', () => {
  const [usr] = tree.children ?? []
  const part = {
    ...tree,
    children: usr === undefined ? [] : [{ ...usr, children: [file('usr/a', 2_000_000)] }],
  }
  expect(treeText('app:v1', part)).toBe(`\
app:v1
 3.50 MB  /
 3.00 MB  ├── usr/
 2.00 MB  │   ├── a
 1.00 MB  │   └── … 1 more file
  500 kB  └── … 1 more file

3 files
`)
  expect(treeMarkdown('app:v1', part)).toContain('  - 500 kB in 1 more file\n')
})

test('names cannot break a line, issue a CI command, or be wider than the terminal', () => {
  const names = [...HOSTILE_NAMES, 'x'.repeat(200), '漢字'.repeat(100)]
  const hostile: TreeNode = { ...tree, children: names.map((name) => file(`usr/${name}`, 1)) }
  const lines = treeText('::error::x', { ...hostile, path: 'usr' })
    .trimEnd()
    .split('\n')
  expect(lines).toHaveLength(names.length + 4)
  expect(lines.filter((line) => lengthOf(line) > 80 || /^\s*(::|##\[)/.test(line))).toEqual([])
  expect(treeMarkdown('x', hostile).split('\n')).toHaveLength(names.length + 6)
})
