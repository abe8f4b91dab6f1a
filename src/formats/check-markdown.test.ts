import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { expect, test } from 'vitest'
import { HOSTILE_NAMES, hostile, passing, styleOf, verdict } from '../../test/support/verdicts.ts'
import { checkMarkdown } from './check-markdown.ts'
import { visible } from './escape.ts'

/** Renders raw HTML too, so that anything a name injects is visible. */
function render(markdown: string): string {
  return micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] })
}

function tags(html: string): ReadonlySet<string> {
  return new Set(Array.from(html.matchAll(/<\/?([^\s>]+)/g), ([, tag = '']) => tag))
}

function textOf(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('\u200b', '')
}

function cells(html: string): readonly (readonly string[])[] {
  return Array.from(html.matchAll(/<tr>([\s\S]*?)<\/tr>/g), ([, row = '']) =>
    Array.from(row.matchAll(/<t[hd][^>]*>([\s\S]*?)<\/t[hd]>/g), ([, cell = '']) => textOf(cell)),
  )
}

test('a table of all rules, and what to fix for each failing one', () => {
  const html = render(checkMarkdown({ verdict }, styleOf()))
  expect(textOf(html)).toContain('❌ 2 of 4 rules broken for docker.io/library/nginx:1.27')
  expect(cells(html)).toEqual([
    ['', 'Rule', 'Actual', 'Limit'],
    ['❌', 'maxSize', '240 MB', '1.00 kB'],
    ['✅', 'maxUserWastedPercent', '–', '12.5%'],
    ['✅', 'minEfficiency', '0.98765', '0.9'],
    ['❌', 'deny **/.git/**', '1 path', 'none'],
    ['Step', 'Size', 'Layer'],
    ['the whole layer', '180 MB', '1'],
    ['the whole layer', '60.0 MB', '0'],
    ['Path', 'Size', 'Layer'],
    ['app/.git/config', '300 B', '1'],
  ])
  expect(html.match(/<details>/g)).toHaveLength(2)
  expect(html.match(/<\/details>/g)).toHaveLength(2)
})

test('a passing check is a table without details to expand', () => {
  const html = render(checkMarkdown({ verdict: passing }, styleOf()))
  expect(textOf(html)).toContain('✅ All 2 rules hold')
  expect(html).not.toContain('<details>')
})

test('hostile names stay text in their own cells', () => {
  const html = render(checkMarkdown({ verdict: hostile }, styleOf()))
  expect(tags(html)).toEqual(
    new Set([
      ...['a', 'h3', 'p', 'code', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
      ...['details', 'summary'],
    ]),
  )
  const rows = cells(html)
  expect(rows.slice(1, 1 + HOSTILE_NAMES.length).map(([, rule]) => rule)).toEqual(
    HOSTILE_NAMES.map((name) => `deny ${visible(name)}`),
  )
  expect(rows.filter((row) => row.length !== 4 && row.length !== 3)).toEqual([])
  const evidence = rows.filter((row) => row.length === 3 && row[1] === '12 B').map(([path]) => path)
  expect(evidence).toEqual(HOSTILE_NAMES.map(visible))
  const summaries = Array.from(html.matchAll(/<summary>([\s\S]*?)<\/summary>/g), ([, text = '']) =>
    textOf(text),
  )
  expect(summaries).toEqual(HOSTILE_NAMES.map((name) => `3 paths match ${visible(name)}.`))
})
