import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffNaming, hostileNames, SAME, sameTree } from '../../test/support/diffs.ts'
import { diffDocument } from './diff-document.ts'

const tagsOf = (html: string): string[] => html.match(/<[/!]?[a-z][^>]*>/gi) ?? []

test('the page has a heading, the figures and a section for each table', async () => {
  const html = await diffDocument(diffNaming(['usr/lib']))
  expect(html).toMatch(/^<!doctype html>\n<html lang="en">/)
  expect(html).toContain('<title>registry.example/team/app:v1 → registry.example/team/app:v2</title>')
  expect(html).toContain(
    '<span class="bad">+1.00 kB</span></th><td class="path"><code><bdi>usr/lib</bdi></code></td>',
  )
  expect(html.match(/<h2>/g)).toHaveLength(7)
})

test('says when images are equal', async () => {
  expect(await diffDocument(SAME)).toContain('Identical: the same files and the same config')
})

test('loads nothing and runs nothing', async () => {
  expect(await diffDocument(diffNaming(['a']))).not.toMatch(
    /<script|<link|<img|\bsrc=|@import|url\(|\bon\w+=/i,
  )
})

test('no name becomes markup, generated', async () => {
  await fc.assert(
    fc.asyncProperty(hostileNames, async (names) => {
      const harmless = await diffDocument(diffNaming(sameTree(names)))
      expect(tagsOf(await diffDocument(diffNaming(names)))).toEqual(tagsOf(harmless))
    }),
    { numRuns: process.env.LAMINA_LONG ? 5_000 : 100 },
  )
})
