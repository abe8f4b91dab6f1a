import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../test/support/blob.ts'
import { InflateBudget } from './open-inside.ts'

const MIB = 1024 * 1024
const TOO_LARGE = expect.objectContaining({ code: 'too_large' })

describe('what is inflated out of one file is bounded', () => {
  it('to 64 MiB, or to 1,000 times what is compressed', () => {
    expect(new InflateBudget(LIMITS).limitFor(10).bytes).toBe(64 * MIB)
    expect(new InflateBudget(LIMITS).limitFor(MIB).bytes).toBe(1000 * MIB)
  })

  it('to the limit of a layer, if that is less', () => {
    const budget = new InflateBudget({ ...LIMITS, layerBytes: 1000 })
    expect(budget.limitFor(10)).toMatchObject({ bytes: 1000 })
    expect(() => budget.enter(10, 1001)).toThrow(TOO_LARGE)
  })

  it('for all levels of archives together', () => {
    const budget = new InflateBudget(LIMITS)
    budget.enter(10, 40 * MIB)
    expect(budget.limitFor(10).bytes).toBe(24 * MIB)
    budget.enter(10, 24 * MIB)
    expect(() => budget.enter(10, 1)).toThrow(TOO_LARGE)
  })

  it('by the level that is inflated first: what it holds may be as large as it says, compressed or not', () => {
    const budget = new InflateBudget(LIMITS)
    budget.enter(10, 40 * MIB)
    // 40 MiB are read here, and would allow 40 GB.
    expect(() => budget.enter(40 * MIB, 25 * MIB)).toThrow(TOO_LARGE)
  })

  it('and a level that is refused does not count', () => {
    const budget = new InflateBudget(LIMITS)
    expect(() => budget.enter(10, 65 * MIB)).toThrow(TOO_LARGE)
    expect(budget.limitFor(MIB).bytes).toBe(1000 * MIB)
  })
})
