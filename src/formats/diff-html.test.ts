import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffNaming, hostileNames, SAME, sameTree } from '../../test/diffs.ts'
import { diffHtml } from './diff-html.ts'

const tagsOf = (html: string): string[] => html.match(/<[/!]?[a-z][^>]*>/gi) ?? []

test('a page with a heading, the figures and a section for each table', async () => {
  const html = await diffHtml(diffNaming(['usr/lib']))
  expect(html).toMatch(/^<!doctype html>\n<html lang="en">/)
  expect(html).toContain('<title>registry.example/team/app:v1 → registry.example/team/app:v2</title>')
  expect(html).toContain('<td class="right sign">+1.00 kB</td><td class="left"><code>usr/lib</code></td>')
  expect(html.match(/<h2>/g)).toHaveLength(6)
})

test('equal images are said to be', async () => {
  expect(await diffHtml(SAME)).toContain('identical: the same files and the same config')
})

test('nothing is loaded and nothing runs', async () => {
  expect(await diffHtml(diffNaming(['a']))).not.toMatch(/<script|<link|<img|\bsrc=|@import|url\(|\bon\w+=/i)
})

test('no name becomes markup, generated', async () => {
  await fc.assert(
    fc.asyncProperty(hostileNames, async (names) => {
      const harmless = await diffHtml(diffNaming(sameTree(names)))
      expect(tagsOf(await diffHtml(diffNaming(names)))).toEqual(tagsOf(harmless))
    }),
    { numRuns: process.env.LAMINA_LONG ? 5_000 : 100 },
  )
})
