import { describe, expect, it } from 'vitest'
import { keyToPath, pathToKey } from '../../text/path.ts'
import { npmDirectory, resolvePath } from './paths.ts'

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
  ])('%s is in %s', (path, directory) => {
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
    ['usr', 'a/..', 'usr'],
    ['usr', 'a/.../b.', 'usr/a/.../b.'],
    ['usr', '/.', ''],
    ['usr', '', 'usr'],
  ])('from %s, %s is %s', (directory, relative, path) => {
    expect(keyToPath(resolvePath(pathToKey(directory), relative))).toBe(path)
  })
})
