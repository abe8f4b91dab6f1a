import { describe, expect, test } from 'vitest'
import { records } from '../../test/support/tar.ts'
import { parsePax, paxInteger, paxText, paxTime, paxXattrs } from './pax.ts'

const parse = (text: string) => parsePax(Buffer.from(text, 'latin1'), 1024)
const of = (values: Record<string, string>) => parsePax(records(Object.entries(values)), 0)

describe('parsePax', () => {
  test('reads records whose values hold anything', () => {
    const values = { path: 'a/b', 'SCHILY.xattr.user.bin': '\0\xff\n=\x01', comment: '' }
    expect(Object.fromEntries(of(values))).toEqual(values)
  })

  test('lets the later of two records with the same key win', () => {
    expect(paxText(parse('9 path=a\n9 path=b\n'), 'path')).toBe('b')
  })

  test('stops at padding NULs', () => {
    expect([...parse('9 path=a\n\0\0\0')]).toEqual([['path', 'a']])
  })

  test.each([
    ['a length that is too long', '99 path=a\n'],
    ['a length that is too short', '8 path=a\n'],
    ['no length', 'path=a\n'],
    ['a length of 0', '0 path=a\n'],
    ['no keyword', '5 =a\n'],
    ['no equals sign', '7 path\n'],
    ['no newline', '9 path=ab'],
    ['rubbish after a record', '9 path=a\nrubbish'],
  ])('refuses %s, saying where', (_, text) => {
    expect(() => parse(text)).toThrow(/PAX record is malformed at byte 10(24|33) of the uncompressed tar/)
  })

  test.each(['path', 'linkpath', 'GNU.sparse.name'])('refuses a NUL in %s', (keyword) => {
    expect(() => of({ [keyword]: 'a\0b' })).toThrow(`the PAX record ${keyword} has a NUL in its value`)
  })

  test('makes one map of the repeated records of sparse format 0.0', () => {
    const body = records([
      ['GNU.sparse.size', '100'],
      ['GNU.sparse.offset', '0'],
      ['GNU.sparse.numbytes', '10'],
      ['GNU.sparse.offset', '50'],
      ['GNU.sparse.numbytes', '7'],
    ])
    expect(paxText(parsePax(body, 0), 'GNU.sparse.map')).toBe('0,10,50,7')
  })
})

describe('numbers and times', () => {
  test('an empty value counts as unset', () => {
    const empty = of({ uid: '', mtime: '', path: '' })
    expect([paxInteger(empty, 'uid', 0), paxTime(empty, 'mtime', 0), paxText(empty, 'path')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  test.each([
    ['1700000000', 1_700_000_000_000_000],
    ['1700000000.123456789', 1_700_000_000_123_456],
    ['1700000000.5', 1_700_000_000_500_000],
    ['0.', 0],
    ['-1.5', -1_500_000],
    ['-0.0000001', -1],
    ['-86400', -86_400_000_000],
    ['8589934597.999999', 8_589_934_597_999_999],
    ['100000000000.7', 100_000_000_000_000_000],
  ])('%s is %d microseconds, rounded down', (text, expected) => {
    expect(paxTime(of({ mtime: text }), 'mtime', 0)).toBe(expected)
  })

  test.each(['x', '1e5', '1.2.3', '.5'])('%j is not a time', (text) => {
    expect(() => paxTime(of({ mtime: text }), 'mtime', 7)).toThrow(
      'the PAX record mtime is not a time at byte 7',
    )
  })

  test.each(['x', '1.5', '0x10'])('%j is not a number', (text) => {
    expect(() => paxInteger(of({ uid: text }), 'uid', 7)).toThrow(
      'the PAX record uid is not a number at byte 7',
    )
  })
})

describe('paxXattrs', () => {
  test('are bytes, sorted by name, without empty ones', () => {
    const xattrs = paxXattrs(
      of({ 'SCHILY.xattr.user.z': 'last', 'SCHILY.xattr.user.a': '\0\xff', 'SCHILY.xattr.user.empty': '' }),
    )
    expect([...(xattrs ?? [])]).toEqual([
      ['user.a', '\0\xff'],
      ['user.z', 'last'],
    ])
  })

  test("read libarchive's form unless another record has that name", () => {
    const xattrs = paxXattrs(
      of({
        'LIBARCHIVE.xattr.user.a%3Db%25': Buffer.from('\x01\x02', 'latin1').toString('base64'),
        'LIBARCHIVE.xattr.user.both': Buffer.from('other').toString('base64'),
        'SCHILY.xattr.user.both': 'this',
      }),
    )
    expect([...(xattrs ?? [])]).toEqual([
      ['user.a=b%', '\x01\x02'],
      ['user.both', 'this'],
    ])
  })

  test('are undefined where there are none', () => {
    expect(paxXattrs(of({ path: 'a' }))).toBeUndefined()
  })
})
