import { expect, it } from 'vitest'
import { gather, pieces } from '../../../test/support/findings.ts'
import { readApkInstalled } from './apk.ts'

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

it.each([1, 7, 10_000])('lists packages with their files, read in pieces of %i bytes', async (size) => {
  expect(await gather(readApkInstalled(pieces(INSTALLED, size)))).toEqual({
    packages: [
      { type: 'apk', name: 'alpine-baselayout', version: '3.6.8-r1', architecture: 'x86_64' },
      { type: 'apk', name: '.build-deps', version: '20240601.101112', architecture: 'noarch' },
    ],
    files: { 'alpine-baselayout': ['etc/motd', 'etc/profile.d/color_prompt.sh.disabled'] },
  })
})
