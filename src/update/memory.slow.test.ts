/** Whether the memory budget holds: each case is a process that dies if it does not. */
import { expect, test } from 'vitest'
import { peakOfComparison } from '../../test/support/compared-in-process.ts'

test.each(['few', 'all'])(
  'an update of many files, of which %s differ, is compared in bounded memory',
  async (differing) => {
    const peak = await peakOfComparison('update-images.ts', differing)
    expect(peak).toBeGreaterThan(100_000)
    expect(peak).toBeLessThan(80 * 1024 * 1024)
  },
  600_000,
)
