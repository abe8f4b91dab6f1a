import fc from 'fast-check'
import { expect, it } from 'vitest'
import { InodeSet } from './inode-set.ts'

it('behaves like a Set', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(100), fc.nat(2_000_000))), (inodes) => {
      const set = new InodeSet()
      const model = new Set<number>()
      for (const inode of inodes) {
        expect(set.add(inode)).toBe(!model.has(inode))
        model.add(inode)
      }
    }),
    { numRuns: process.env.LAMINA_LONG ? 2_000 : 50 },
  )
})
