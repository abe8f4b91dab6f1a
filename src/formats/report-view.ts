/**
 * What every form of a report shows to people: the verdict, what to change first, the figures, and the layers with their steps.
 */
import type { Advice, AdviceItem } from '../advice/advise.ts'
import type { ImageIdentity, LayerReport, Report } from '../image/report.ts'
import { isPullKnown, storedAs, UNKNOWN_PULL } from '../image/stored.ts'
import { FIGURES } from '../text/figures.ts'
import { formatBytes, formatCount, formatPercent } from '../text/format.ts'
import { type AdviceView, layerText, viewAdvice } from './advice-view.ts'
import { oneLine } from './check-values.ts'
import type { PlainRow, PlainTable } from './table.ts'

export type ReportView = { readonly report: Report; readonly advice: Advice }

/** What text and Markdown show of a report, in this order. */
export type ReportContents = {
  readonly verdict: string
  /** What to change first. */
  readonly items: readonly AdviceItem[]
  /** How much more advice there is. */
  readonly more: string | undefined
  readonly figures: readonly NamedFigure[]
  readonly layers: PlainTable
  readonly largest: PlainTable
  readonly warnings: readonly { readonly what: string; readonly path: string }[]
}

export function contentsOf({ report, advice }: ReportView): ReportContents {
  const view = viewAdvice(advice, report.size.fileBytes)
  return {
    verdict: verdictSentence(report, view),
    items: view.items.slice(0, view.first),
    more: moreAdvice(view),
    figures: figuresOf(report),
    layers: layerTable(report),
    largest: largestFilesTable(report),
    warnings: warningsOf(report),
  }
}

/** Name and value; what readers look for most comes first. */
export type NamedFigure = readonly [name: string, value: string]

const LARGEST = 5
/** A layer that wastes more than this share of itself is marked. */
const MARKED = 0.1

function figuresOf({
  image,
  size,
  counts,
  waste,
  duplicates,
  efficiency,
  packages,
}: Report): readonly NamedFigure[] {
  const share = size.fileBytes === 0 ? '' : ` (${formatPercent((100 * waste.bytes) / size.fileBytes)})`
  return [
    [
      FIGURES.compressed.short,
      isPullKnown(image, size.stored) ? formatBytes(size.compressedBytes) : UNKNOWN_PULL,
    ],
    [FIGURES.files.label, formatCount(counts.files)],
    [FIGURES.uncompressed.short, formatKnown(size.uncompressedBytes)],
    ['Directories', formatCount(counts.directories)],
    [FIGURES.fileSystem.label, formatBytes(size.apparentBytes)],
    ['Packages', formatCount(packages.total)],
    [FIGURES.wasted.label, `${formatBytes(waste.bytes)}${share}`],
    [FIGURES.layers.label, formatCount(counts.layers)],
    [FIGURES.duplicated.label, formatBytes(duplicates.wastedBytes)],
    [FIGURES.efficiency.label, formatPercent(100 * efficiency.score)],
  ]
}

function layerTable({ image, layers }: Report): PlainTable {
  return {
    columns: [
      { title: 'Layer', align: 'right' },
      { title: FIGURES.compressed.short, align: 'right' },
      { title: FIGURES.uncompressed.short, align: 'right' },
      { title: FIGURES.wasted.short, align: 'right' },
      { title: 'Step', align: 'left', cut: 'end' },
    ],
    rows: layers.map((layer) => layerRow(image, layer)),
  }
}

function layerRow(image: ImageIdentity, layer: LayerReport): PlainRow {
  const { index, compressedBytes, uncompressedBytes, fileBytes, wastedBytes, createdBy } = layer
  return {
    ...(wastedBytes > MARKED * fileBytes ? { sign: '+' as const } : {}),
    cells: [
      [String(index)],
      [isPullKnown(image, storedAs([layer])) ? formatBytes(compressedBytes) : '–'],
      [formatKnown(uncompressedBytes)],
      wastedBytes === 0 ? ['–'] : [formatBytes(wastedBytes)],
      createdBy === undefined ? [] : [{ name: oneLine(createdBy) }],
    ],
  }
}

/** A dash if it is unknown. */
function formatKnown(bytes: number | undefined): string {
  return bytes === undefined ? '–' : formatBytes(bytes)
}

/** ` (layer 1, hidden by layer 5)` */
export function inLayers(item: AdviceItem): string {
  const place = layerText(item)
  return place === '' ? '' : ` (${place})`
}

/** The first sentence of a report: `117 MB on disk, 43.2 MB to pull. 12.3 MB can be saved, 9.80% of the bytes in files.` */
export function verdictSentence({ image, size }: Report, advice: AdviceView): string {
  const secrets = advice.items.some(({ severity }) => severity === 'error')
  return [
    isPullKnown(image, size.stored)
      ? `${formatBytes(size.apparentBytes)} on disk, ${formatBytes(size.compressedBytes)} to pull.`
      : `${formatBytes(size.apparentBytes)} on disk; what a pull takes is ${UNKNOWN_PULL}.`,
    advice.savings,
    ...(secrets ? ['It carries files that look like secrets.'] : []),
  ].join(' ')
}

/** `… and 4 more suggestions`; undefined if all are shown. */
function moreAdvice({ items, first }: AdviceView): string | undefined {
  const more = items.length - first
  if (more <= 0) return undefined
  return `… and ${formatCount(more)} more ${more === 1 ? 'suggestion' : 'suggestions'}`
}

function largestFilesTable({ largestFiles }: Report): PlainTable {
  return {
    columns: [
      { title: 'Size', align: 'right' },
      { title: 'Layer', align: 'right' },
      { title: 'Largest files', align: 'left' },
    ],
    rows: largestFiles.slice(0, LARGEST).map(({ path, bytes, layer }) => ({
      cells: [[formatBytes(bytes)], [layer === undefined ? '' : String(layer)], [{ name: path }]],
    })),
  }
}

/** `whiteoutOfNothing 3, in layer 2: etc/x` */
function warningsOf({ warnings }: Report): readonly { readonly what: string; readonly path: string }[] {
  return warnings.map(({ code, count, layer, path }) => ({
    what: `${code} ${formatCount(count)}${layer === undefined ? '' : `, first in layer ${layer}`}`,
    path: path ?? '',
  }))
}
