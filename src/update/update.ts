/** What a machine that has one image downloads for another, and why: the shape of `/v1/update`. Sizes are bytes. */
import type { ImageIdentity } from '../image/report.ts'
import type { Builder } from './builder.ts'
import type { FileSum, LayerContents, PulledContents, RewriteCause } from './contents.ts'
import { fixOf, type UpdateCauseName } from './fix.ts'
import type { LayerComparison, LayerState, LayerSum, StoredLayer } from './layers.ts'

export type UpdateCause = {
  readonly cause: UpdateCauseName
  /** Indexes of the layers. */
  readonly layers: readonly number[]
  /** Absent for `repacked`. */
  readonly files?: number
  /** Compressed for `repacked`, else of the files. */
  readonly bytes: number
  readonly fix: string
}

export type UpdateLayer = {
  readonly index: number
  readonly digest: string
  readonly diffId: string
  readonly compressedBytes: number
  readonly createdBy?: string
  readonly state: LayerState
  readonly rewritten: FileSum
  readonly moved: FileSum
  readonly new: FileSum
}

export type UpdateFigures = {
  readonly total: LayerSum
  readonly pull: LayerSum
  readonly chained: LayerSum
  readonly repacked: LayerSum
  readonly rewritten: FileSum
  readonly moved: FileSum
  readonly new: FileSum & { readonly estimatedBytes: number }
}

/** What an update pulls, without the reasons. */
export type UpdateSummary = UpdateFigures & {
  readonly from: ImageIdentity
  readonly to: ImageIdentity
  /** Layers of `to` that an archive or engine stores uncompressed. */
  readonly uncompressed?: readonly number[]
}

export type Update = UpdateSummary & {
  readonly causes: readonly UpdateCause[]
  readonly layers: readonly UpdateLayer[]
}

/** A layer of the new image, with what the report says of it. */
export type TargetLayer = StoredLayer & { readonly fileBytes: number; readonly createdBy?: string }

/** An archive that is new, and what its entries that the old one has too take in it. */
export type RepeatedArchive = { readonly layer: number; readonly bytes: number }

export type UpdateParts = {
  readonly from: ImageIdentity
  readonly to: ImageIdentity
  readonly layers: readonly TargetLayer[]
  readonly comparison: LayerComparison
  readonly contents: PulledContents
  readonly builder: Builder
}

const NONE: FileSum = { files: 0, bytes: 0 }
const REWRITES: readonly RewriteCause[] = ['owner', 'mode', 'times', 'same']

export function describeUpdate(parts: UpdateParts, archives: readonly RepeatedArchive[]): Update {
  const { comparison, contents, layers } = parts
  return {
    ...summariseUpdate(parts),
    causes: causesOf(parts, archives),
    layers: layers.map((layer, index) =>
      describeLayer(layer, comparison.states[index] ?? 'shared', contents.layers.get(layer.index)),
    ),
  }
}

export function summariseUpdate({ from, to, comparison, contents, layers }: UpdateParts): UpdateSummary {
  const { total, pull, chained, repacked } = comparison
  const of = (layer: TargetLayer) => contents.layers.get(layer.index)
  const uncompressed = layers.filter(({ isPlain }) => isPlain).map(({ index }) => index)
  return {
    from,
    to,
    total,
    pull,
    chained,
    repacked,
    rewritten: sumOf(layers.map((layer) => of(layer)?.rewritten)),
    moved: sumOf(layers.map((layer) => of(layer)?.moved)),
    new: {
      ...sumOf(layers.map((layer) => of(layer)?.new)),
      estimatedBytes: layers.reduce((all, layer) => all + estimate(layer, of(layer)), 0),
    },
    ...(uncompressed.length === 0 ? {} : { uncompressed }),
  }
}

/** The figures without the pair's details, as a step of a series has them. */
export function figuresOf(update: UpdateSummary): UpdateFigures {
  const { total, pull, chained, repacked, rewritten, moved } = update
  return { total, pull, chained, repacked, rewritten, moved, new: update.new }
}

function describeLayer(
  { index, digest, diffId, compressedBytes, createdBy }: TargetLayer,
  state: LayerState,
  contents: LayerContents | undefined,
): UpdateLayer {
  return {
    index,
    digest,
    diffId,
    compressedBytes,
    ...(createdBy === undefined ? {} : { createdBy }),
    state,
    rewritten: fileSum(contents?.rewritten),
    moved: fileSum(contents?.moved),
    new: fileSum(contents?.new),
  }
}

function fileSum({ files, bytes }: FileSum = NONE): FileSum {
  return { files, bytes }
}

function sumOf(sums: readonly (FileSum | undefined)[]): FileSum {
  let [files, bytes] = [0, 0]
  for (const sum of sums) {
    files += sum?.files ?? 0
    bytes += sum?.bytes ?? 0
  }
  return { files, bytes }
}

/** The new files' share of the layer's compressed bytes. The product can be larger than a number holds exactly. */
function estimate(layer: TargetLayer, contents: LayerContents | undefined): number {
  if (contents === undefined || layer.fileBytes === 0) return 0
  return Number((BigInt(layer.compressedBytes) * BigInt(contents.new.bytes)) / BigInt(layer.fileBytes))
}

type Share = FileSum & { readonly layer: number }

/** Largest first, then by name; none without bytes. */
function causesOf(
  { layers, comparison, contents, builder }: UpdateParts,
  archives: readonly RepeatedArchive[],
): UpdateCause[] {
  const repacked = layers.filter((_, index) => comparison.states[index] === 'repacked')
  const pulled = [...contents.layers]
  const shares = (of: (contents: LayerContents) => FileSum): Share[] =>
    pulled.map(([layer, contents]) => ({ layer, ...of(contents) }))
  const cause = (name: UpdateCauseName, found: readonly Share[]): UpdateCause => {
    const there = found.filter(({ files }) => files > 0)
    const indexes = [...new Set(there.map(({ layer }) => layer))].sort((a, b) => a - b)
    return { cause: name, layers: indexes, ...sumOf(there), fix: fixOf(name, builder) }
  }
  const causes: UpdateCause[] = [
    {
      cause: 'repacked',
      layers: repacked.map(({ index }) => index),
      bytes: comparison.repacked.bytes,
      fix: fixOf('repacked', builder),
    },
    ...REWRITES.map((name) =>
      cause(
        name,
        shares(({ byCause }) => byCause[name]),
      ),
    ),
    cause(
      'moved',
      shares(({ moved }) => moved),
    ),
    cause(
      'archive',
      archives.map((archive) => ({ files: 1, ...archive })),
    ),
  ]
  return causes
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes || (a.cause < b.cause ? -1 : 1))
}
