/** The steps of two builds: which are gone, which are new. */
import { diffArrays } from 'diff'
import type { LayerReport } from '../image/report.ts'
import type { HistoryStep, ImageConfig } from '../oci/config.ts'

export type StepChange = HistoryStep & {
  /** The layer that the step made, with its bytes; absent for steps without one and where the history does not say. */
  readonly layer?: number
  readonly uncompressedBytes?: number
}

export type HistoryDiff = { readonly added: readonly StepChange[]; readonly removed: readonly StepChange[] }

/** Far above what two builds of one Dockerfile differ by; unrelated histories count as wholly different then. */
const MAX_EDITS = 1_000

type Build = { readonly config: ImageConfig; readonly layers: readonly LayerReport[] }

/** Steps are the same where they did the same, whenever that was. */
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
    return { ...step, layer: layer.index, uncompressedBytes: layer.uncompressedBytes }
  })
}
