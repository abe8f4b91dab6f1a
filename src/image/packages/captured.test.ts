import { expect, it } from 'vitest'
import { isPackageDatabase } from '../../layer/database.ts'
import { pathToKey } from '../../text/path.ts'
import { databaseKind } from './database.ts'

it.each([
  'var/lib/dpkg/status',
  'var/lib/dpkg/status.d/netbase',
  'var/lib/dpkg/status.d/netbase.md5sums',
  'var/lib/dpkg/info/libc6:amd64.list',
  'lib/apk/db/installed',
  'usr/lib/apk/db/installed',
  'var/lib/rpm/rpmdb.sqlite',
  'usr/lib/sysimage/rpm/rpmdb.sqlite',
  'app/node_modules/@s/a/package.json',
  'node_modules/node_modules/package.json',
  'venv/p-1.dist-info/METADATA',
  'venv/p-1.dist-info/RECORD',
  'usr/lib/six.egg-info',
  'usr/lib/six.egg-info/PKG-INFO',
  'usr/lib/six.egg-info/installed-files.txt',
  'etc/os-release',
  'usr/lib/os-release',
])('%s is kept of a layer, since it is read here', (path) => {
  expect(databaseKind(pathToKey(path))).toBeDefined()
  expect(isPackageDatabase(pathToKey(path))).toBe(true)
})
