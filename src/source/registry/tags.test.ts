import { describe, expect, it } from 'vitest'
import { formatTagPlace, nextLink, parseTagPage, parseTagPlace } from './tags.ts'

it.each([
  ['</v2/a/tags/list?last=x&n=2>; rel="next"', '/v2/a/tags/list?last=x&n=2'],
  ['<https://h/v2/a/tags/list?last=x>; rel=next', 'https://h/v2/a/tags/list?last=x'],
  ['</first>; rel="first", </next>; title="a"; rel="next"', '/next'],
  ['</both>; rel="last next"', '/both'],
  ['<?n=1&last=b,c>;rel="next"', '?n=1&last=b,c'],
  ['</prev>; rel="prev"', undefined],
  ['</nextish>; rel="nextish"', undefined],
  ['', undefined],
  [null, undefined],
])('the link to the next page in %s', (header, link) => {
  expect(nextLink(header)).toBe(link)
})

describe('a page', () => {
  const parse = (value: unknown) => parseTagPage(new TextEncoder().encode(JSON.stringify(value)), 'h')

  it('is its tags in the order of the registry, without what is none', () => {
    expect(parse({ name: 'a', tags: ['b', 'a', '-x', 'a b', '<script>', ''] })).toEqual(['b', 'a'])
    expect(parse({ name: 'a', tags: null })).toEqual([])
  })

  it.each([[[]], [{ tags: 'x' }], [{ tags: [1] }]])('is not %j', (value) => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'registry_error' }))
  })
})

it('a place reads back the same, and is none of anyone else', () => {
  const place = { query: 'n=10&last=v1.0', skip: 7 }
  expect(parseTagPlace(formatTagPlace(place))).toEqual(place)
  for (const text of ['', '7', '?n=1', 'x?n=1', '1234567?n=1', `1?${'a'.repeat(2_001)}`, '1?a\r\nb'])
    expect(() => parseTagPlace(text)).toThrow(
      expect.objectContaining({ code: 'invalid_parameter', fields: { parameter: 'cursor' } }),
    )
})
