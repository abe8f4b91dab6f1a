import { describe, expect, test } from 'vitest'
import { scanTar } from '../../test/support/scan-tar.ts'
import {
  header,
  longName,
  MAGIC,
  member,
  padded,
  pax,
  records,
  tar,
  writeNumber,
} from '../../test/support/tar.ts'
import type { Member } from './member.ts'

const only = (bytes: Uint8Array) => {
  const [first, ...rest] = scanTar(bytes)
  expect(rest).toEqual([])
  if (first === undefined) throw new Error('no member')
  return first
}
const names = (bytes: Uint8Array) => scanTar(bytes).map((found) => found.member.key.replaceAll('\0', '/'))
const fields = (bytes: Uint8Array): Partial<Member> => only(bytes).member

describe('members', () => {
  test('have every field of their header', () => {
    const head = { name: 'bin/tool', mode: 0o104755, uid: 3_000_000_000, gid: -2, mtime: -86_400 }
    expect(only(tar(member(head, 'content')))).toEqual({
      member: {
        key: 'bin\0tool',
        type: 'file',
        bytes: 7,
        mode: 0o4755,
        uid: 3_000_000_000,
        gid: -2,
        mtime: -86_400_000_000,
        link: undefined,
        device: undefined,
        xattrs: undefined,
        ordinal: 0,
        offset: 512,
      },
      content: 'content',
    })
  })

  test.each([
    ['0', 'file', 3],
    ['\0', 'file', 3],
    ['7', 'file', 3],
    ['1', 'hardlink', 0],
    ['2', 'symlink', 0],
    ['3', 'character', 0],
    ['4', 'block', 0],
    ['5', 'directory', 0],
    ['6', 'fifo', 0],
  ])('of type %j are a %s, and store %d bytes whatever the size field says', (type, expected, stored) => {
    const first = Buffer.concat([header({ name: 'a', type, size: 3 }), padded(Buffer.alloc(stored, 'x'))])
    const [a, b] = scanTar(tar(first, member({ name: 'b' }, 'b')))
    expect(a).toMatchObject({ member: { type: expected, bytes: stored }, content: 'x'.repeat(stored) })
    expect(b).toMatchObject({ member: { key: 'b', ordinal: 1 }, content: 'b' })
  })

  test.each(['V', 'M', 'D', 'N', 'A', 'E', 'Z'])(
    'of type %s have type `other`, and their content is skipped',
    (type) => {
      const [a, b] = scanTar(tar(member({ name: 'a', type }, 'x'.repeat(600)), member({ name: 'b' })))
      expect(a).toMatchObject({ member: { type: 'other', bytes: 0 }, content: '' })
      expect(b?.member).toMatchObject({ key: 'b', offset: 512 + 1024 + 512 })
    },
  )

  test('with a trailing slash are directories in V7, but not in ustar', () => {
    const types = scanTar(
      tar(member({ name: 'a/', type: '\0', magic: MAGIC.v7 }), member({ name: 'b/', type: '0' })),
    ).map((found) => found.member.type)
    expect(types).toEqual(['directory', 'file'])
  })

  test('have link targets and device numbers only if their type does', () => {
    const bytes = tar(
      member({ name: 'l', type: '2', link: '../x/' }),
      member({ name: 'h', type: '1', link: '/bin/tool' }),
      member({ name: 'null', type: '3', device: [1, 3], link: 'ignored' }),
    )
    expect(scanTar(bytes).map(({ member: { link, device } }) => [link, device])).toEqual([
      ['../x/', undefined],
      ['/bin/tool', undefined],
      [undefined, [1, 3]],
    ])
  })

  test('have their times clamped to what RFC 3339 can write', () => {
    const bytes = tar(member({ name: 'a', mtime: 2 ** 60 }), member({ name: 'b', mtime: -(2 ** 60) }))
    expect(scanTar(bytes).map((found) => new Date(found.member.mtime / 1000).toISOString())).toEqual([
      '9999-12-31T23:59:59.000Z',
      '0001-01-01T00:00:00.000Z',
    ])
  })
})

