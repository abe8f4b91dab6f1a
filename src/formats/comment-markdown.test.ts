import fc from 'fast-check'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { describe, expect, test } from 'vitest'
import { diffNaming, hostileNames, SAME, sameTree } from '../../test/support/diffs.ts'
import { emptyFacts } from '../../test/support/facts.ts'
import type { Diff } from '../diff/summary.ts'
import type { RuleVerdict } from '../gate/verdict.ts'
import { type CommentFacts, commentMarkdown } from './comment-markdown.ts'

const render = (markdown: string): string =>
  micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] })

const tagsOf = (html: string): string[] =>
  html.match(/<\/?[a-z]\w*/gi)?.filter((tag) => !/code$/.test(tag)) ?? []

const { to: image } = SAME

const size = { ...emptyFacts.size, compressedBytes: 53_800_000, apparentBytes: 114_000_000 }

const nothing = { bytes: 0, files: 0 }
const layers = { bytes: 0, layers: 0 }

function factsOf(diff: Diff, more: Partial<CommentFacts> = {}): CommentFacts {
  return {
    image,
    size,
    diff,
    update: {
      from: diff.from,
      to: diff.to,
      total: { bytes: 53_800_000, layers: 7 },
      pull: { bytes: 31_600_000, layers: 2 },
      chained: layers,
      repacked: layers,
      rewritten: nothing,
      moved: nothing,
      new: { ...nothing, estimatedBytes: 400_000 },
    },
    advice: [],
    builds: [],
    ...more,
  }
}

function rule(pass: boolean, message = 'The uncompressed size is 30.7 kB.'): RuleVerdict {
  return { rule: 'maxSize', unit: 'bytes', limit: 1, actual: 2, pass, message }
}

const directory = (path: string, delta: number) => ({ path, delta, added: 1, removed: 0, modified: 0 })

const GROWN: Diff = {
  ...diffNaming(['RUN make']),
  files: {
    ...SAME.files,
    directories: [
      directory('usr/lib/x', -8_000_000),
      directory('srv/app', 2_000_000),
      ...['a', 'b', 'c', 'd'].map((path) => directory(path, 1_000)),
    ],
  },
}

test('a line for the preview, a picture, what accounts for it, and folded the rest', () => {
  const verdict = { pass: false, image, rules: [rule(true), rule(false)] }
  const builds = [
    { name: 'main-1', compressedBytes: 50_000_000 },
    { name: 'main-2', compressedBytes: 51_500_000 },
  ]
  const markdown = commentMarkdown(factsOf(GROWN, { verdict, builds }), { report: 'https://ci.example/1' })
  expect(
    markdown.slice(0, markdown.indexOf('<details>')),
  ).toBe(`❌ 1 of 2 rules broken. \`team/app:v2\`: **31.6 MB smaller compressed (-37.0%), 119 MB smaller uncompressed**, compared with \`v1\`

\`\`\`diff
- 8.00 MB ██████████ usr/lib/x
+ 2.00 MB ███        srv/app
+ 1.00 kB █          a
+ 1.00 kB █          b
+ 1.00 kB █          c
\`\`\`

- ❌ \`maxSize\`: The uncompressed size is 30.7 kB.

| Change | Package | Version |
| ---: | --- | --- |
| +5\u00a0B | deb \`RUN make\` | \`RUN make\` |
| -5\u00a0B | npm \`RUN make\` | \`RUN make\` → \`RUN make\` |

- This update pulls 31.6 MB of 53.8 MB; 400 kB of it is new.
- The last 2 builds, compressed: 50.0 · 51.5 MB, now 53.8 MB: +3.80 MB (+7.60%) since \`main-1\`.

[The whole report](https://ci.example/1)

`)
  const folded = Array.from(markdown.matchAll(/<summary>(.*)<\/summary>/g), ([, title]) => title)
  expect(folded).toEqual([
    'Rules: 1 of 2 rules broken',
    'Figures',
    'Where it changed',
    'Layers: 1 removed, 1 added',
    'Configuration',
    'Build steps without a layer',
  ])
})

