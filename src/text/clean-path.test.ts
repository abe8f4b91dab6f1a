import { describe, expect, test } from 'vitest'
import { cleanPath } from './clean-path.ts'

describe('cleanPath', () => {
  test.each([
    ['a/b/c', 'a\0b\0c', false, 0],
    ['./a', 'a', false, 0],
    ['./', '', false, 0],
    ['', '', false, 0],
    ['//', '', false, 0],
    ['/.', '', true, 0],
    ['/abs/file', 'abs\0file', true, 0],
    ['a//b///c/', 'a\0b\0c', false, 0],
    ['a/./b/.', 'a\0b', false, 0],
    ['a/../b', 'b', false, 1],
    ['a/b/../c', 'a\0c', false, 1],
    ['../../escape', 'escape', false, 2],
    ['a/../../b/..', '', false, 3],
    ['.../..x/x../.x', '...\0..x\0x..\0.x', false, 0],
    ['\xff\xfe/\xe9', '\xff\xfe\0\xe9', false, 0],
  ])('%j', (raw, key, absolute, dotdots) => {
    expect(cleanPath(Buffer.from(raw, 'latin1'))).toEqual({
      key,
      absolute,
      dotdots,
      parts: key === '' ? 0 : key.split('\0').length,
    })
  })

  test('takes names of any length', () => {
    const raw = 'd/'.repeat(20_000)
    expect(cleanPath(Buffer.from(raw)).parts).toBe(20_000)
  })
})
