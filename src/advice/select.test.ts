import { expect, test } from 'vitest'
import { pathToKey } from '../text/path.ts'
import { Selection, Selectors } from './select.ts'

const selection = () =>
  new Selection(
    new Selectors([
      { directories: ['var/cache/apt', '**/.cache/pip'] },
      { directories: ['**/.git'], files: ['**/.git'] },
      { files: ['**/*.p12', '**/.aws/credentials', '**/id_rsa'] },
    ]),
  )

test.each<[string, number[]]>([
  ['var/cache/apt/a', [0]],
  ['var/cache/apt/a/b', [0]],
  ['var/cache/apt', []],
  ['var/cache/aptx/a', []],
  ['srv/var/cache/apt/a', []],
  ['.cache/pip/a', [0]],
  ['root/.cache/pip/http/a', [0]],
  ['root/.cache/pipx/a', []],
  ['root/x.cache/pip/a', []],
  ['.git', [1]],
  ['src/.git', [1]],
  ['src/.git/config', [1]],
  ['src/.gitignore', []],
  ['src/x.git', []],
  ['.p12', [2]],
  ['keys/a.p12', [2]],
  ['a.p12/b', []],
  ['a.P12', []],
  ['.aws/credentials', [2]],
  ['home/x/.aws/credentials', [2]],
  ['credentials', []],
  ['x.aws/credentials', []],
  ['id_rsa', [2]],
  ['root/.ssh/id_rsa.pub', []],
  ['src/.git/id_rsa', [1, 2]],
  ['var/cache/apt/.cache/pip/x', [0]],
])('%s is selected by %j', (path, selectors) => {
  expect(selection().of(pathToKey(path))).toEqual(selectors)
})

test('paths are in order, layer by layer', () => {
  const paths = ['a/.git/x', 'a/.git/y/z', 'a/b', 'b/c/id_rsa', 'b/d', 'a', 'a/.git/y', '.git/a', 'z']
  const one = selection()
  expect(paths.map((path) => one.of(pathToKey(path)))).toEqual([[1], [1], [], [2], [], [], [1], [1], []])
})

test('a star stands for letters within a part', () => {
  const one = new Selection(
    new Selectors([
      { directories: ['usr/local/cuda*', '**/site-packages/*/tests'], files: ['**/libcudnn*'] },
    ]),
  )
  const paths = [
    'usr/local/cuda-12/a',
    'usr/local/other/a',
    'x/site-packages/a/tests/b',
    'x/site-packages/tests/b',
    'y/libcudnn.so',
    'y/xlibcudnn.so',
  ]
  expect(paths.map((path) => one.of(pathToKey(path)).length)).toEqual([1, 0, 1, 0, 1, 0])
})

test('an invalid glob is an error in the table', () => {
  expect(() => new Selectors([{ files: ['**/*a'] }])).toThrow(TypeError)
  expect(() => new Selectors([{ directories: ['a/{b,c}'] }])).toThrow(TypeError)
})
