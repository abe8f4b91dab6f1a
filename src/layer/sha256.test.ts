import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { WASM } from '../../test/support/blob.ts'
import { Sha256 } from './sha256.ts'

test('digests every length around the threshold for small inputs and around blocks of 64 bytes', async () => {
  const sha256 = new Sha256(await WASM('sha256'))
  const bytes = Uint8Array.from({ length: 600 }, (_, i) => (i * 151) % 256)
  // Also in descending order, to check that nothing of one input is left in the next.
  for (const length of [...bytes.keys(), ...[...bytes.keys()].reverse()]) {
    const piece = bytes.subarray(bytes.length - length)
    expect(sha256.digest(piece)).toBe(createHash('sha256').update(piece).digest('binary'))
  }
})
