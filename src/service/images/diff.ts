/** Compares two analysed images: reads their tables from the store and walks through both once. */
import { type ChangeNode, ChangeTree } from '../../diff/change-tree.ts'
import { alignHistories, type Build, type StepPair } from '../../diff/history.ts'
import { type JoinStep, joinRows } from '../../diff/join.ts'
import { type Diff, type DiffSide, summarise } from '../../diff/summary.ts'
import type { ObjectStore } from '../../host.ts'
import type { AnalysedImage } from './analyse.ts'
import { filesOf, packagesOf, WHOLE_FETCH_BYTES } from './image-tables.ts'

/** Two images to compare. */
export type Pair<T> = { readonly from: T; readonly to: T }

/** The diff of two analysed images, by one pass through both tables of files. */
export async function diffOf(store: ObjectStore, pair: Pair<AnalysedImage>): Promise<Diff> {
  return summed(store, pair, await stepsOf(store, pair))
}

/** What a page shows in addition to the diff. */
export type DiffParts = {
  readonly diff: Diff
  readonly changes: ChangeNode
  readonly history: readonly StepPair[]
}

/** The diff with its tree of changes, by the same pass. */
export async function diffParts(store: ObjectStore, pair: Pair<AnalysedImage>): Promise<DiffParts> {
  const tree = new ChangeTree()
  const diff = await summed(store, pair, watched(await stepsOf(store, pair), tree))
  const history = alignHistories(buildOf(pair.from), buildOf(pair.to))
  return { diff, changes: tree.finish(), history }
}

/** The tree of changes alone. */
export async function changesBetween(store: ObjectStore, pair: Pair<AnalysedImage>): Promise<ChangeNode> {
  const tree = new ChangeTree()
  for await (const _ of watched(await stepsOf(store, pair), tree));
  return tree.finish()
}

async function* watched(steps: AsyncIterable<JoinStep>, tree: ChangeTree): AsyncGenerator<JoinStep, void> {
  for await (const step of steps) {
    for (const change of step.changes) tree.add(change)
    yield step
  }
}

async function stepsOf(
  store: ObjectStore,
  { from, to }: Pair<AnalysedImage>,
): Promise<AsyncGenerator<JoinStep, void, undefined>> {
  const [fromFiles, toFiles] = await Promise.all([filesOf(store, from.image), filesOf(store, to.image)])
  return joinRows(
    { batches: fromFiles(0, WHOLE_FETCH_BYTES), start: 0 },
    { batches: toFiles(0, WHOLE_FETCH_BYTES), start: 0 },
  )
}

async function summed(
  store: ObjectStore,
  { from, to }: Pair<AnalysedImage>,
  steps: AsyncIterable<JoinStep>,
): Promise<Diff> {
  const [fromSide, toSide] = await Promise.all([sideOf(store, from), sideOf(store, to)])
  return summarise(fromSide, toSide, steps)
}

function buildOf({ image, facts }: AnalysedImage): Build {
  return { config: image.config, layers: facts.layers }
}

async function sideOf(store: ObjectStore, { image, facts }: AnalysedImage): Promise<DiffSide> {
  const packages = await packagesOf(store, image)
  return { report: { image: image.identity, ...facts }, config: image.config, packages: packages(0) }
}
