/**
 * Compares two images: files, packages, layers, configs. This file has what changed overall: the shape
 * of `/v1/diff`. Sizes and deltas are bytes.
 */
import type { ImageIdentity, Package, Report, Sizes } from '../image/report.ts'
import type { Stored } from '../image/stored.ts'
import type { ImageConfig } from '../oci/config.ts'
import { Largest } from '../table/largest.ts'
import { type Change, type FileChange, fromBytes, showChange, toBytes } from './change.ts'
import { type ConfigChange, diffConfigs } from './config.ts'
import { type DirectoryChange, DirectoryGrowth } from './directories.ts'
import { diffHistories, type HistoryDiff } from './history.ts'
import type { JoinStep } from './join.ts'
import { diffLayers, type LayerDiff } from './layers.ts'
import { diffPackages, type PackageDiff } from './packages.ts'

const MAX_DIRECTORIES = 50
const MAX_LARGEST = 50

export type Comparison = { readonly from: number; readonly to: number; readonly delta: number }

export type FileDiff = {
  /** Paths. `contentModified` and `typeChanged` are among the modified; `mtimeOnly` are not. */
  readonly counts: {
    readonly added: number
    readonly removed: number
    readonly modified: number
    readonly contentModified: number
    readonly typeChanged: number
    readonly mtimeOnly: number
  }
  /** Regular files; each path of a hard link counts. */
  readonly bytes: { readonly added: number; readonly removed: number; readonly modifiedDelta: number }
  /** The 50 that grew or shrank most, largest first. */
  readonly directories: readonly DirectoryChange[]
  /** The 50 files that grew or shrank most, largest first. */
  readonly largest: readonly FileChange[]
}

export type Diff = {
  readonly from: ImageIdentity
  readonly to: ImageIdentity
  /** `uncompressedBytes` is absent unless it is known for both. */
  readonly size: { readonly [Name in keyof Omit<Sizes, 'stored'>]: Comparison } & {
    readonly stored: { readonly from: Stored; readonly to: Stored }
  }
  /** What a squash would save. */
  readonly waste: Comparison
  readonly counts: { readonly layers: Comparison; readonly files: Comparison }
  /** Both file systems and both configs are the same, including mtimes. */
  readonly identical: boolean
  readonly layers: LayerDiff
  readonly files: FileDiff
  readonly packages: PackageDiff
  readonly config: readonly ConfigChange[]
  readonly history: HistoryDiff
}

/** One of the two images. */
export type DiffSide = {
  readonly report: Report
  readonly config: ImageConfig
  readonly packages: AsyncIterable<readonly Package[]>
}

/**
 * @param steps the join of the two merged file systems, from the first row to the last; read once
 */
export async function summarise(from: DiffSide, to: DiffSide, steps: AsyncIterable<JoinStep>): Promise<Diff> {
  const [files, packages] = await Promise.all([
    summariseFiles(steps),
    diffPackages(from.packages, to.packages),
  ])
  const config = diffConfigs(from.config, to.config)
  const { added, removed, modified, mtimeOnly } = files.counts
  return {
    from: from.report.image,
    to: to.report.image,
    size: {
      compressedBytes: compareSize('compressedBytes', from, to),
      ...compareTars(from.report.size, to.report.size),
      fileBytes: compareSize('fileBytes', from, to),
      rootfsBytes: compareSize('rootfsBytes', from, to),
      apparentBytes: compareSize('apparentBytes', from, to),
      stored: { from: from.report.size.stored, to: to.report.size.stored },
    },
    waste: compare(from.report.waste.bytes, to.report.waste.bytes),
    counts: {
      layers: compare(from.report.counts.layers, to.report.counts.layers),
      files: compare(from.report.counts.files, to.report.counts.files),
    },
    identical: added + removed + modified + mtimeOnly + config.length === 0,
    layers: diffLayers(from.report.layers, to.report.layers),
    files,
    packages,
    config,
    history: diffHistories(buildOf(from), buildOf(to)),
  }
}

function buildOf({ report, config }: DiffSide) {
  return { config, layers: report.layers }
}

function compareTars(from: Sizes, to: Sizes): { readonly uncompressedBytes?: Comparison } {
  if (from.uncompressedBytes === undefined || to.uncompressedBytes === undefined) return {}
  return { uncompressedBytes: compare(from.uncompressedBytes, to.uncompressedBytes) }
}

function compareSize(
  name: Exclude<keyof Sizes, 'uncompressedBytes' | 'stored'>,
  from: DiffSide,
  to: DiffSide,
): Comparison {
  return compare(from.report.size[name], to.report.size[name])
}

function compare(from: number, to: number): Comparison {
  return { from, to, delta: to - from }
}

async function summariseFiles(steps: AsyncIterable<JoinStep>): Promise<FileDiff> {
  const counts = { added: 0, removed: 0, modified: 0, contentModified: 0, typeChanged: 0, mtimeOnly: 0 }
  const bytes = { added: 0, removed: 0, modifiedDelta: 0 }
  const directories = new DirectoryGrowth(MAX_DIRECTORIES)
  const largest = new Largest<FileChange>(MAX_LARGEST)
  let ordinal = 0
  for await (const { changes, mtimeOnly } of steps) {
    counts.mtimeOnly += mtimeOnly
    for (const change of changes) {
      count(change, counts, bytes)
      directories.add(change)
      const delta = toBytes(change) - fromBytes(change)
      if (delta !== 0) largest.add(Math.abs(delta), ordinal, () => showChange(change))
      ordinal++
    }
  }
  return {
    counts,
    bytes,
    directories: directories.finish(),
    largest: largest.sorted().map(({ item }) => item),
  }
}

type Tally<T> = { -readonly [name in keyof T]: number }

function count(change: Change, counts: Tally<FileDiff['counts']>, bytes: Tally<FileDiff['bytes']>): void {
  counts[change.kind]++
  switch (change.kind) {
    case 'added':
      bytes.added += change.to.bytes
      return
    case 'removed':
      bytes.removed += change.from.bytes
      return
    case 'modified':
      bytes.modifiedDelta += change.to.bytes - change.from.bytes
      if (change.fields.includes('content')) counts.contentModified++
      if (change.fields.includes('type')) counts.typeChanged++
  }
}
