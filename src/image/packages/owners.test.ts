import { expect, it } from 'vitest'
import { pathToKey } from '../../text/path.ts'
import { PackageOwners } from './owners.ts'

it('counts a file for each owner of its path', () => {
  const owners = new PackageOwners()
  const [a, b] = [owners.owner('a'), owners.owner('b')]
  owners.add(a, ['x', 'y', 'x'])
  owners.add(b, ['y'])
  owners.see('x', 1, 10)
  owners.see('y', 2, 200)
  owners.see('z', 3, 3000)
  expect([owners.bytesOf(a), owners.bytesOf(b)]).toEqual([210, 200])
})

it('counts an inode once', () => {
  const owners = new PackageOwners()
  const a = owners.owner('a')
  owners.add(a, ['x', 'y'])
  owners.see('x', 7, 10)
  owners.see('y', 7, 10)
  expect(owners.bytesOf(a)).toBe(10)
})

it('counts an npm directory without the packages nested in it', () => {
  const owners = new PackageOwners()
  const [a, b] = [owners.owner('a'), owners.owner('b')]
  owners.addNpmDirectory(a, pathToKey('node_modules/a'))
  owners.addNpmDirectory(b, pathToKey('node_modules/a/node_modules/b'))
  owners.see(pathToKey('node_modules/a/index.js'), 1, 1)
  owners.see(pathToKey('node_modules/a/node_modules/b/index.js'), 2, 10)
  owners.see(pathToKey('node_modules/a/node_modules/.lock'), 3, 100)
  owners.see(pathToKey('node_modules/c/index.js'), 4, 1000)
  expect([owners.bytesOf(a), owners.bytesOf(b)]).toEqual([1, 10])
})

it('distinguishes 200,000 paths', () => {
  const owners = new PackageOwners()
  const path = (i: number) => pathToKey(`usr/share/doc/package-${i % 500}/file-${i}`)
  for (let i = 0; i < 200_000; i++) owners.add(owners.owner(`${i % 500}`), [path(i)])
  for (let i = 0; i < 400_000; i++) owners.see(path(i), i, 1)
  for (let i = 0; i < 500; i++) expect(owners.bytesOf(i)).toBe(400)
})

it('gives no bytes for an owner with too many paths', () => {
  const owners = new PackageOwners(2)
  const [a, b] = [owners.owner('a'), owners.owner('b')]
  owners.add(a, ['x'])
  owners.add(b, ['y', 'z'])
  owners.see('x', 1, 10)
  owners.see('y', 2, 20)
  expect([owners.bytesOf(a), owners.bytesOf(b)]).toEqual([10, undefined])
})
