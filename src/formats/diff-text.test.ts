import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffNaming, hostileNames, SAME, sameTree } from '../../test/support/diffs.ts'
import { diffText } from './diff-text.ts'

test('aligned, largest first, without colours', () => {
  const text = diffText(diffNaming(['usr/lib', 'usr/bin/x']))
  expect(text).toContain(`registry.example/team/app:v1 → registry.example/team/app:v2
31.6 MB smaller compressed (-37.0%), 119 MB smaller uncompressed

                          v1       v2    Change       %
  Compressed size    85.4 MB  53.8 MB  -31.6 MB  -37.0%
  Uncompressed size   240 MB   121 MB   -119 MB  -49.6%
`)
  expect(text).toContain(`
Where it changed
    Change  Directory  Paths
  +1.00 kB  usr/lib    1 added, 2 removed, 3 modified
    +999 B  usr/bin/x  1 added, 2 removed, 3 modified
`)
})

test('equal images are identical, and the diff says nothing else', () => {
  expect(diffText(SAME)).toBe(
    'registry.example/team/app:v1 → registry.example/team/app:v2\nIdentical: the same files and the same config\n',
  )
})

test('colours where they are asked for', () => {
  const [plain, coloured] = [diffText(diffNaming(['a'])), diffText(diffNaming(['a']), { colour: true })]
  expect(coloured).toContain('\x1b[32mCompressed size')
  expect(coloured).toContain('\x1b[31m+1.00 kB  a')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it removes the codes
  expect(coloured.replace(/\x1b\[\d+m/g, '')).toBe(plain)
})

test('items beyond the limit are counted', () => {
  expect(diffText(diffNaming(Array.from({ length: 50 }, (_, i) => `d${i}`)))).toContain(
    '… and 10 more files\n',
  )
})

test('no name affects the terminal or the CI that shows it, generated', () => {
  fc.assert(
    fc.property(hostileNames, (names) => {
      const text = diffText(diffNaming(names), { colour: false, width: 10_000 })
      const harmless = diffText(diffNaming(sameTree(names)), { colour: false, width: 10_000 })
      expect(text.split('\n')).toHaveLength(harmless.split('\n').length)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for characters that must not be there
      expect(text).not.toMatch(/^\s*::|##\w*\[|[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/m)
    }),
    { numRuns: process.env.LAMINA_LONG ? 20_000 : 500 },
  )
})
