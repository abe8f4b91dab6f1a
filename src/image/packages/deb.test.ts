import { expect, it } from 'vitest'
import { gather, pieces } from '../../../test/support/findings.ts'
import { readDpkgList, readDpkgStatus, readDpkgSums } from './deb.ts'
import { UnreadableDatabase } from './found.ts'

const STATUS = `Package: adduser
Status: install ok installed
Priority: important
Installed-Size: 455
Architecture: all
Multi-Arch: foreign
Version: 3.152
Description: add and remove users and groups
 This package includes the 'adduser' and 'deluser' commands.
 .
 Package: this is a continuation
Conffiles:
 /etc/deluser.conf 2de3ef61f0f3e3a0b3ba5d5b4c6d8c4a

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: broken
Status: install ok half-installed
Architecture: amd64
Version: 1.0

Package: libc6
Status: hold ok installed
Architecture: amd64
Version: 2.41-12

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.41-12
`

it.each([1, 7, 10_000])('lists what is installed, read in pieces of %i bytes', async (size) => {
  const { packages } = await gather(readDpkgStatus(pieces(STATUS, size)))
  expect(packages).toEqual([
    { type: 'deb', name: 'adduser', version: '3.152', architecture: 'all' },
    { type: 'deb', name: 'libc6', version: '2.41-12', architecture: 'amd64' },
    { type: 'deb', name: 'libc6', version: '2.41-12', architecture: 'i386' },
  ])
})

it('treats a paragraph without a status as installed, as in distroless images', async () => {
  const { packages } = await gather(
    readDpkgStatus(pieces('Package: netbase\nVersion: 6.4\nArchitecture: all\n')),
  )
  expect(packages).toEqual([{ type: 'deb', name: 'netbase', version: '6.4', architecture: 'all' }])
})

it('finds nothing in bytes that are not a status file', async () => {
  const { packages } = await gather(readDpkgStatus([Uint8Array.of(0, 255, 10, 10, 200)]))
  expect(packages).toEqual([])
})

it('skips a line of any length', async () => {
  const status = `Package: a\nProvides: ${'b, '.repeat(100_000)}\nVersion: 1\n`
  const { packages } = await gather(readDpkgStatus(pieces(status, 10_000)))
  expect(packages).toEqual([{ type: 'deb', name: 'a', version: '1' }])
})

it('refuses a name longer than any real one', async () => {
  const read = gather(readDpkgStatus(pieces(`Package: ${'a'.repeat(2000)}\n`)))
  await expect(read).rejects.toBeInstanceOf(UnreadableDatabase)
})

it.each([1, 7, 10_000])('lists files without their directories, read in pieces of %i bytes', async (size) => {
  const list =
    '/.\n/usr\n/usr/bin\n/usr/bin/a\n/usr/bin/a-b\n/usr/share\n/usr/share/a\n/usr/share/a/x\n/var\n/var/a\n'
  const { files } = await gather(readDpkgList(pieces(list, size)))
  expect(files).toEqual({ '': ['usr/bin/a', 'usr/bin/a-b', 'usr/share/a/x', 'var/a'] })
})

it('reads the paths of a list of sums', async () => {
  const sums =
    'd41d8cd98f00b204e9800998ecf8427e  ./etc/services\nnothing\nd41d8cd98f00b204e9800998ecf8427e  usr/a b\n'
  const { files } = await gather(readDpkgSums(pieces(sums)))
  expect(files).toEqual({ '': ['etc/services', 'usr/a b'] })
})
