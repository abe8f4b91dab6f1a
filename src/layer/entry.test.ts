import { describe, expect, test } from 'vitest'
import { type Entry, sortKey, whiteoutOf } from './entry.ts'

describe('sortKey', () => {
  const cases: readonly [string, Pick<Entry, 'key' | 'whiteout'>, string][] = [
    ['a plain entry stands at its own key', { key: 'a\0b' }, 'a\0b'],
    ['a whiteout at the path that it hides', { key: 'a\0.wh.b', whiteout: 'file' }, 'a\0b'],
    ['a whiteout in the root at the name that it hides', { key: '.wh.b', whiteout: 'file' }, 'b'],
    ['an opaque whiteout at its directory', { key: 'a\0b\0.wh..wh..opq', whiteout: 'opaque' }, 'a\0b'],
    ['an opaque whiteout in the root at the root', { key: '.wh..wh..opq', whiteout: 'opaque' }, ''],
    ['an aufs member at its own key', { key: 'a\0.wh..wh.plnk', whiteout: 'aufs' }, 'a\0.wh..wh.plnk'],
  ]
  test.each(cases)('%s', (_, entry, expected) => {
    expect(sortKey(entry)).toBe(expected)
  })
})

describe('whiteoutOf', () => {
  test.each([
    ['a\0.wh.b', 'file'],
    ['.wh.', 'file'],
    ['a\0.wh..wh..opq', 'opaque'],
    ['.wh..wh.plnk', 'aufs'],
    ['a\0.wh', undefined],
    ['.wh.dir\0file', undefined],
    ['a\0b.wh.c', undefined],
  ])('of %j is %s', (key, expected) => {
    expect(whiteoutOf(key)).toBe(expected)
  })
})