describe('the end', () => {
  test('is at one block of zeros, whatever follows', () => {
    expect(names(Buffer.concat([member({ name: 'a' }), Buffer.alloc(512), Buffer.from('garbage')]))).toEqual([
      'a',
    ])
  })

  test('may be without a marker, between members', () => {
    expect(names(member({ name: 'a' }, 'x'))).toEqual(['a'])
    expect(names(new Uint8Array(0))).toEqual([])
  })

  test.each([
    [511, 'header', 511],
    [512, 'content', 512],
    [513, 'content', 513],
    [1023, 'content', 1023],
    [1025, 'header', 1025],
  ])('after %d bytes is in the middle of a %s', (bytes, where, at) => {
    const whole = Buffer.concat([member({ name: 'a' }, 'x'), member({ name: 'b' })])
    expect(() => scanTar(whole.subarray(0, bytes))).toThrow(
      `the tar ends in the middle of a member's ${where}, at byte ${at} of the uncompressed tar`,
    )
  })

  test('after any number of bytes is either of the two', () => {
    const whole = tar(pax({ path: 'long' }), member({ name: 'a' }, 'content'), member({ name: 'b' }))
    const found = scanTar(whole)
    for (let bytes = 0; bytes <= whole.length; bytes++) {
      let before: unknown
      try {
        before = scanTar(whole.subarray(0, bytes))
      } catch (error) {
        expect(error, `${bytes} bytes`).toMatchObject({ code: 'invalid_image' })
        expect(bytes % 512 !== 0 || bytes < 2048, `${bytes} bytes`).toBe(true)
        continue
      }
      expect(before, `${bytes} bytes`).toEqual(found.slice(0, bytes < 2048 ? 0 : bytes < 2560 ? 1 : 2))
    }
  })

  test('may not come between an extended header and its member', () => {
    expect(() => scanTar(pax({ path: 'a' }))).toThrow("in the middle of a member's header")
    expect(() => scanTar(tar(longName('a')))).toThrow(
      'an extended header is not followed by a member at byte 1024',
    )
    expect(names(tar(pax({ comment: 'as git archive writes' }, 'g')))).toEqual([])
  })
})

describe('extended headers', () => {
  test('of PAX override the header', () => {
    const xattr = { 'SCHILY.xattr.user.note': 'h\xc3\xa9llo' }
    const values = {
      path: 'p/\xff',
      uid: '4000000000',
      gid: '77',
      mtime: '1700000000.1234567',
      size: '3',
      ...xattr,
    }
    const bytes = tar(
      pax(values),
      header({ name: 'short', size: 99 }),
      padded(Buffer.from('abc')),
      member({ name: 'next' }),
    )
    const [first, next] = scanTar(bytes)
    expect(first).toMatchObject({
      member: {
        key: 'p\0\xff',
        uid: 4_000_000_000,
        gid: 77,
        mtime: 1_700_000_000_123_456,
        bytes: 3,
        xattrs: new Map([['user.note', 'h\xc3\xa9llo']]),
      },
      content: 'abc',
    })
    expect(next?.member).toMatchObject({ key: 'next', uid: 0, xattrs: undefined })
  })

  test('of PAX with an empty value leave what the header says', () => {
    const bytes = tar(pax({ path: '', uid: '', mtime: '' }), member({ name: 'a', uid: 5, mtime: 7 }))
    expect(fields(bytes)).toMatchObject({ key: 'a', uid: 5, mtime: 7_000_000 })
  })

  test('of PAX that are global apply to all that follow, until another one overrides them', () => {
    const bytes = tar(
      pax({ uid: '7', gid: '8' }, 'g'),
      member({ name: 'a' }),
      pax({ uid: '9' }),
      member({ name: 'b' }),
      pax({ uid: '' }, 'g'),
      member({ name: 'c', uid: 1 }),
    )
    expect(scanTar(bytes).map(({ member: { uid, gid } }) => [uid, gid])).toEqual([
      [7, 8],
      [9, 8],
      [1, 8],
    ])
  })

  test('of GNU give long names and targets', () => {
    const name = `gnu/${'g'.repeat(180)}`
    const target = 'q'.repeat(200)
    const link = member({ name: name.slice(0, 100), type: '2', link: target.slice(0, 100), magic: MAGIC.gnu })
    expect(fields(tar(longName(target, 'K'), longName(name), link))).toMatchObject({
      key: name.replace('/', '\0'),
      link: target,
    })
  })

  test('of Solaris are read like those of PAX', () => {
    expect(names(tar(pax({ path: 'solaris' }, 'X'), member({ name: 'a' })))).toEqual(['solaris'])
  })

  test('for the same field: the first one wins', () => {
    expect(names(tar(pax({ path: 'pax' }), longName('gnu'), member({ name: 'a' })))).toEqual(['pax'])
    expect(names(tar(longName('gnu'), pax({ path: 'pax' }), member({ name: 'a' })))).toEqual(['gnu'])
  })
})

