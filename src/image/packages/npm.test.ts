import { expect, it } from 'vitest'
import { pathToKey } from '../../text/path.ts'
import { parsePackageJson } from './npm.ts'

const KEY = pathToKey('app/node_modules/left-pad/package.json')

it('reads name and version', () => {
  const json = JSON.stringify({ name: '@s/left-pad', version: '1.3.0', main: 'index.js' })
  expect(parsePackageJson(Buffer.from(json), KEY)).toEqual({
    type: 'npm',
    name: '@s/left-pad',
    version: '1.3.0',
  })
})

it('names an unnamed package by its directory', () => {
  expect(parsePackageJson(Buffer.from('{"name":"","version":"1"}'), KEY)).toEqual({
    type: 'npm',
    name: 'left-pad',
    version: '1',
  })
})

it.each([
  '',
  '{',
  '[]',
  'null',
  '"name"',
  '{"name":"a"}',
  '{"version":"1"}',
  '\ufeff{"name":"a","version":"1"}',
])('does not treat %j as a package', (json) => {
  expect(parsePackageJson(Buffer.from(json), KEY)).toBeUndefined()
})

it('refuses a name longer than any real one', () => {
  const parse = (name: unknown) => parsePackageJson(Buffer.from(JSON.stringify({ name, version: '1' })), KEY)
  expect(() => parse('a'.repeat(5000))).toThrow('5000 characters')
  expect(() => parse(['a'.repeat(5000)])).toThrow('characters')
})
