import { expect, it } from 'vitest'
import { keyToPath } from '../../text/path.ts'
import { parseApkInstalled } from './apk.ts'

const INSTALLED = `C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:alpine-baselayout
V:3.6.8-r1
A:x86_64
S:8515
T:Alpine base dir structure and init scripts
F:
F:etc
R:motd
Z:Q1SLkS9hBidUbPwwrw+XR0Whv3ww8=
F:etc/profile.d
R:color_prompt.sh.disabled
a:0:0:755

C:Q1MZA0Aw9/AnAuMUKfOOw/Q9jaMiM=
P:.build-deps
V:20240601.101112
A:noarch

T:a paragraph without a package
`

it('lists packages with their files', () => {
  const packages = parseApkInstalled(Buffer.from(INSTALLED))
  expect(packages.map(({ files: _, ...told }) => told)).toEqual([
    { type: 'apk', name: 'alpine-baselayout', version: '3.6.8-r1', architecture: 'x86_64' },
    { type: 'apk', name: '.build-deps', version: '20240601.101112', architecture: 'noarch' },
  ])
  expect(packages.map(({ files = [] }) => [...files].map(keyToPath))).toEqual([
    ['etc/motd', 'etc/profile.d/color_prompt.sh.disabled'],
    [],
  ])
})
