/** What layers have in other compressions, for a terminal and in Markdown. */
import type { CompressedLayer, CompressionReport } from '../service/images/compression.ts'
import { formatBytes } from '../text/format.ts'
import { markdownCode, terminalLine, terminalText } from './escape.ts'
import { fitted, markdownTable, type PlainTable, type TextStyle, textTable, wrapped } from './table.ts'

const WIDTH = 80

/** What another compression costs. */
const COSTS = [
  'A recompressed layer is another blob: it is not shared with images that keep the old one, and whoever has those pulls it again.',
  'Older engines cannot pull zstd: it needs Docker 23 or containerd 1.5 at least.',
  'A layer in eStargz or zstd:chunked loses its table of contents, so that it is no longer pulled lazily.',
]

export function compressionText(
  reference: string,
  report: CompressionReport,
  style: TextStyle = { colour: false },
): string {
  const { width = WIDTH } = style
  const lines = [
    fitted(terminalText(reference), width),
    ...sentences(report).flatMap((sentence) => wrapped(sentence, width)),
    ...(report.layers.length === 0 ? [] : ['', ...textTable(layersTable(report), style)]),
    '',
    ...COSTS.flatMap((cost) => wrapped(cost, width)),
  ]
  return lines.map((line) => `${terminalLine(line.trimEnd())}\n`).join('')
}

export function compressionMarkdown(reference: string, report: CompressionReport): string {
  const lines = [
    `### ${markdownCode(reference)} in other compressions`,
    '',
    ...sentences(report).map((sentence) => `- ${sentence}`),
    ...(report.layers.length === 0 ? [] : ['', ...markdownTable(layersTable(report))]),
    '',
    ...COSTS,
  ]
  return `${lines.join('\n')}\n`
}

/** What a pull of these layers saves. */
function sentences({ total }: CompressionReport): readonly string[] {
  const { compressedBytes, decompressSeconds, measured } = total
  return Object.entries(measured).map(([setting, { bytes, saved, compressSeconds, ...of }]) => {
    const change =
      saved === 0
        ? 'as much as now'
        : `${formatBytes(Math.abs(saved))} ${saved > 0 ? 'less' : 'more'} than the ${formatBytes(compressedBytes)} it takes now`
    const decompressing = `${inSeconds(of.decompressSeconds)} to decompress (now ${inSeconds(decompressSeconds)})`
    return `${setting}: a pull takes ${formatBytes(bytes)}, ${change}; ${inSeconds(compressSeconds)} to compress, ${decompressing}.`
  })
}

function inSeconds(seconds: number): string {
  return `${seconds < 10 ? seconds.toFixed(2) : Math.round(seconds)} s`
}

function layersTable({ layers, total }: CompressionReport): PlainTable {
  const settings = Object.keys(total.measured)
  return {
    columns: [
      { title: 'Layer', align: 'right' },
      { title: 'Uncompressed', align: 'right' },
      { title: 'Now', align: 'right' },
      ...settings.map((title) => ({ title, align: 'right' }) as const),
    ],
    rows: layers.map((layer) => ({ cells: cellsOf(layer, settings) })),
  }
}

function cellsOf(layer: CompressedLayer, settings: readonly string[]): readonly (readonly string[])[] {
  const { index, uncompressedBytes, compression, compressedBytes, measured } = layer
  return [
    [String(index)],
    [formatBytes(uncompressedBytes)],
    [`${compression === 'none' ? 'plain' : compression} ${formatBytes(compressedBytes)}`],
    ...settings.map((setting) => [formatBytes(measured[setting]?.bytes ?? 0)]),
  ]
}
