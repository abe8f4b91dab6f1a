/** The scanner against tar-stream, on archives of every dialect. */
import { once } from 'node:events'
import fc from 'fast-check'
import { extract, type Header } from 'tar-stream'
import { expect, test } from 'vitest'
import { cut, type Scanned, scanTar } from '../../test/support/scan-tar.ts'
import { type HeaderFields, longName, MAGIC, member, pax, tar } from '../../test/support/tar.ts'
import { decodeText, encodeText } from '../text/bytes.ts'
import { cleanPath } from '../text/clean-path.ts'
import type { MemberType } from './member.ts'

const RUNS = process.env.LAMINA_LONG === undefined ? 200 : 2000

type Dialect = 'v7' | 'ustar' | 'gnu' | 'pax'

type Spec = {
  readonly dialect: Dialect
  readonly fields: HeaderFields & { readonly name: string; readonly type: string; readonly link: string }
  readonly content: Uint8Array
}

const part = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }).map((s) => s.replace(/[/\0]/g, '_'))
const path = fc
  .array(fc.oneof(part, fc.constantFrom('.', '..', '', 'usr', 'lib', '.wh.x', '.wh..wh..opq')), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => parts.join('/'))

const spec: fc.Arbitrary<Spec> = fc
  .record({
    dialect: fc.constantFrom<Dialect>('v7', 'ustar', 'gnu', 'pax'),
    name: path,
    link: path,
    type: fc.constantFrom('0', '0', '0', '1', '2', '3', '4', '5', '6', '7'),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 0o7777777 }),
    gid: fc.integer({ min: 0, max: 2 ** 32 }),
    mtime: fc.integer({ min: 0, max: 2 ** 34 }),
    device: fc.tuple(fc.nat(4095), fc.nat(255)),
    content: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 500, maxLength: 1600 })),
  })
  .map(({ dialect, content, name, link, ...fields }) => {
    const within = (text: string) =>
      dialect === 'v7' || dialect === 'ustar' ? shorten(text, 100) : encodeText(text)
    const stores = fields.type === '0' || fields.type === '7'
    return {
      dialect,
      fields: { ...fields, name: within(name), link: within(link), magic: magicOf(dialect) },
      content: stores ? content : new Uint8Array(0),
    }
  })

function magicOf(dialect: Dialect): string {
  return dialect === 'v7' ? MAGIC.v7 : dialect === 'gnu' ? MAGIC.gnu : MAGIC.ustar
}

/** Text of at most this many bytes of UTF-8. */
function shorten(text: string, bytes: number): string {
  let short = [...text]
  while (encodeText(short.join('')).length > bytes) short = short.slice(0, -1)
  return encodeText(short.join(''))
}

function write({ dialect, fields, content }: Spec): Uint8Array {
  const { name, link } = fields
  const before: Uint8Array[] = []
  if (dialect === 'gnu') {
    if (link.length > 100) before.push(longName(link, 'K'))
    if (name.length > 100) before.push(longName(name))
  }
  if (dialect === 'pax') before.push(pax({ path: name, linkpath: link, size: `${content.length}` }))
  return Buffer.concat([...before, member(fields, content)])
}

/** The members as tar-stream reads them. */
async function extracted(bytes: Uint8Array): Promise<{ header: Header; content: string }[]> {
  // It does not know V7; its types lack this option.
  const options = { highWaterMark: 16_384, allowUnknownFormat: true }
  const stream = extract(options)
  const found: { header: Header; content: string }[] = []
  stream.end(bytes)
  for await (const entry of stream) {
    const { header } = entry
    const chunks: Uint8Array[] = []
    entry.on('data', (chunk) => {
      if (chunk instanceof Uint8Array) chunks.push(chunk)
    })
    await once(entry, 'end')
    found.push({ header, content: Buffer.concat(chunks).toString('latin1') })
  }
  return found
}

const TYPES: Record<string, MemberType> = {
  file: 'file',
  'contiguous-file': 'file',
  link: 'hardlink',
  symlink: 'symlink',
  'character-device': 'character',
  'block-device': 'block',
  directory: 'directory',
  fifo: 'fifo',
}

/** What both can express, in the same form. */
function theirs({ header, content }: { header: Header; content: string }): object {
  const type = TYPES[header.type ?? '']
  return {
    key: cleanPath(Buffer.from(header.name)).key,
    type,
    bytes: header.size,
    mode: header.mode,
    uid: header.uid,
    gid: header.gid,
    mtime: (header.mtime?.getTime() ?? 0) * 1000,
    link: type === 'symlink' || type === 'hardlink' ? (header.linkname ?? '') : undefined,
    device: type === 'character' || type === 'block' ? [header.devmajor, header.devminor] : undefined,
    content,
  }
}

function ours({ member, content }: Scanned): object {
  const { key, type, bytes, mode, uid, gid, mtime, link, device } = member
  return {
    key,
    type,
    bytes,
    mode,
    uid,
    gid,
    mtime,
    link: link === undefined ? undefined : decodeText(link).text,
    device,
    content,
  }
}

test('the scanner reads an archive, in chunks of any size, as tar-stream does', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(spec, { maxLength: 12 }),
      fc.array(fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3000 })), {
        minLength: 1,
        maxLength: 9,
      }),
      async (specs, cuts) => {
        const bytes = tar(...specs.map(write))
        expect(scanTar(bytes, { cuts }).map(ours)).toEqual((await extracted(bytes)).map(theirs))
      },
    ),
    { numRuns: RUNS },
  )
})

test('the chunks have the requested sizes', () => {
  expect([...cut(Buffer.from('abcdefg'), [1, 3])].map(String)).toEqual(['a', 'bcd', 'e', 'fg'])
})
