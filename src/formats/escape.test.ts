import fc from 'fast-check'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { describe, expect, test } from 'vitest'
import { markdownCode, markdownText, markupText, terminalLine, terminalText, visible } from './escape.ts'

const RUNS = { numRuns: process.env.LAMINA_LONG ? 50_000 : 1_000 }

const HOSTILE = [
  ...'|`<>&@#!$~*_[](){}:/\\"\'=+-.^ a1\n\r\t\0\x1b\x9b\u202e\u2066\u200b\u2028\ufeff\uffff\ud800é😀',
  '```',
  '</details>',
  '<script>',
  '![x](http://x.example/y.png)',
  'https://x.example/',
  'www.x.example',
  'a@x.example',
  '@octocat',
  '#12',
  'o/r#1',
  '::warning::x',
  '##[error]x',
  '##vso[task.x]y',
  '\x1b[31m',
  '1. ',
  '- ',
  '---',
  '<!--',
  '&amp;',
  '&#124;',
  '\\|',
]
const hostile = fc.array(fc.constantFrom(...HOSTILE), { maxLength: 8 }).map((pieces) => pieces.join(''))

/** Renders a comment as GitHub does, except for what GitHub looks for in the text afterwards. */
function render(markdown: string): string {
  return micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] })
}

function textOf(html: string): string {
  const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' }
  return html.replace(/&(lt|gt|amp|quot);/g, (_, name: string) => entities[name] ?? '')
}

describe('visible', () => {
  test.each([
    ['usr/bin/ñandú 😀', 'usr/bin/ñandú 😀'],
    ['a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['\x1b[31mred\x9b0m\0\x7f', '\\x1b[31mred\\x9b0m\\x00\\x7f'],
    ['\u202egnp.exe\u2066\u200d', '\\u202egnp.exe\\u2066\\u200d'],
    ['\u{e0041}\ud800\uffff\u2028', '\\u{e0041}\\ud800\\uffff\\u2028'],
  ])('%j', (text, shown) => {
    expect(visible(text)).toBe(shown)
  })
})

describe('a terminal and a CI', () => {
  test.each([
    ['##[error]x', '#\\#[error]x'],
    ['a ##vso[task.setvariable]x', 'a #\\#vso[task.setvariable]x'],
    ['###[x', '##\\#[x'],
    ['## title', '## title'],
    ['\x1b]0;x\x07', '\\x1b]0;x\\x07'],
  ])('%j', (text, shown) => {
    expect(terminalText(text)).toBe(shown)
  })

  test('a line that begins with :: is not a command', () => {
    expect(terminalLine('::error::x')).toBe('\\::error::x')
    expect(terminalLine('  ::error::x')).toBe('  \\::error::x')
    expect(terminalLine('a ::error::x')).toBe('a ::error::x')
  })

  test('no command remains, generated', () => {
    fc.assert(
      fc.property(hostile, (name) => {
        const line = terminalLine(terminalText(name))
        // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for characters that must not be there
        expect(line).not.toMatch(/^\s*::|##\w*\[|[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/)
      }),
      RUNS,
    )
  })
})

describe('Markdown', () => {
  test('a name in a table is code and nothing else', () => {
    const html = render(`| a | b |\n|---|---|\n| ${markdownCode('x|`y`` \\|</td>')} | 1 |`)
    expect(html).toContain('<td><code>x</code>|<code>`y`` \\</code>|<code>&lt;/td&gt;</code></td>')
    expect(html).toContain('<td>1</td>')
  })

  test('a reader sees exactly the name, in a table, generated', () => {
    fc.assert(
      fc.property(hostile, (name) => {
        const html = render(`| a | b |\n|---|---|\n| x${markdownCode(name)}x | 1 |\n\nend`)
        const [, cell = ''] =
          /<tbody>\n<tr>\n<td>(.*)<\/td>\n<td>1<\/td>\n<\/tr>\n<\/tbody>\n<\/table>\n<p>end<\/p>/.exec(
            html,
          ) ?? []
        expect(textOf(cell.replaceAll(/<\/?code>/g, ''))).toBe(`x${visible(name)}x`)
      }),
      RUNS,
    )
  })

  test('a sentence reads unchanged and contains no element, generated', () => {
    fc.assert(
      fc.property(hostile, (sentence) => {
        const cell = /<tbody>\n<tr>\n<td>(.*)<\/td>\n<td>1<\/td>\n<\/tr>\n<\/tbody>/.exec(
          render(`| a | b |\n|---|---|\n| ${markdownText(sentence)} | 1 |`),
        )?.[1]
        const paragraph = /^<p>(.*)<\/p>$/s.exec(render(markdownText(`${sentence}x`)))?.[1]
        const shown = visible(sentence)
        expect(
          textOf(cell ?? 'no cell')
            .replaceAll('\u200b', '')
            .trim(),
        ).toBe(shown.trim())
        expect(
          textOf(paragraph ?? 'no paragraph')
            .replaceAll('\u200b', '')
            .trim(),
        ).toBe(`${shown}x`.trim())
      }),
      RUNS,
    )
  })

  test('patterns that renderers look for in the text are broken up', () => {
    const text = textOf(render(markdownText('@octocat #12 o/r#1 http://x.example www.x.example !3')))
    expect(text).not.toMatch(/@octocat|#12|#1|:\/\/|www\.|!3/)
  })
})

describe('HTML and XML', () => {
  test('has no elements, quotes or characters that XML does not allow', () => {
    expect(markupText(`</a><b c="d" e='f'>&amp;\x1b\ud800\n`)).toBe(
      '&lt;/a&gt;&lt;b c=&quot;d&quot; e=&#39;f&#39;&gt;&amp;amp;\\x1b\\ud800\\n',
    )
  })
})
