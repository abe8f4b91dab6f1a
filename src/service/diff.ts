import { joinRows } from '../diff/join.ts'
import { type Diff, type DiffSide, summarise } from '../diff/summary.ts'
import type { ObjectStore } from '../host.ts'
import type { AnalysedImage } from './analyse.ts'
import { filesOf, packagesOf, WHOLE_FETCH_BYTES } from './tables.ts'

/** Two images that are compared. */
export type Pair<T> = { readonly from: T; readonly to: T }

/** The diff of two analysed images, by one pass through both tables of files. */
export async function diffOf(store: ObjectStore, { from, to }: Pair<AnalysedImage>): Promise<Diff> {
  const [fromFiles, toFiles] = await Promise.all([filesOf(store, from.image), filesOf(store, to.image)])
  const steps = joinRows(
    { batches: fromFiles(0, WHOLE_FETCH_BYTES), start: 0 },
    { batches: toFiles(0, WHOLE_FETCH_BYTES), start: 0 },
  )
  const [fromSide, toSide] = await Promise.all([sideOf(store, from), sideOf(store, to)])
  return summarise(fromSide, toSide, steps)
}

async function sideOf(store: ObjectStore, { image, facts }: AnalysedImage): Promise<DiffSide> {
  const packages = await packagesOf(store, image)
  return { report: { image: image.identity, ...facts }, config: image.config, packages: packages(0) }
}
