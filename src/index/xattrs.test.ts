import { expect, test } from 'vitest'
import { formatXattrs, parseXattrs } from './xattrs.ts'

test('attributes are an object mapping names to base64', () => {
  const xattrs = new Map([
    ['security.capability', '\x01\0\0\x02'],
    ['user.caf\xc3\xa9', ''],
  ])
  expect(formatXattrs(xattrs)).toBe('{"security.capability":"AQAAAg==","user.café":""}')
})

test('names that JSON cannot hold or would reorder read back exactly and in byte order', () => {
  const names = ['10', '9', '__proto__', 'base64:AA==', 'user.a"\\\n', 'user.\xff\xfe']
  const xattrs = new Map(names.map((name, i) => [name, String(i)]))
  expect([...parseXattrs(formatXattrs(xattrs))]).toEqual([...xattrs])
  expect(Object.keys(JSON.parse(formatXattrs(xattrs)))).toContain('base64:dXNlci7//g==')
})

test('a name of one character that JSON escapes is written as bytes', () => {
  const xattrs = new Map([
    ['\x16', ''],
    ['"', ''],
    ['a', ''],
  ])
  expect(formatXattrs(xattrs)).toBe('{"base64:Fg==":"","base64:Ig==":"","a":""}')
  expect([...parseXattrs(formatXattrs(xattrs))]).toEqual([...xattrs].sort())
})
