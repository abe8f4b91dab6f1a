import { describe, expect, it } from 'vitest'
import { keyToPath, pathToKey } from '../../text/path.ts'
import { databaseKind, npmDirectory, resolvePath } from './database.ts'

describe('databaseKind', () => {
  it.each([
    ['var/lib/dpkg/status', 'debStatus'],
    ['var/lib/dpkg/status.d/base-files', 'debStatusPart'],
    ['var/lib/dpkg/status.d/base-files.md5sums', 'debSums'],
    ['var/lib/dpkg/info/libc6:amd64.list', 'debFiles'],
    ['lib/apk/db/installed', 'apk'],
    ['usr/lib/sysimage/rpm/rpmdb.sqlite', 'rpm'],
    ['app/node_modules/left-pad/package.json', 'npm'],
    ['node_modules/@types/node/package.json', 'npm'],
    ['node_modules/a/node_modules/b/package.json', 'npm'],
    ['node_modules/node_modules/package.json', 'npm'],
    ['usr/lib/python3/dist-packages/six.egg-info', 'pypi'],
    ['usr/lib/python3/dist-packages/six.egg-info/PKG-INFO', 'pypi'],
    ['venv/pip-25.0.dist-info/METADATA', 'pypi'],
    ['venv/pip-25.0.dist-info/RECORD', 'pypiRecord'],
    ['etc/os-release', 'osRelease'],
  ])('%s is %s', (path, kind) => {
    expect(databaseKind(pathToKey(path))).toBe(kind)
  })

  it.each([
    'old/var/lib/dpkg/status',
    'var/lib/dpkg/status-old',
    'var/lib/dpkg/status.d',
    'var/lib/dpkg/status.d/a/b',
    'var/lib/dpkg/info/libc6.md5sums',
    'package.json',
    'app/package.json',
    'node_modules/package.json',
    'node_modules/a/lib/package.json',
    'node_modules/@types/package.json',
    'node_modules/@/a/package.json',
    'node_modules/a@1/package.json',
    'my_node_modules/a/package.json',
  ])('%s is none', (path) => {
    expect(databaseKind(pathToKey(path))).toBeUndefined()
  })
})

describe('npmDirectory', () => {
  it.each([
    ['node_modules/a/index.js', 'node_modules/a'],
    ['srv/node_modules/@s/a/lib/x.js', 'srv/node_modules/@s/a'],
    ['node_modules/a/node_modules/b/x.js', 'node_modules/a/node_modules/b'],
    ['node_modules/a/my_node_modules/x.js', 'node_modules/a'],
    ['node_modules/.pnpm/a@1/node_modules/a/x.js', 'node_modules/.pnpm/a@1/node_modules/a'],
    ['node_modules/a/node_modules/.package-lock.json', undefined],
    ['node_modules/@s/README', undefined],
    ['srv/index.js', undefined],
  ])('%s stands in %s', (path, directory) => {
    const found = npmDirectory(pathToKey(path))
    expect(found && keyToPath(found)).toBe(directory)
  })
})

describe('resolvePath', () => {
  it.each([
    ['usr/lib', './a//b', 'usr/lib/a/b'],
    ['usr/lib', '../bin/a', 'usr/bin/a'],
    ['usr/lib', '../../../../a', 'a'],
    ['usr/lib', '/opt/a', 'opt/a'],
    ['', 'a', 'a'],
  ])('from %s, %s is %s', (directory, relative, path) => {
    expect(keyToPath(resolvePath(pathToKey(directory), relative))).toBe(path)
  })
})
