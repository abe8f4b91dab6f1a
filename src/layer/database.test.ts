import { describe, expect, it } from 'vitest'
import { pathToKey } from '../text/path.ts'
import { databaseKind, isKeptDatabase } from './database.ts'

describe('databaseKind', () => {
  it.each([
    ['var/lib/dpkg/status', 'debStatus'],
    ['var/lib/dpkg/status.d/base-files', 'debStatusPart'],
    ['var/lib/dpkg/status.d/base-files.md5sums', 'debSums'],
    ['var/lib/dpkg/info/libc6:amd64.list', 'debFiles'],
    ['lib/apk/db/installed', 'apk'],
    ['usr/lib/apk/db/installed', 'apk'],
    ['var/lib/rpm/rpmdb.sqlite', 'rpm'],
    ['usr/lib/sysimage/rpm/rpmdb.sqlite', 'rpm'],
    ['usr/lib/sysimage/rpm/Packages.db', 'rpmNdb'],
    ['app/node_modules/left-pad/package.json', 'npm'],
    ['node_modules/@types/node/package.json', 'npm'],
    ['node_modules/a/node_modules/b/package.json', 'npm'],
    ['node_modules/node_modules/package.json', 'npm'],
    ['usr/lib/python3/dist-packages/six.egg-info', 'pypi'],
    ['usr/lib/python3/dist-packages/six.egg-info/PKG-INFO', 'pypi'],
    ['venv/pip-25.0.dist-info/METADATA', 'pypi'],
    ['venv/pip-25.0.dist-info/RECORD', 'pypiRecord'],
    ['usr/lib/six.egg-info/installed-files.txt', 'pypiFiles'],
    ['vendor/composer/installed.json', 'composer'],
    ['var/www/html/vendor/composer/installed.json', 'composer'],
    ['usr/local/bundle/specifications/rack-3.0.8.gemspec', 'gem'],
    ['usr/lib/ruby/gems/3.3.0/specifications/default/json-2.7.1.gemspec', 'gem'],
    ['etc/os-release', 'osRelease'],
    ['usr/lib/os-release', 'osRelease'],
    ['var/lib/rpm/Packages', 'rpmBerkeley'],
    ['app/App.deps.json', 'nuget'],
    ['opt/conda/conda-meta/a-1-0.json', 'conda'],
    ['conda-meta/a-1-0.json', 'conda'],
    ['var/lib/pacman/local/a-1-1/desc', 'alpm'],
    ['var/lib/pacman/local/a-1-1/files', 'alpmFiles'],
  ])('%s is %s, and kept', (path, kind) => {
    expect(databaseKind(pathToKey(path))).toBe(kind)
    expect(isKeptDatabase(pathToKey(path))).toBe(true)
  })

  it.each([['usr/lib/sysimage/rpm/rpmdb.sqlite-wal', 'rpmLog']])('%s is %s, and not kept', (path, kind) => {
    expect(databaseKind(pathToKey(path))).toBe(kind)
    expect(isKeptDatabase(pathToKey(path))).toBe(false)
  })

  it.each([
    '',
    'old/var/lib/dpkg/status',
    'var/lib/dpkg/status-old',
    'var/lib/dpkg/status.d',
    'var/lib/dpkg/status.d/a/b',
    'var/lib/dpkg/info/libc6.md5sums',
    'var/lib/dpkg/info/a/b.list',
    'package.json',
    'app/package.json',
    'node_modules/package.json',
    'node_modules/a/lib/package.json',
    'node_modules/@types/package.json',
    'node_modules/@/a/package.json',
    'node_modules/a@1/package.json',
    'my_node_modules/a/package.json',
    'a-1.0.dist-info/WHEEL',
    'dist-info/METADATA',
    'METADATA',
    'PKG-INFO',
    'my-vendor/composer/installed.json',
    'composer/installed.json',
    'gems/rack-3.0.8/rack.gemspec',
    'specifications/a/b.gemspec',
    'my-conda-meta/a.json',
    'var/lib/pacman/local/desc',
    'var/lib/pacman/local/a/mtree',
  ])('%s is not a database', (path) => {
    expect(databaseKind(pathToKey(path))).toBeUndefined()
  })
})
