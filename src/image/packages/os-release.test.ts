import { expect, it } from 'vitest'
import { pieces } from '../../../test/support/findings.ts'
import { type Distribution, readOsRelease } from './os-release.ts'

it.each<[string, Distribution | undefined]>([
  [
    'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n',
    { id: 'debian', version: '13' },
  ],
  ['ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', { id: 'opensuse-leap' }],
  ["ID='alpine' \r\n", { id: 'alpine' }],
  ['ID_LIKE=debian\n', undefined],
  ['ID=not an id\n', undefined],
  ['ID="\n', undefined],
  [`ID=${'a'.repeat(1000)}\n`, undefined],
])('the distribution in %j is %j', async (text, id) => {
  expect(await readOsRelease(pieces(text))).toEqual(id)
})
