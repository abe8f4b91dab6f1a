import { describe, expect, it } from 'vitest'
import { interruptible } from '../../../test/support/interruptible.ts'
import { formatTagPosition, nextLink, parseTagPage, parseTagPosition } from './tags.ts'

it.each([
  ['</v2/a/tags/list?last=x&n=2>; rel="next"', '/v2/a/tags/list?last=x&n=2'],
  ['<https://h/v2/a/tags/list?last=x>; rel=next', 'https://h/v2/a/tags/list?last=x'],
  ['</first>; rel="first", </next>; title="a"; rel="next"', '/next'],
  ['</both>; rel="last next"', '/both'],
  ['<?n=1&last=b,c>;rel="next"', '?n=1&last=b,c'],
  ['</prev>; rel="prev"', undefined],
  ['</nextish>; rel="nextish"', undefined],
  ['</first>; rel="prev"; rel="next", </last>; rel=last', undefined],
  ['</no-target; rel="next", </next>; REL="Next"', '/next'],
  ['</never>; title="never closed; rel="next"', undefined],
  ['</flag>; crossorigin; rel="next"', '/flag'],
  ['', undefined],
  [null, undefined],
])('the link to the next page in %s', (header, link) => {
  expect(nextLink(header)).toBe(link)
})

it.each([
  '<',
  '<,',
  '<a>;',
  '<a>; ',
  '<a>;a="',
  '<a>;a="\\',
  '<a>;rel=next ',
  '<a>;rel=" next',
  '<a>; rel="',
  ' ; rel',
  '; ',
  '"x',
])('reads a header of repeated %j in a single pass', (piece) => {
  const blanks = ' '.repeat(4_000)
  const headers = [
    `<a>; ${piece.repeat(8_000)}`,
    `<a>;${blanks}${piece}${blanks}`,
    `<a>;rel=${blanks}next${blanks}${piece}"`,
  ]
  // Takes milliseconds in total; a backtracking pattern takes minutes for one.
  interruptible(() => {
    for (const header of headers) for (let i = 0; i < 100; i++) nextLink(header)
  })
})

describe('a page', () => {
  const parse = (value: unknown) => parseTagPage(new TextEncoder().encode(JSON.stringify(value)), 'h')

  it('lists the tags in the order of the registry, without invalid ones', () => {
    expect(parse({ name: 'a', tags: ['b', 'a', '-x', 'a b', '<script>', ''] })).toEqual(['b', 'a'])
    expect(parse({ name: 'a', tags: null })).toEqual([])
  })

  it.each([[[]], [{ tags: 'x' }], [{ tags: [1] }]])('cannot be %j', (value) => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'registry_error' }))
  })
})

it('a position reads back unchanged, and any other text is refused', () => {
  const place = { query: 'n=10&last=v1.0', skip: 7 }
  expect(parseTagPosition(formatTagPosition(place))).toEqual(place)
  for (const text of ['', '7', '?n=1', 'x?n=1', '1234567?n=1', `1?${'a'.repeat(2_001)}`, '1?a\r\nb'])
    expect(() => parseTagPosition(text)).toThrow(
      expect.objectContaining({ code: 'invalid_parameter', fields: { parameter: 'cursor' } }),
    )
})
