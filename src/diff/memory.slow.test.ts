/** Whether the memory budget holds: each case is a process that dies if it does not. */
import { expect, test } from 'vitest'
import { peakOfComparison } from '../../test/support/compared-in-process.ts'

test.each(['few', 'all'])(
  'two images of many files, of which %s differ, are joined and listed in bounded memory',
  async (differing) => {
    const peak = await peakOfComparison('diff-images.ts', differing)
    expect(peak).toBeGreaterThan(100_000)
    // Mostly row groups already read but not yet collected: V8 collects rarely while the heap is small.
    expect(peak).toBeLessThan(96_000_000)
  },
  600_000,
)
