import { expect, it } from 'vitest'
import { csvHeader, csvItem } from './csv.ts'

const columns = ['path', 'bytes', 'xattrs', 'implicit']

it('has a header, line endings as in RFC 4180, and an empty cell for an absent value', () => {
  expect(csvHeader(columns)).toBe('path,bytes,xattrs,implicit\r\n')
  expect(csvItem(columns, { path: 'a', bytes: 1, implicit: true, other: 'x' })).toBe('a,1,,true\r\n')
})

it.each([
  ['=cmd()', "'=cmd()"],
  ['+1', "'+1"],
  ['-2+3', "'-2+3"],
  ['@SUM(1)', "'@SUM(1)"],
  ['\tTAB', "'\tTAB"],
  ['a=b', 'a=b'],
  ['a,b', '"a,b"'],
  ['a"b', '"a""b"'],
  ['a\n::error::b', '"a\n::error::b"'],
  ['=a\r\nb', '"\'=a\r\nb"'],
])('%j is the cell %j', (path, cell) => {
  expect(csvItem(['path'], { path })).toBe(`${cell}\r\n`)
})

it('numbers stay numbers, nested values are compact JSON', () => {
  expect(csvItem(['delta', 'paths'], { delta: -5, paths: ['a', { b: 1 }] })).toBe(
    '-5,"[""a"",{""b"":1}]"\r\n',
  )
})
