import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { interruptible } from '../../test/support/interruptible.ts'
import { Problem } from '../problem.ts'
import { compileGlobSet, compileGlobs } from './glob.ts'

const matches = (glob: string, path: string): boolean => compileGlobs([glob])(path)

function refusal(globs: readonly string[]): string {
  try {
    compileGlobs(globs)
  } catch (error) {
    if (error instanceof Problem && error.code === 'invalid_parameter') return error.message
    throw error
  }
  return 'not refused'
}

describe('what a glob matches', () => {
  test.each([
    ['*', ['a', '.a', 'a.b', 'a\nb'], ['a/b', 'a/']],
    ['usr/*/x', ['usr/bin/x', 'usr/.b/x'], ['usr/x', 'usr/a/b/x', 'usr/bin/xy', 'a/usr/bin/x']],
    ['?', ['a', 'é', '😀', '�', '.'], ['ab', '/', '']],
    ['**', ['a', 'a/b', '.a/.b'], []],
    ['a/**', ['a', 'a/b', 'a/b/c', 'a/.b'], ['ab', 'b/a', 'ab/c']],
    ['**/a', ['a', 'b/a', 'b/c/a'], ['ba', 'a/b', 'b/ca']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb', 'axb']],
    ['**/.git/**', ['.git', '.git/config', 'x/y/.git', 'x/.git/y/z'], ['x.git', '.gitignore', 'x/.github/y']],
    ['**/*.so', ['x.so', 'usr/lib/x.so', '.so'], ['x.so.1', 'x/so']],
    ['**.so', ['x.so', 'usr/lib/x.so', 'usr/.so'], ['usr/so']],
    ['lib/x**y', ['lib/xy', 'lib/x/y', 'lib/xa/b/cy'], ['lib/x', 'x/y']],
    ['x**/y', ['x/y', 'xa/y', 'xa/b/y'], ['xy', 'ax/y']],
    ['[abc]x', ['ax', 'cx'], ['dx', 'x', 'Ax', '/x']],
    ['[a-c]x', ['ax', 'bx'], ['dx', '-x']],
    ['[!a]', ['b', '!', 'é', '\n'], ['a', '/', 'bc']],
    ['[^a]', ['b', '^'], ['a', '/']],
    ['[]a]', [']', 'a'], ['b', '[]a]']],
    ['[!]a]', ['b'], [']', 'a']],
    ['[a-]', ['a', '-'], ['b']],
    ['[-a]', ['a', '-'], ['b']],
    ['a[+-9]b', ['a+b', 'a.b', 'a0b', 'a9b'], ['a/b', 'a*b', 'a:b']],
    ['a[/]b', [], ['a/b', 'a[/]b', 'ab']],
    ['[\\]\\-]', [']', '-'], ['\\']],
    ['{a,b}', ['a', 'b'], ['ab', '{a,b}', 'c']],
    ['{a,{b,c}/d}e', ['ae', 'b/de', 'c/de'], ['be', 'b/d']],
    ['x{,.gz}', ['x', 'x.gz'], ['x.', 'gz']],
    ['{a/**,b}', ['a', 'a/x/y', 'b'], ['b/x', 'ax']],
    ['{a/**,b}/c', ['a/c', 'a/x/c', 'b/c'], ['ac', 'b/x/c']],
    ['{**/,}x', ['x', 'a/x', 'a/b/x'], ['ax']],
    ['*.{js,ts}', ['x.js', '.ts'], ['x.jsx', 'a/x.js']],
    ['\\*\\{a\\?', ['*{a?'], ['x{ab', '\\*']],
    ['a}b,c]', ['a}b,c]'], []],
    ['!a', ['!a'], ['a', 'b']],
    ['a.b+(c)$^|', ['a.b+(c)$^|'], ['axb+(c)$^|', 'a.bb']],
    ['Makefile', ['Makefile'], ['makefile', 'MAKEFILE']],
    [
      'usr/bin/*[!<&">|\n::warning::x]',
      ['usr/bin/env', 'usr/bin/x|y'],
      ['usr/bin/x', 'usr/bin/a|', 'usr/bin/a/b'],
    ],
  ])('%j', (glob, yes, no) => {
    expect([...yes, ...no].filter((path) => matches(glob, path))).toEqual(yes)
  })

  test('any of several globs; no globs match nothing', () => {
    const any = compileGlobs(['a', 'b/**'])
    expect(['a', 'b', 'b/c', 'c', 'ab'].filter(any)).toEqual(['a', 'b', 'b/c'])
    expect(compileGlobs([])('a')).toBe(false)
  })

  test('a set says which of its globs match', () => {
    const set = compileGlobSet(['**/*.pem', 'a/**', '**'])
    expect(set('a/x.pem')).toEqual([0, 1, 2])
    expect(set('b')).toEqual([2])
    expect(compileGlobSet([])('a')).toEqual([])
    expect(compileGlobSet(['x'])('y')).toEqual([])
  })
})

describe('what is not a glob', () => {
  test.each([
    ['', 'empty'],
    ['[a', 'has a `[` without its `]`'],
    ['[', 'has a `[` without its `]`'],
    ['[!]', 'has a `[` without its `]`'],
    ['{a,b', 'has a `{` without its `}`'],
    ['{a,{b}', 'has a `{` without its `}`'],
    ['a\\', 'escapes nothing'],
    ['[b-a]', 'ends before it begins'],
    ['[[:alpha:]]', 'names a class'],
    ['/etc/passwd', 'cannot match any path'],
    ['./a', 'cannot match any path'],
    ['a/', 'cannot match any path'],
    ['a//b', 'cannot match any path'],
    ['a/../b', 'cannot match any path'],
    ['a/.', 'cannot match any path'],
    ['x'.repeat(257), '257 characters'],
  ])('%j', (glob, why) => {
    expect(refusal([glob])).toContain(why)
  })

  test('more than 100', () => {
    expect(refusal(new Array<string>(100).fill('a'))).toBe('not refused')
    expect(refusal(new Array<string>(101).fill('a'))).toContain('101 globs')
  })

  test.each([
    ['a hundred long ones', Array.from({ length: 100 }, (_, i) => `**a${'?'.repeat(100)}${i}`)],
    ['choices that multiply', [`${'{a,aa,*}'.repeat(30)}b`]],
    ['empty choices that multiply', ['{,}'.repeat(80)]],
    ['choices within choices', [`${'{a,'.repeat(50)}{b,c}{d,e}${'}'.repeat(50)}${'{x,y}'.repeat(8)}`]],
  ])('more than can be matched at once: %s', (_, globs) => {
    expect(refusal(globs)).toContain('more than 8192 characters')
  })

  test('as many as a policy may have are accepted', () => {
    const globs = Array.from({ length: 100 }, (_, i) => `**/directory-${i}/**/*.{abc,${i}}`)
    expect(compileGlobSet(globs)('x/directory-7/y/z.7')).toEqual([7])
  })

  test('names that only look odd are accepted', () => {
    for (const glob of ['...', '.a/..b', 'a..', 'a/.b', '.*', '**/.*/x'])
      expect(refusal([glob])).toBe('not refused')
  })
})

/** The definition, implemented literally and slowly: expands braces, then matches part by part. */
function naively(glob: string, path: string): boolean {
  return expand(glob).some((plain) => parts(plain.split('/'), path.split('/')))
}

function expand(glob: string): string[] {
  const group = /\{([^{}]*)\}/.exec(glob)
  if (group === null) return [glob]
  const [whole, inside = ''] = group
  return inside
    .split(',')
    .flatMap((choice) => expand(glob.slice(0, group.index) + choice + glob.slice(group.index + whole.length)))
}

function parts(globs: readonly string[], names: readonly string[]): boolean {
  const [glob, ...moreGlobs] = globs
  const [name, ...moreNames] = names
  if (glob === undefined) return name === undefined
  if (glob === '**') return parts(moreGlobs, names) || (name !== undefined && parts(globs, moreNames))
  return name !== undefined && characters(glob, name) && parts(moreGlobs, moreNames)
}

function characters(glob: string, name: string): boolean {
  if (glob === '') return name === ''
  if (glob[0] === '*')
    return characters(glob.slice(1), name) || (name !== '' && characters(glob, name.slice(1)))
  return name !== '' && (glob[0] === '?' || glob[0] === name[0]) && characters(glob.slice(1), name.slice(1))
}

test('globs match as their definition says, generated', () => {
  const plain = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), minLength: 1, maxLength: 3 })
  // Within a part `**` crosses parts, which the definition above cannot say; doubled stars stand alone here.
  const part = fc.oneof(
    plain.filter((text) => !text.includes('**') && text !== '.' && text !== '..'),
    fc.constant('**'),
    fc.tuple(plain, plain).map(([a, b]) => `{${a.replaceAll('*', '?')}x,${b.replaceAll('*', 'b')}y}`),
    fc.constantFrom('{a,b/**}', '{**/a,b}', 'x{,y}'),
  )
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'x'), minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.array(name, { minLength: 1, maxLength: 4 }),
      (globParts, names) => {
        const [glob, path] = [globParts.join('/'), names.join('/')]
        expect(matches(glob, path)).toBe(naively(glob, path))
      },
    ),
    { numRuns: process.env.LAMINA_LONG ? 100_000 : 2_000 },
  )
})

