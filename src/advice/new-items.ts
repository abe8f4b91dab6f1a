/** What a change brought: advice on the second of two images that the first did not get. */
import type { AdviceItem } from './advise.ts'

/** Another rule, another kind, or another step makes an item a new one. */
export function newItems(before: readonly AdviceItem[], after: readonly AdviceItem[]): readonly AdviceItem[] {
  const nameOf = ({ rule, kind, createdBy }: AdviceItem) => JSON.stringify([rule, kind, createdBy])
  const known = new Set(before.map(nameOf))
  return after.filter((item) => !known.has(nameOf(item)))
}
