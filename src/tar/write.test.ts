/** What is written, read back by this project's scanner, by tar-stream and by GNU tar. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { extract, type Header } from 'tar-stream'
import { expect, it, test } from 'vitest'
import { scanTar } from '../../test/support/scan-tar.ts'
import { encodeText, toBytes } from '../text/bytes.ts'
import { pathToKey } from '../text/path.ts'
import { contentPadding, END_OF_ARCHIVE, memberHeader, type WrittenMember } from './write.ts'

const PLAIN: WrittenMember = { path: 'a', type: 'file', bytes: 0, mode: 0o644, uid: 0, gid: 0, mtime: 0 }

function write(...members: readonly (readonly [WrittenMember, content?: string])[]): Uint8Array {
  const parts = members.flatMap(([member, content = '']) => [
    memberHeader(member),
    toBytes(content),
    contentPadding(content.length),
  ])
  return Buffer.concat([...parts, END_OF_ARCHIVE])
}

const name = fc
  .string({
    unit: fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
    minLength: 1,
    maxLength: 120,
  })
  .map((part) => part.replaceAll('/', '_'))
  .filter((part) => part !== '.' && part !== '..' && !part.startsWith('.wh.'))
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const attribute = fc
  .string({ minLength: 1, maxLength: 20 })
  .map((text) => encodeText(text).replaceAll('=', '').replaceAll('\0', '') || 'x')
const ids = fc.oneof(fc.nat(0o7777777), fc.integer({ min: 0, max: 2 ** 32 - 1 }))

const member: fc.Arbitrary<readonly [WrittenMember, string]> = fc
  .record({
    path,
    type: fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo'),
    content: fc.string({ maxLength: 1500 }).map(encodeText),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: ids,
    gid: ids,
    mtime: fc.integer({ min: -(10 ** 15), max: 4 * 10 ** 15 }),
    link: path,
    device: fc.tuple(ids, ids),
    xattrs: fc.uniqueArray(fc.tuple(attribute, attribute), { maxLength: 3, selector: ([key]) => key }),
  })
  .map(({ type, content, link, device, xattrs, ...rest }) => {
    const isDevice = type === 'character' || type === 'block'
    const isLink = type === 'symlink' || type === 'hardlink'
    const body = type === 'file' ? content : ''
    return [
      {
        ...rest,
        type,
        bytes: body.length,
        ...(isLink ? { link } : {}),
        ...(isDevice ? { device } : {}),
        ...(xattrs.length > 0 ? { xattrs: new Map(xattrs.sort(([a], [b]) => (a < b ? -1 : 1))) } : {}),
      } satisfies WrittenMember,
      body,
    ] as const
  })

test('the scanner reads every field back', () => {
  fc.assert(
    fc.property(fc.array(member, { maxLength: 5 }), (members) => {
      const found = scanTar(write(...members))
      expect(
        found.map(
          ({ member: { key, type, bytes, mode, uid, gid, mtime, link, device, xattrs }, content }) => ({
            key,
            type,
            bytes,
            mode,
            uid,
            gid,
            mtime,
            link,
            device,
            xattrs,
            content,
          }),
        ),
      ).toEqual(
        members.map(([{ path: at, ...fields }, content]) => ({
          link: undefined,
          device: undefined,
          xattrs: undefined,
          ...fields,
          key: pathToKey(at),
          content,
        })),
      )
    }),
    { numRuns: 200 },
  )
})

const LONG = `${'d'.repeat(120)}/${'e'.repeat(120)}/f`
const TEXT = encodeText('blåbær/🐳')

it('tar-stream reads long and foreign names, large numbers and extended attributes', async () => {
  const found: Header[] = []
  const reader = extract()
  reader.on('entry', (header, stream, next) => {
    found.push(header)
    stream.on('end', next).resume()
  })
  reader.end(
    Buffer.from(
      write(
        [{ ...PLAIN, path: LONG, bytes: 5, uid: 3_000_000, mtime: 1_500_000 }, 'hello'],
        [
          {
            ...PLAIN,
            path: TEXT,
            type: 'symlink',
            link: encodeText('ø'),
            xattrs: new Map([['user.a', 'b']]),
          },
        ],
        [{ ...PLAIN, path: 'dir', type: 'directory', mode: 0o1777 }],
      ),
    ),
  )
  await once(reader, 'finish')
  expect(found).toMatchObject([
    { name: LONG, size: 5, pax: { mtime: '1.5', uid: '3000000' } },
    { name: 'blåbær/🐳', linkname: 'ø', type: 'symlink', pax: { 'SCHILY.xattr.user.a': 'b' } },
    { name: 'dir/', type: 'directory', mode: 0o1777 },
  ])
})

it('GNU tar lists it without complaint', async () => {
  const raw = '\xff\xfe'
  const tar = write(
    [{ ...PLAIN, path: 'd', type: 'directory' }],
    [{ ...PLAIN, path: LONG, bytes: 3 }, 'abc'],
    [{ ...PLAIN, path: raw }],
    [{ ...PLAIN, path: 'link', type: 'hardlink', link: LONG }],
    [{ ...PLAIN, path: 'dev', type: 'character', device: [1, 3] }],
    [{ ...PLAIN, path: TEXT, mtime: -1_500_000 }],
  )
  const listed = promisify(execFile)('tar', ['-tvf', '-'], {
    env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
  })
  listed.child.stdin?.end(tar)
  const { stdout, stderr } = await listed
  expect(stderr).toBe('')
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) =>
        line
          .split(/ +/)
          .slice(0, 1)
          .concat(line.split(/:\d\d /)[1] ?? ''),
      ),
  ).toStrictEqual([
    ['drw-r--r--', 'd/'],
    ['-rw-r--r--', LONG],
    ['-rw-r--r--', '\\377\\376'],
    ['hrw-r--r--', `link link to ${LONG}`],
    ['crw-r--r--', 'dev'],
    ['-rw-r--r--', 'blåbær/🐳'],
  ])
})

it('plain ustar is used for what ustar can express', () => {
  const fits = `${'p'.repeat(155)}/${'n'.repeat(100)}`
  expect(memberHeader({ ...PLAIN, path: fits })).toHaveLength(512)
  expect(memberHeader({ ...PLAIN, path: `p${fits}` })).toHaveLength(3 * 512)
  expect(memberHeader({ ...PLAIN, path: '\xff'.repeat(100) })).toHaveLength(512)
  expect(Buffer.from(memberHeader({ ...PLAIN, path: '\xff'.repeat(101) })).toString('latin1')).toContain(
    '21 hdrcharset=BINARY\n',
  )
})
