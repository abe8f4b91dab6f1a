/** The steps of two builds: which were removed, which were added. */
import { diffArrays } from 'diff'
import type { LayerReport } from '../image/report.ts'
import type { HistoryStep, ImageConfig } from '../oci/config.ts'

export type StepChange = HistoryStep & {
  /** The layer that the step made, with its bytes; absent for steps without one, or if the history does not say. */
  readonly layer?: number
  readonly uncompressedBytes?: number
}

export type HistoryDiff = { readonly added: readonly StepChange[]; readonly removed: readonly StepChange[] }

/** Far more than two builds of one Dockerfile differ by; unrelated histories then count as wholly different. */
const MAX_EDITS = 1_000

export type Build = { readonly config: ImageConfig; readonly layers: readonly LayerReport[] }

/** Two steps are equal if they did the same thing, at whatever time. */
export function diffHistories(from: Build, to: Build): HistoryDiff {
  const [before, after] = [stepsOf(from), stepsOf(to)]
  const changes = diffArrays(before.map(identity), after.map(identity), { maxEditLength: MAX_EDITS })
  if (changes === undefined) return { added: after, removed: before }
  const added: StepChange[] = []
  const removed: StepChange[] = []
  let [fromAt, toAt] = [0, 0]
  for (const change of changes) {
    if (change.removed) removed.push(...before.slice(fromAt, fromAt + change.count))
    if (change.added) added.push(...after.slice(toAt, toAt + change.count))
    if (!change.added) fromAt += change.count
    if (!change.removed) toAt += change.count
  }
  return { added, removed }
}

/** One line of two histories side by side: a step in both, a removed one, an added one, or one that replaced another. */
export type StepPair = { readonly from?: StepChange; readonly to?: StepChange; readonly same: boolean }

/** Both whole histories, in order; changes between the same two steps are side by side. */
export function alignHistories(from: Build, to: Build): readonly StepPair[] {
  const [before, after] = [stepsOf(from), stepsOf(to)]
  const changes = diffArrays(before.map(identity), after.map(identity), { maxEditLength: MAX_EDITS })
  if (changes === undefined) return beside(before, after)
  const pairs: StepPair[] = []
  let gone: readonly StepChange[] = []
  let come: readonly StepChange[] = []
  let [fromAt, toAt] = [0, 0]
  for (const { added, removed, count } of changes) {
    const [fromNext, toNext] = [added ? fromAt : fromAt + count, removed ? toAt : toAt + count]
    if (removed) gone = before.slice(fromAt, fromNext)
    else if (added) come = after.slice(toAt, toNext)
    else {
      pairs.push(...beside(gone, come))
      gone = come = []
      for (let at = 0; at < count; at++) {
        const [one, other] = [before[fromAt + at], after[toAt + at]]
        if (one && other) pairs.push({ from: one, to: other, same: true })
      }
    }
    fromAt = fromNext
    toAt = toNext
  }
  return [...pairs, ...beside(gone, come)]
}

function beside(from: readonly StepChange[], to: readonly StepChange[]): readonly StepPair[] {
  return Array.from({ length: Math.max(from.length, to.length) }, (_, at) => {
    const [one, other] = [from[at], to[at]]
    return { ...(one && { from: one }), ...(other && { to: other }), same: false }
  })
}

function identity({ createdBy, comment, emptyLayer }: HistoryStep): string {
  return JSON.stringify([createdBy, comment, emptyLayer])
}

function stepsOf({ config, layers }: Build): StepChange[] {
  const steps = config.history
  const complete = steps.filter((step) => !step.emptyLayer).length === layers.length
  let next = 0
  return steps.map((step) => {
    if (step.emptyLayer || !complete) return step
    const layer = layers[next++]
    if (layer === undefined) return step
    const { index, uncompressedBytes } = layer
    return { ...step, layer: index, ...(uncompressedBytes === undefined ? {} : { uncompressedBytes }) }
  })
}
