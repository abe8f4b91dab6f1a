import { expect, it } from 'vitest'
import { gather, pieces } from '../../../test/support/findings.ts'
import { readAlpmDesc, readAlpmFiles } from './alpm.ts'
import { UnreadableDatabase } from './found.ts'

const DESC = `%NAME%
bash

%VERSION%
5.3.3-1

%DESC%
%NAME%
The GNU Bourne Again shell

%ARCH%
x86_64

%NAME%
not-again
`

it.each([1, 7, 10_000])('lists the package of a desc, read in pieces of %i bytes', async (size) => {
  expect((await gather(readAlpmDesc(pieces(DESC, size)))).packages).toEqual([
    { type: 'alpm', name: 'bash', version: '5.3.3-1', architecture: 'x86_64' },
  ])
})

it('a desc without a version or an architecture has none, and one without a name no package', async () => {
  expect((await gather(readAlpmDesc(pieces('%NAME%\nbase')))).packages).toEqual([
    { type: 'alpm', name: 'base', version: '' },
  ])
  expect((await gather(readAlpmDesc(pieces('%NAME%\n\n%VERSION%\n1\n')))).packages).toEqual([])
})

it('refuses a name that is too long', async () => {
  const long = `%NAME%\n${'a'.repeat(2_000)}\n`
  await expect(gather(readAlpmDesc(pieces(long)))).rejects.toThrow(UnreadableDatabase)
})

it.each([1, 7, 10_000])('lists files without directories and backups, read in pieces of %i', async (size) => {
  const files = '%FILES%\netc/\netc/bash.bashrc\nusr/bin/bash\nusr/../up\n\n%BACKUP%\netc/bash.bashrc\t0123\n'
  expect((await gather(readAlpmFiles(pieces(files, size)))).files).toEqual({
    '': ['etc/bash.bashrc', 'usr/bin/bash', 'up'],
  })
})
