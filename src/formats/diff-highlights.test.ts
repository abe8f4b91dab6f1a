import { describe, expect, test } from 'vitest'
import type { DirectoryChange } from '../diff/directories.ts'
import { tellingDirectories } from './diff-highlights.ts'

const mixed = (path: string, delta: number): DirectoryChange => ({
  path,
  delta,
  added: 1,
  removed: 1,
  modified: 0,
})
const gone = (path: string, delta: number): DirectoryChange => ({
  path,
  delta,
  added: 0,
  removed: 9,
  modified: 0,
})

const told = (...directories: readonly DirectoryChange[]): string[] =>
  tellingDirectories(directories).map(({ path }) => path)

describe('of nested directories', () => {
  test('names the inner ones if they account for the outer one', () => {
    expect(told(mixed('usr', -17), mixed('usr/lib', -9), mixed('usr/bin', -7))).toEqual([
      'usr/lib',
      'usr/bin',
    ])
  })

  test('names the outer one if they do not', () => {
    expect(told(mixed('usr', -100), mixed('usr/lib', -9), mixed('usr/bin', -7))).toEqual(['usr'])
  })

  test('a directory removed as a whole is reported as a whole', () => {
    expect(told(gone('usr/python', -10), gone('usr/python/a', -6), gone('usr/python/b', -4))).toEqual([
      'usr/python',
    ])
  })

  test('growth that is offset by shrinkage elsewhere is reported too', () => {
    expect(told(mixed('a', 1), mixed('a/b', 50), mixed('a/c', -49))).toEqual(['a/b', 'a/c'])
  })

  test('a name that only shares a prefix with another is not below it', () => {
    expect(told(mixed('a', 9), mixed('a-b', 8), mixed('a/b', 9))).toEqual(['a/b', 'a-b'])
  })
})