// A backtracking matcher would never finish on any of these.
describe('a glob cannot be slow', () => {
  test.each([
    ['**/*a*a*a*a*a*a*a*a*a*a*b', 'a'.repeat(100_000)],
    [`${'**/'.repeat(60)}x`, 'a/'.repeat(50_000).slice(0, -1)],
    [`**${'*a**'.repeat(50)}b`, 'a'.repeat(100_000)],
    [`${'{a,aa,*}'.repeat(5)}b`, 'a'.repeat(20_000)],
    [`*a${'?'.repeat(250)}`, 'ab'.repeat(10_000)],
    [`${'{,}'.repeat(8)}b`, 'a'.repeat(100_000)],
    [`${'{'.repeat(127)}a${'}'.repeat(127)}`, 'b'],
  ])('%j', (glob, path) => {
    expect(interruptible(() => matches(glob, path))).toBe(false)
    expect(interruptible(() => compileGlobSet([glob])(path))).toEqual([])
  })

  test('a hundred at once', () => {
    const globs = Array.from({ length: 100 }, (_, i) => `**/*a*${'a?'.repeat(30)}*b${i}`)
    const path = `x/${'a'.repeat(400)}`
    expect(interruptible(() => compileGlobs(globs)(path))).toBe(false)
    expect(interruptible(() => compileGlobSet(globs)(path))).toEqual([])
  })
})
