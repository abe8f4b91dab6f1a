/** What the updates through a series of images cost, one after the other: the shape of `/v1/updates`. Sizes are bytes. */
import type { Problem } from '../problem.ts'
import { median } from './median.ts'
import type { Plan } from './plan.ts'
import { figuresOf, type UpdateFigures, type UpdateSummary } from './update.ts'

/** From one image to the next, by their references. */
export type UpdateStep = UpdateFigures & { readonly from: string; readonly to: string }

export type SkippedTag = { readonly name: string; readonly problem: Problem }

export type Updates = {
  /** Oldest first. */
  readonly steps: readonly UpdateStep[]
  readonly median: { readonly pull: number; readonly new: number }
  /** A problem if the images have too many groups. */
  readonly plan: Plan | { readonly problem: Problem }
  /** Tags that are no image of the platform. */
  readonly skipped?: readonly SkippedTag[]
}

/** @param updates of neighbours, oldest first; at least one */
export function describeSeries(
  updates: readonly UpdateSummary[],
  plan: Updates['plan'],
  skipped: readonly SkippedTag[],
): Updates {
  return {
    steps: updates.map((update) => ({
      from: update.from.reference,
      to: update.to.reference,
      ...figuresOf(update),
    })),
    median: {
      pull: median(updates.map(({ pull }) => pull.bytes)),
      new: median(updates.map((update) => update.new.bytes)),
    },
    plan,
    ...(skipped.length === 0 ? {} : { skipped }),
  }
}
