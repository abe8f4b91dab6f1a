import fc from 'fast-check'
import { expect, it } from 'vitest'
import { NumberSet } from './number-set.ts'

it('is a set', () => {
  const values = fc.array(fc.oneof(fc.nat(50), fc.maxSafeNat()), { maxLength: 5_000 })
  fc.assert(
    fc.property(values, (numbers) => {
      const set = new NumberSet()
      const model = new Set<number>()
      for (const number of numbers) {
        expect(set.add(number)).toBe(!model.has(number))
        model.add(number)
      }
    }),
    { numRuns: process.env.LAMINA_LONG ? 1_000 : 20 },
  )
})

it.each([1, 2 ** 20, 2 ** 32, 2 ** 32 + 2 ** 20])(
  'takes 100,000 multiples of %i without clustering',
  (step) => {
    const set = new NumberSet()
    const start = performance.now()
    let added = 0
    for (let i = 0; i < 100_000; i++) if (set.add(i * step)) added++
    expect(added).toBe(100_000)
    expect(performance.now() - start).toBeLessThan(2_000)
  },
)
