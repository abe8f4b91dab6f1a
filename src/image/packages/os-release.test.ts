import { expect, it } from 'vitest'
import { pieces } from '../../../test/support/findings.ts'
import { readOsReleaseId } from './os-release.ts'

it.each([
  ['PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n', 'debian'],
  ['ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'opensuse-leap'],
  ["ID='alpine' \r\n", 'alpine'],
  ['ID_LIKE=debian\n', undefined],
  ['ID=not an id\n', undefined],
  ['ID="\n', undefined],
  [`ID=${'a'.repeat(1000)}\n`, undefined],
])('the ID in %j is %s', async (text, id) => {
  expect(await readOsReleaseId(pieces(text))).toBe(id)
})
