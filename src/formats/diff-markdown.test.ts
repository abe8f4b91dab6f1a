import fc from 'fast-check'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { describe, expect, test } from 'vitest'
import { diffNaming, hostileNames, SAME, sameTree } from '../../test/support/diffs.ts'
import { type Bases, diffMarkdown } from './diff-markdown.ts'

const render = (markdown: string): string =>
  micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] })

const count = (text: string, part: string): number => text.split(part).length - 1

/** Tags without attributes, in order; `code` appears wherever a name does. */
const tagsOf = (html: string): string[] =>
  html.match(/<\/?[a-z]\w*/gi)?.filter((tag) => !/code$/.test(tag)) ?? []

test('has a headline, the figures, the reasons, and collapsed tables', () => {
  const markdown = diffMarkdown(diffNaming(['usr/lib/python3']))
  expect(markdown).toContain(`### \`registry.example/team/app:v1\` → \`registry.example/team/app:v2\`

**31.6 MB smaller compressed (-37.0%), 119 MB smaller uncompressed**

|  | \`v1\` | \`v2\` | Change | % |
| --- | ---: | ---: | ---: | ---: |
| Compressed size | 85.4 MB | 53.8 MB | -31.6 MB | -37.0% |
`)
  expect(markdown).toContain(
    '\n- 98.0 MB less is wasted on files that a later layer removed or replaced; before, ',
  )
  expect(markdown).toContain(`
<details><summary>Where it changed</summary>

| Change | Directory | Paths |
| ---: | --- | --- |
| +1.00 kB | \`usr/lib/python3\` | 1 added, 2 removed, 3 modified |

</details>
`)
  const html = render(markdown)
  expect(count(html, '<table>')).toBe(7)
  expect([count(html, '<details>'), count(html, '</details>')]).toEqual([6, 6])
})

test('says when images are equal', () => {
  const markdown = diffMarkdown(SAME)
  expect(markdown).toContain('**Identical: the same files and the same config**')
  expect(markdown).not.toContain('<details>')
})

test('says when the base moved, and what part of the change is its', () => {
  const from = { reference: 'python:3.13', layers: 1, baseBytes: 40_000_000, ownBytes: 45_400_000 }
  const to = { ...from, baseBytes: 41_200_000, ownBytes: 12_600_000 }
  const diff = diffNaming(['usr/lib/python3'])
  const moved = { ...diff, layers: { ...diff.layers, shared: [] } }
  const saying = (bases: Bases) => diffMarkdown(moved, { bases }).split('\n').slice(2, 6)
  expect(saying({ from, to })).toEqual([
    '**31.6 MB smaller compressed (-37.0%), 119 MB smaller uncompressed**',
    '',
    'The base image `python:3.13` moved: it accounts for +1.20 MB of the compressed size, your own layers for -32.8 MB.',
    '',
  ])
  expect(saying({ from, to: { ...to, reference: 'python:3.14' } })[2]).toMatch(
    /^The base image changed from `python:3\.13` to `python:3\.14`: it accounts/,
  )
  // What an archive stores uncompressed has no compressed size.
  const stored = { from: 'compressed', to: 'uncompressed' } as const
  const archive = {
    ...moved,
    to: { ...moved.to, transport: 'oci' } as const,
    size: { ...moved.size, stored },
  }
  expect(diffMarkdown(archive, { bases: { from, to } })).toContain('\nThe base image `python:3.13` moved.\n')
  const shared = [{ diffId: 'a', from: { index: 0, digest: 'b' }, to: { index: 0, digest: 'b' } }]
  const kept = { ...moved, layers: { ...moved.layers, shared } }
  expect(diffMarkdown(kept, { bases: { from, to } })).not.toContain('base image')
})

test('a name stays a name, generated', () => {
  fc.assert(
    fc.property(hostileNames, (names) => {
      const harmless = render(diffMarkdown(diffNaming(sameTree(names))))
      expect(tagsOf(render(diffMarkdown(diffNaming(names))))).toEqual(tagsOf(harmless))
    }),
    { numRuns: process.env.LAMINA_LONG ? 5_000 : 100 },
  )
})

describe('a comment is limited to 65,536 bytes', () => {
  test.each([
    ['many', Array.from({ length: 5_000 }, (_, i) => `usr/share/${i}`)],
    ['long', Array.from({ length: 60 }, (_, i) => `${i}${'x'.repeat(4_000)}`)],
    ['long when escaped', Array.from({ length: 60 }, (_, i) => `${i}${'|\u{e0001}`'.repeat(1_000)}`)],
  ])('%s names are cut to fit, and a line says so', (_, names) => {
    const markdown = diffMarkdown(diffNaming(names))
    expect(Buffer.byteLength(markdown)).toBeLessThan(65_536)
    const html = render(markdown)
    expect(count(html, '<details>')).toBe(count(html, '</details>'))
    const [, left, all] = /Cut to fit into a comment: (?:.*, )?(\d+) of (\d+) packages/.exec(markdown) ?? []
    expect(Number(all)).toBe(3 * names.length)
    const shown = /<summary>Packages<\/summary>(.*?)<\/details>/s.exec(markdown)?.[1] ?? ''
    expect(count(shown, '\n| +') + count(shown, '\n| -') + count(shown, '\n| ~')).toBe(
      Number(all) - Number(left) + (shown ? 1 : 0),
    )
  })

  test('content that fits is not cut', () => {
    expect(diffMarkdown(diffNaming(['a', 'b']))).not.toContain('Cut to fit')
  })
})
