/** Bars as a picture: one for each row, dark as far as a part of it goes. */
import { formatBytes } from '../text/format.ts'
import { markupText } from './escape.ts'

export type Bar = {
  readonly name: string
  readonly bytes: number
  /** Of `bytes`, what is dark. */
  readonly darkBytes: number
  /** What a reader is told who points at it. */
  readonly about: string
}

const WIDTH = 640
const ROW = 22
const HEAD = 44
const LEFT = 150
const RIGHT = 90
const NAME_LENGTH = 20
/** As on a badge: text in a font that every reader has, dark enough on white and light enough on black. */
const TEXT = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#777"'

/** An SVG that runs and loads nothing. @param legend what is dark, after the title */
export function drawBars(title: string, legend: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ bytes }) => bytes), 1)
  const height = HEAD + bars.length * ROW + 8
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${markupText(title)}">`,
    `<title>${markupText(title)}</title>`,
    `<text x="12" y="20" font-weight="bold" ${TEXT}>${markupText(title)}: ${markupText(legend)}</text>`,
    ...bars.flatMap((bar, index) => barAt(bar, HEAD + index * ROW, most)),
    '</svg>',
  ].join('')
}

function barAt({ name, bytes, darkBytes, about }: Bar, y: number, most: number): readonly string[] {
  const room = WIDTH - LEFT - RIGHT
  const width = (room * bytes) / most
  const dark = (room * darkBytes) / most
  const short = name.length > NAME_LENGTH ? `…${name.slice(1 - NAME_LENGTH)}` : name
  return [
    `<g><title>${markupText(about)}</title>`,
    `<text x="${LEFT - 10}" y="${y + 12}" text-anchor="end" ${TEXT}>${markupText(short)}</text>`,
    `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="16" rx="2" fill="#9ab8d8"/>`,
    `<rect x="${LEFT}" y="${y}" width="${dark.toFixed(1)}" height="16" rx="2" fill="#2f6db3"/>`,
    `<text x="${(LEFT + width + 6).toFixed(1)}" y="${y + 12}" ${TEXT}>${formatBytes(bytes)}</text></g>`,
  ]
}
