import { expect, test } from 'vitest'
import { pathAsked } from './paths.ts'

test.each([
  [{ path: 'usr/bin' }, 'usr\0bin'],
  [{ path: '/usr//./bin/../lib/' }, 'usr\0lib'],
  [{ path: '../../etc' }, 'etc'],
  [{ path: '' }, ''],
  [{ path: 'é' }, '\xc3\xa9'],
  [{ pathBase64: Buffer.from('caf\xe9/x', 'latin1').toString('base64url') }, 'caf\xe9\0x'],
  [{}, undefined],
])('%j', (query, key) => {
  expect(pathAsked(query)).toBe(key)
})

test.each([{ path: 'a', pathBase64: 'YQ==' }, { pathBase64: '%%' }, { path: 'a\0b' }])(
  '%j is refused',
  (query) => {
    expect(() => pathAsked(query)).toThrow(expect.objectContaining({ code: 'invalid_parameter' }))
  },
)
