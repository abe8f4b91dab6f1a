import fc from 'fast-check'
import { expect, it } from 'vitest'
import { rpmHeader } from '../../../test/support/rpm.ts'
import { keyToPath } from '../../text/path.ts'
import { parseRpmHeader } from './rpm.ts'

const BASH = {
  1000: 'bash',
  1001: '5.2.26',
  1002: '3.fc40',
  1022: 'x86_64',
  1116: [0, 1, 0],
  1117: ['bash', 'README', 'sh'],
  1118: ['/usr/bin/', '/usr/share/doc/bash/'],
}

it('reads name, version, architecture and files', () => {
  const { files = [], found } = parseRpmHeader(rpmHeader(BASH)) ?? {}
  expect(found).toEqual({ type: 'rpm', name: 'bash', version: '5.2.26-3.fc40', architecture: 'x86_64' })
  expect([...files].map(keyToPath)).toEqual(['usr/bin/bash', 'usr/share/doc/bash/README', 'usr/bin/sh'])
})

it('writes an epoch before the version', () => {
  expect(parseRpmHeader(rpmHeader({ ...BASH, 1003: [2] }))?.found.version).toBe('2:5.2.26-3.fc40')
})

it('does not treat a signing key as a package', () => {
  expect(parseRpmHeader(rpmHeader({ ...BASH, 1000: 'gpg-pubkey' }))).toBeUndefined()
})

it('reads the valid part of a header with false counts and offsets', () => {
  const blob = rpmHeader(BASH)
  const view = new DataView(blob.buffer)
  view.setUint32(8 + 5 * 16 + 12, 0xffff_ffff) // number of base names
  view.setUint32(8 + 3 * 16 + 8, 0xffff_ffff) // where the architecture is
  const { files = [], found } = parseRpmHeader(blob) ?? {}
  expect(found).toEqual({ type: 'rpm', name: 'bash', version: '5.2.26-3.fc40' })
  expect([...files]).toHaveLength(3)
})

it('refuses more directories than any real package has', () => {
  const header = rpmHeader({ ...BASH, 1118: new Array<string>(100_001).fill('/') })
  expect(() => [...(parseRpmHeader(header)?.files ?? [])]).toThrow('too many directories')
})

it('terminates on any bytes', () => {
  const blob = rpmHeader(BASH)
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(blob.length - 1), fc.nat(255))), (changes) => {
      const broken = blob.slice()
      for (const [at, byte] of changes) broken[at] = byte
      expect([...(parseRpmHeader(broken)?.files ?? [])].length).toBeLessThan(blob.length)
    }),
    { numRuns: process.env.LAMINA_LONG ? 100_000 : 500 },
  )
  expect(parseRpmHeader(new Uint8Array(3))).toBeUndefined()
})
