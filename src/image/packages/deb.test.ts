import { expect, it } from 'vitest'
import { keyToPath } from '../../text/path.ts'
import { parseDpkgList, parseDpkgStatus, parseDpkgSums } from './deb.ts'

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

it('lists what is installed, once a name and architecture', () => {
  expect(parseDpkgStatus(Buffer.from(STATUS))).toEqual([
    { type: 'deb', name: 'adduser', version: '3.152', architecture: 'all' },
    { type: 'deb', name: 'libc6', version: '2.41-12', architecture: 'amd64' },
    { type: 'deb', name: 'libc6', version: '2.41-12', architecture: 'i386' },
  ])
})

it('takes a paragraph without a status for installed, as distroless images have it', () => {
  expect(parseDpkgStatus(Buffer.from('Package: netbase\nVersion: 6.4\nArchitecture: all\n'))).toEqual([
    { type: 'deb', name: 'netbase', version: '6.4', architecture: 'all' },
  ])
})

it('makes nothing of bytes that are no status', () => {
  expect(parseDpkgStatus(Uint8Array.of(0, 255, 10, 10, 200))).toEqual([])
})

it('lists files without the directories that they are in', () => {
  const list =
    '/.\n/usr\n/usr/bin\n/usr/bin/a\n/usr/bin/a-b\n/usr/share\n/usr/share/a\n/usr/share/a/x\n/var\n/var/a\n'
  expect([...parseDpkgList(Buffer.from(list))].map(keyToPath)).toEqual([
    'usr/bin/a',
    'usr/bin/a-b',
    'usr/share/a/x',
    'var/a',
  ])
})

it('reads the paths of a list of sums', () => {
  const sums =
    'd41d8cd98f00b204e9800998ecf8427e  ./etc/services\nnothing\nd41d8cd98f00b204e9800998ecf8427e  usr/a b\n'
  expect([...parseDpkgSums(Buffer.from(sums))].map(keyToPath)).toEqual(['etc/services', 'usr/a b'])
})
