import { deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { MAX_CARGO_BYTES, parseCargoAuditable } from './cargo-auditable.ts'

const packed = (document: unknown) =>
  deflateSync(typeof document === 'string' ? document : JSON.stringify(document))

test('packages are those that are in the program, not those of the build', () => {
  const packages = [
    { name: 'app', version: '0.1.0', source: 'local', root: true },
    { name: 'serde', version: '1.0.228', source: 'crates.io', kind: 'runtime' },
    { name: 'cc', version: '1.2.0', source: 'crates.io', kind: 'build' },
  ]
  expect(parseCargoAuditable(packed({ packages }))).toEqual([
    { name: 'app', version: '0.1.0', isRoot: true },
    { name: 'serde', version: '1.0.228', isRoot: false },
  ])
})

test.each([
  ['is not packed', Buffer.from('{"packages":[]}')],
  ['is cut off', packed({ packages: [] }).subarray(0, 5)],
  ['is no JSON', packed('{"packages"')],
  ['is no object', packed('null')],
  ['has no packages', packed({})],
  ['has packages that are no list', packed({ packages: {} })],
  ['has a package that is none', packed({ packages: ['serde'] })],
  ['has a package without a version', packed({ packages: [{ name: 'serde' }] })],
  ['has a version that is no text', packed({ packages: [{ name: 'serde', version: 1 }] })],
  ['expands to more than the limit', packed(`{"packages":[]}${' '.repeat(MAX_CARGO_BYTES)}`)],
])('a section that %s does not parse', (_, section) => {
  expect(parseCargoAuditable(section)).toBe(undefined)
})
