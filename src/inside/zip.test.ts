import { crc32, deflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { zipOf } from '../../test/support/zip.ts'
import { rangesOf } from './ranges.ts'
import { entryContent, storedContent } from './zip-content.ts'
import { requireZipEnd } from './zip-end.ts'
import { readZipRows } from './zip-rows.ts'

async function list(bytes: Uint8Array) {
  const file = rangesOf(bytes)
  const end = await requireZipEnd(file)
  const found: Record<string, string> = {}
  for await (const rows of readZipRows(file, end)) {
    for (const row of rows) {
      const pieces: Uint8Array[] = []
      const entry = { ...row, headerOffset: end.start + row.headerOffset }
      for await (const piece of entryContent(await storedContent(file, entry), entry))
        pieces.push(piece.slice())
      found[row.name] = Buffer.concat(pieces).toString()
    }
  }
  return found
}

const files = { 'a/b.txt': 'stored', 'c.txt': 'deflated '.repeat(300_000) }

test('a zip is read by its directory, behind a stub and before a comment that looks like an end', async () => {
  expect(await list(zipOf(files))).toEqual(files)
  const comment = Buffer.concat([Buffer.from('PK\x05\x06 is no end'), Buffer.alloc(60_000)])
  expect(await list(zipOf(files, { stub: Buffer.from('#!/bin/sh\n'), comment }))).toEqual(files)
})

test('zip64 says where a directory is that the end record cannot hold', async () => {
  expect(await list(zipOf(files, { zip64: 'yes' }))).toEqual(files)
})

test('damage is a problem that says where', async () => {
  const zip = Buffer.from(zipOf(files))
  await expect(list(zip.subarray(0, -1))).rejects.toMatchObject({ code: 'invalid_archive' })
  const changed = Buffer.from(zip)
  changed.write('x', zip.indexOf('stored'))
  await expect(list(changed)).rejects.toThrow('another CRC-32')
  const cut = Buffer.from(zip)
  cut.write('x', zip.indexOf('PK\x01\x02'))
  await expect(list(cut)).rejects.toThrow('the central directory is damaged at byte')
})

test('an entry that inflates to more than the directory says stops there', async () => {
  const bomb = deflateRawSync(Buffer.alloc(50_000_000))
  const zip = zipOf({}, { raw: [{ name: 'bomb', stored: bomb, bytes: 2_000_000, crc32: crc32('') }] })
  await expect(list(zip)).rejects.toThrow('longer than the 2000000 bytes')
})