test('says when the base moved, below what an update pulls', () => {
  const from = { reference: 'python:3.13', layers: 1, baseBytes: 40_000_000, ownBytes: 45_400_000 }
  const to = { ...from, baseBytes: 41_200_000, ownBytes: 12_600_000 }
  const moved = { ...GROWN, layers: { ...GROWN.layers, shared: [] } }
  expect(commentMarkdown(factsOf(moved, { bases: { from, to } }))).toMatch(
    /\n- This update pulls .*\n- The base image `python:3\.13` moved: it accounts for \+1\.20 MB of .*-32\.8 MB\.\n/,
  )
})

test('a picture takes the place of the bars, and a table that of their names', () => {
  const markdown = commentMarkdown(factsOf(GROWN), { picture: 'https://lamina.example/v1/diff?x=1' })
  expect(markdown).toContain('![What grew and shrank](https://lamina.example/v1/diff?x=1)\n')
  expect(markdown).toContain('| -8.00\u00a0MB | `usr/lib/x` |\n| +2.00\u00a0MB | `srv/app` |\n')
  expect(markdown).not.toContain('█')
})

test('names the step with most of the change', () => {
  const step = (createdBy: string, uncompressedBytes: number) => ({
    diffId: '',
    index: 0,
    digest: '',
    compressedBytes: 1,
    uncompressedBytes,
    wastedBytes: 0,
    createdBy,
  })
  const removed = [step('RUN apt-get install', 90_000_000), step('COPY . .', 40_000_000)]
  const added = [step('RUN apt-get install', 10_000_000), step('RUN make', 5_000_000)]
  expect(commentMarkdown(factsOf({ ...GROWN, layers: { shared: [], removed, added } }))).toContain(
    '- Mostly due to the step `RUN apt-get install`: -80.0 MB uncompressed.',
  )
})

test('without a baseline: how large it is', () => {
  const verdict = { pass: true, image, rules: [rule(true)] }
  expect(commentMarkdown({ image, size, verdict, advice: [], builds: [] })).toMatch(
    /^✅ The rule holds\. `team\/app:v2`: \*\*114 MB on disk, 53\.8 MB to pull\*\*\n/,
  )
  const { registry: _, repository: __, tag: ___, ...local } = image
  const engine = { ...local, transport: 'docker-daemon', reference: 'docker-daemon:app:dev' } as const
  const plain = { ...size, stored: 'uncompressed' } as const
  expect(commentMarkdown({ image: engine, size: plain, advice: [], builds: [] })).toBe(
    '`docker-daemon:app:dev`: **114 MB on disk**\n',
  )
})

describe('what a fork wrote', () => {
  const allNaming = (names: readonly string[]): CommentFacts => {
    const diff = diffNaming(names)
    const [name = ''] = names
    const item = {
      rule: name,
      severity: 'warning',
      title: name,
      bytes: 1,
      files: 1,
      createdBy: name,
      paths: [],
      fix: name,
    } as const
    return factsOf(diff, {
      image: { ...image, repository: name, tag: name },
      verdict: {
        pass: false,
        image,
        rules: names.map((message) => ({ ...rule(false, message), actual: message, limit: message })),
      },
      builds: names.map((name) => ({ name, compressedBytes: 1 })),
      advice: [item],
    })
  }

  test('is no syntax, generated', () => {
    fc.assert(
      fc.property(hostileNames, (names) => {
        const harmless = render(commentMarkdown(allNaming(sameTree(names))))
        expect(tagsOf(render(commentMarkdown(allNaming(names))))).toEqual(tagsOf(harmless))
      }),
      { numRuns: process.env.LAMINA_LONG ? 5_000 : 100 },
    )
  })

  test('mentions nobody and closes no block', () => {
    const html = render(
      commentMarkdown(allNaming(['@octo/team', '```\n# title', '<img src=x>', 'www.evil.example'])),
    )
    expect(html).not.toMatch(/<img|<h1|<a /)
  })

  test('does not grow the comment past the limit', () => {
    const names = Array.from({ length: 400 }, (_, i) => `${i}|${'`|'.repeat(200)}`)
    expect(Buffer.byteLength(commentMarkdown(allNaming(names)))).toBeLessThan(65_536)
  })
})
