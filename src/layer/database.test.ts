import { expect, test } from 'vitest'
import { pathToKey } from '../text/path.ts'
import { isPackageDatabase } from './database.ts'

test.each([
  'var/lib/dpkg/status',
  'var/lib/dpkg/status.d/base-files',
  'var/lib/dpkg/status.d/base-files.md5sums',
  'var/lib/dpkg/info/libc6:amd64.list',
  'lib/apk/db/installed',
  'usr/lib/apk/db/installed',
  'var/lib/rpm/rpmdb.sqlite',
  'usr/lib/sysimage/rpm/rpmdb.sqlite',
  'etc/os-release',
  'usr/lib/os-release',
  'node_modules/a/package.json',
  'app/node_modules/a/node_modules/@s/b/package.json',
  'usr/lib/python3/dist-packages/a-1.0.dist-info/METADATA',
  'usr/lib/python3/dist-packages/a-1.0.dist-info/RECORD',
  'usr/lib/python3/dist-packages/a-1.0.egg-info',
  'usr/lib/python3/dist-packages/a-1.0.egg-info/PKG-INFO',
  'usr/lib/python3/dist-packages/a-1.0.egg-info/installed-files.txt',
])('%s is a package database', (path) => {
  expect(isPackageDatabase(pathToKey(path))).toBe(true)
})

test.each([
  '',
  'x/var/lib/dpkg/status',
  'var/lib/dpkg/status-old',
  'var/lib/dpkg/status.d/a/b',
  'var/lib/dpkg/info/a.md5sums',
  'var/lib/dpkg/info/a/b.list',
  'package.json',
  'app/package.json',
  'node_modules/package.json',
  'node_modules/a/lib/package.json',
  'node_modules/a@1/package.json',
  'xnode_modules/a/package.json',
  'a-1.0.dist-info/WHEEL',
  'dist-info/METADATA',
  'METADATA',
  'PKG-INFO',
])('%s is none', (path) => {
  expect(isPackageDatabase(pathToKey(path))).toBe(false)
})
