import fc from 'fast-check'
import { expect, it } from 'vitest'
import { inParts } from './parts.ts'

it('splits any stream into parts of equal size, the last one shorter, and loses nothing', async () => {
  const chunks = fc.array(
    fc.uint8Array({ maxLength: 20 }).map((piece) => Uint8Array.from(piece)),
    { maxLength: 20 },
  )
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 16 }), async (pieces, size) => {
      const parts = await Array.fromAsync(inParts(new Blob(pieces).stream(), size))
      expect(parts.slice(0, -1).every((part) => part.byteLength === size)).toBe(true)
      expect(parts.every((part) => part.byteLength > 0)).toBe(true)
      expect(Buffer.concat(parts)).toEqual(Buffer.concat(pieces))
    }),
  )
})