describe('sparse members', () => {
  const piece = 'A'.repeat(600)
  const end = 'B'.repeat(10)
  const expanded = `${'\0'.repeat(1000)}${piece}${'\0'.repeat(400)}${end}${'\0'.repeat(90)}`
  const stored = padded(Buffer.from(piece + end))
  const map = [1000, 600, 2000, 10]
  const sparseHeader = (pieces: readonly number[], extended: boolean) => {
    const table = Buffer.alloc(4 * 24 + 1 + 12)
    pieces.forEach((number, i) => void writeNumber(table, i * 12, 12, number))
    table[96] = extended ? 1 : 0
    writeNumber(table, 97, 12, expanded.length)
    return header({ name: 's', type: 'S', size: 610, magic: MAGIC.gnu, patch: { 386: table } })
  }
  const next = member({ name: 'next' }, 'n')

  test.each([
    ['old format', [sparseHeader(map, false), stored]],
    [
      'old format with more blocks',
      [
        sparseHeader([1000, 100, 1100, 100, 1200, 100, 1300, 100], true),
        extension([1400, 100, 1500, 50], true),
        extension([1550, 50, 2000, 10], false),
        stored,
      ],
    ],
    [
      'PAX 0.0',
      [
        member(
          { type: 'x' },
          records([
            ['GNU.sparse.size', `${expanded.length}`],
            ...map.map(
              (n, i) => [i % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes', `${n}`] as const,
            ),
          ]),
        ),
        header({ name: 's', size: 610 }),
        stored,
      ],
    ],
    [
      'PAX 0.1',
      [
        pax({
          'GNU.sparse.size': `${expanded.length}`,
          'GNU.sparse.name': 's',
          'GNU.sparse.map': map.join(','),
          path: 'GNUSparseFile.1/s',
        }),
        header({ name: 'GNUSparseFile.1/s', size: 610 }),
        stored,
      ],
    ],
    [
      'PAX 1.0',
      [
        pax({
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.name': 's',
          'GNU.sparse.realsize': `${expanded.length}`,
        }),
        header({ name: 'GNUSparseFile.1/s', size: 512 + 610 }),
        padded(Buffer.from(`2\n${map.join('\n')}\n`)),
        stored,
      ],
    ],
  ])('of %s are expanded, however the stream is cut', (_, parts) => {
    for (const cuts of [[1 << 20], [1], [511, 1, 513]]) {
      const [sparse, after] = scanTar(tar(...parts, next), { cuts })
      expect(sparse?.member).toMatchObject({ key: 's', bytes: expanded.length, type: 'file' })
      expect(sparse?.content).toBe(expanded)
      expect(after).toMatchObject({ member: { key: 'next' }, content: 'n' })
    }
  })

  test('that are nothing but a hole', () => {
    const all = { 'GNU.sparse.size': '200000', 'GNU.sparse.map': '200000,0' }
    expect(only(tar(pax(all), header({ name: 's' }))).content).toBe('\0'.repeat(200_000))
  })

  test.each([
    ['goes past the end', '2090,20', 'exceeds its size'],
    ['does not ascend', '500,100,400,100', 'exceeds its size'],
    ['covers more than is stored', '0,700', 'stores fewer bytes than its map lists'],
    ['is not a list of numbers', '0,x', 'is malformed'],
  ])('whose map %s are refused', (_, text, message) => {
    const head = pax({ 'GNU.sparse.size': `${expanded.length}`, 'GNU.sparse.map': text })
    expect(() => scanTar(tar(head, header({ name: 's', size: 610 }), stored))).toThrow(message)
  })

  test('whose map at the head of the content has no end are refused', () => {
    const head = pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '10' })
    const endless = padded(Buffer.from(`9\n${'1\n'.repeat(3)}`))
    expect(() => scanTar(tar(head, header({ name: 's', size: 512 }), endless))).toThrow('does not end')
  })

  function extension(pieces: readonly number[], extended: boolean): Uint8Array {
    const block = Buffer.alloc(512)
    pieces.forEach((number, i) => void writeNumber(block, i * 12, 12, number))
    block[504] = extended ? 1 : 0
    return block
  }
})

