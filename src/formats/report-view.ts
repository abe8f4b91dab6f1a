/** What a report shows to people, whatever the form: figures, the layers with their steps, the worst wastes. */
import type { Advice, AdviceItem } from '../advice/advise.ts'
import type { LayerReport, Report } from '../image/report.ts'
import { FIGURES } from '../text/figures.ts'
import { formatBytes, formatCount, formatPercent } from '../text/format.ts'
import { oneLine } from './check-values.ts'
import type { PlainTable } from './table.ts'

export type ReportView = { readonly report: Report; readonly advice: Advice }

/** Name and value, in the order of a reader's interest. */
export type NamedFigure = readonly [name: string, value: string]

const WORST = 5
const LARGEST = 5
/** A layer that wastes more of itself is marked. */
const MARKED = 0.1

export function figuresOf({
  size,
  counts,
  waste,
  duplicates,
  efficiency,
  packages,
}: Report): readonly NamedFigure[] {
  const share = size.fileBytes === 0 ? '' : ` (${formatPercent((100 * waste.bytes) / size.fileBytes)})`
  return [
    [FIGURES.compressed.short, formatBytes(size.compressedBytes)],
    [FIGURES.files.label, formatCount(counts.files)],
    [FIGURES.uncompressed.short, formatBytes(size.uncompressedBytes)],
    ['Directories', formatCount(counts.directories)],
    [FIGURES.fileSystem.label, formatBytes(size.apparentBytes)],
    ['Packages', formatCount(packages.total)],
    [FIGURES.wasted.label, `${formatBytes(waste.bytes)}${share}`],
    [FIGURES.layers.label, formatCount(counts.layers)],
    [FIGURES.duplicated.label, formatBytes(duplicates.wastedBytes)],
    [FIGURES.efficiency.label, formatPercent(100 * efficiency.score)],
  ]
}

export function layerTable(layers: readonly LayerReport[]): PlainTable {
  return {
    columns: [
      { title: 'Layer', align: 'right' },
      { title: 'Compressed', align: 'right' },
      { title: 'Size', align: 'right' },
      { title: 'Wasted', align: 'right' },
      { title: 'Step', align: 'left', cut: 'end' },
    ],
    rows: layers.map(({ index, compressedBytes, uncompressedBytes, fileBytes, wastedBytes, createdBy }) => ({
      ...(wastedBytes > MARKED * fileBytes ? { sign: '+' as const } : {}),
      cells: [
        [String(index)],
        [formatBytes(compressedBytes)],
        [formatBytes(uncompressedBytes)],
        wastedBytes === 0 ? ['–'] : [formatBytes(wastedBytes)],
        createdBy === undefined ? [] : [{ name: oneLine(createdBy) }],
      ],
    })),
  }
}

/** ` (layer 1, hidden by layer 5)` */
export function placeOf({ layer, byLayer }: AdviceItem): string {
  const places = [
    ...(layer === undefined ? [] : [`layer ${layer}`]),
    ...(byLayer === undefined ? [] : [`hidden by layer ${byLayer}`]),
  ]
  return places.length === 0 ? '' : ` (${places.join(', ')})`
}

/** The items that save most, secrets among them. */
export function worstOf({ items }: Advice): readonly AdviceItem[] {
  return items.filter(({ severity }) => severity !== 'info').slice(0, WORST)
}

export function largestFilesTable({ largestFiles }: Report): PlainTable {
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
export function warningsOf({
  warnings,
}: Report): readonly { readonly what: string; readonly path: string }[] {
  return warnings.map(({ code, count, layer, path }) => ({
    what: `${code} ${formatCount(count)}${layer === undefined ? '' : `, first in layer ${layer}`}`,
    path: path ?? '',
  }))
}
