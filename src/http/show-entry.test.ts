import { expect, test } from 'vitest'
import { fileSchema } from './routes/files.schema.ts'
import { showFile, showMember, showTime } from './show-entry.ts'

test.each([
  [0, '1970-01-01T00:00:00Z'],
  [1_794_169_200_000_000, '2026-11-08T20:20:00Z'],
  [1_794_169_200_000_001, '2026-11-08T20:20:00.000001Z'],
  [-1, '1969-12-31T23:59:59.999999Z'],
  [-62_167_219_200_000_000, '0000-01-01T00:00:00Z'],
  [-9e18, '0000-01-01T00:00:00Z'],
  [9e18, '9999-12-31T23:59:59Z'],
])('%d microseconds are %s', (microseconds, text) => {
  expect(showTime(microseconds)).toBe(text)
})

const entry = {
  key: 'usr\0bin\0passwd',
  type: 'file',
  bytes: 5,
  mode: 0o4755,
  uid: 0,
  gid: 1,
  mtime: 0,
  ordinal: 3,
  offset: 512,
} as const

test('a member shows the fields that it has and no others', () => {
  expect(showMember(entry, 2)).toEqual({
    path: 'usr/bin/passwd',
    type: 'file',
    bytes: 5,
    mode: '4755',
    uid: 0,
    gid: 1,
    mtime: '1970-01-01T00:00:00Z',
    layer: 2,
  })
})

test('bytes that are not UTF-8 are shown exactly, as base64 beside readable text', () => {
  const odd = {
    ...entry,
    key: 'caf\xe9',
    type: 'symlink',
    link: '\xff',
    sha256: '\x00\xab',
    device: [1, 3],
    xattrs: new Map([['user.a', '\xff']]),
    whiteout: 'file',
    layer: 1,
    inode: 7,
    implicit: true,
  } as const
  const shown = showFile(odd)
  expect(shown).toMatchObject({
    path: 'caf\ufffd',
    pathBase64: 'Y2Fm6Q==',
    link: '\ufffd',
    linkBase64: '/w==',
    sha256: '00ab',
    device: '1:3',
    xattrs: { 'user.a': '/w==' },
    whiteout: 'file',
    layer: 1,
    inode: 7,
    implicit: true,
  })
  expect(fileSchema.safeParse({ ...shown, sha256: '00'.repeat(32) }).success).toBe(true)
})
