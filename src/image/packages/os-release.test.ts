import { expect, it } from 'vitest'
import { parseOsReleaseId } from './os-release.ts'

it.each([
  ['PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n', 'debian'],
  ['ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'opensuse-leap'],
  ['ID_LIKE=debian\n', undefined],
  ['ID=not an id\n', undefined],
])('of %j the ID is %s', (text, id) => {
  expect(parseOsReleaseId(Buffer.from(text))).toBe(id)
})