describe('limits', () => {
  const bytes = { bytes: 10_000, setting: 'LAMINA_MAX_LAYER_BYTES' }
  const refusal = (tarBytes: Uint8Array, limits = {}) => {
    try {
      return scanTar(tarBytes, { limits }).length
    } catch (error) {
      return error
    }
  }

  test('refuse a size when they read its header', () => {
    for (const size of [10_000, 2 ** 62]) {
      expect(refusal(header({ name: 'a', size }), { bytes })).toMatchObject({
        code: 'too_large',
        message: `a member of ${size} bytes at byte 0 of the uncompressed tar: at most 10000 in all (LAMINA_MAX_LAYER_BYTES)`,
      })
    }
  })

  test('apply to the number of holes', () => {
    const hole = pax({ 'GNU.sparse.size': '6000', 'GNU.sparse.map': '6000,0' })
    const one = Buffer.concat([hole, header({ name: 's' })])
    expect(refusal(one, { bytes })).toBe(1)
    expect(refusal(Buffer.concat([one, one]), { bytes })).toMatchObject({ code: 'too_large' })
  })

  test('apply to the number of members', () => {
    const three = tar(...['a', 'b', 'c'].map((name) => member({ name })))
    expect(refusal(three, { entries: 3 })).toBe(3)
    expect(refusal(three, { entries: 2 })).toMatchObject({
      code: 'too_large',
      message: expect.stringContaining('LAMINA_MAX_ENTRIES'),
    })
  })

  test('refuse an extended header past 1 MiB before reading it', () => {
    const fits = pax({ comment: 'c'.repeat(1024 * 1024 - '1048576 comment=\n'.length) })
    expect(names(tar(fits, member({ name: 'a' })))).toEqual(['a'])
    for (const type of ['x', 'g', 'L', 'K']) {
      expect(refusal(header({ type, size: 1024 * 1024 + 1 }))).toMatchObject({ code: 'too_large' })
    }
  })

  test('refuse extended headers without end', () => {
    const many = Array.from({ length: 5000 }, () => longName('a'))
    expect(refusal(tar(...many, member({ name: 'a' })))).toMatchObject({ code: 'too_large' })
  })

  test('refuse paths past 4,096 bytes and 256 parts', () => {
    const path = (text: string) => refusal(tar(pax({ path: text }), member({ name: 'a' })))
    expect(path('x'.repeat(4096))).toBe(1)
    expect(path('x'.repeat(4097))).toMatchObject({ code: 'too_large' })
    expect(path('d/'.repeat(256))).toBe(1)
    expect(path('d/'.repeat(257))).toMatchObject({ code: 'too_large' })
  })

  test('refuse negative sizes', () => {
    expect(refusal(header({ name: 'a', size: -1 }))).toMatchObject({
      code: 'invalid_image',
      message: 'a member has a size of -1 bytes at byte 0 of the uncompressed tar',
    })
  })
})

describe('what is not a tar', () => {
  test.each([
    [
      'a page',
      Buffer.from('<html>blocked by proxy</html>'.repeat(100)),
      'this is no tar: no valid header at byte 0',
    ],
    [
      'a header with a wrong checksum',
      Buffer.concat([
        member({ name: 'a' }),
        header({ name: 'b' }).map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
      ]),
      'the checksum of the header does not match at byte 512',
    ],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => scanTar(bytes)).toThrow(message)
  })
})
