/** What a terminal shows, as an SVG that follows the reader's light or dark background. */
import type { Cell } from './emulator.ts'

const WIDTH = 8
const HEIGHT = 18
const FONT = 13
const MARGIN = 12
/** Of a letter's line above the lower edge of its cell. */
const BASE = 5

/** The colours of a terminal that the explorer uses, by their number: on a light and on a dark background. */
const COLOURS: Readonly<Record<number, readonly [light: string, dark: string]>> = {
  1: ['#b3261e', '#ff7b72'],
  2: ['#1a7f37', '#56d364'],
  3: ['#8a6100', '#e3b341'],
  4: ['#0b57d0', '#79c0ff'],
  6: ['#0f7285', '#56d4dd'],
}
const GROUND = ['#ffffff', '#0d1117'] as const
const INK = ['#1f2328', '#e6edf3'] as const
const DIM = ['#59636e', '#9198a1'] as const

type Run = { readonly x: number; readonly columns: number; readonly text: string; readonly look: string }

/** @param title what the picture shows, for those who do not see it */
export function terminalPicture(rows: readonly (readonly Cell[])[], title: string): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const width = columns * WIDTH + 2 * MARGIN
  const height = rows.length * HEIGHT + 2 * MARGIN
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>text{font:${FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}`,
    `.b{font-weight:bold}.u{text-decoration:underline}${colours(0)}@media(prefers-color-scheme:dark){${colours(1)}}</style>`,
    `<rect class="g" width="${width}" height="${height}" rx="6"/>`,
    ...rows.flatMap((row, y) => runsOf(row).flatMap((run) => drawn(run, y))),
    '</svg>\n',
  ].join('\n')
}

function colours(at: 0 | 1): string {
  const named = Object.entries(COLOURS).map(([number, pair]) => `.c${number}{fill:${pair[at]}}`)
  return `text,.s{fill:${INK[at]}}.g,.i{fill:${GROUND[at]}}.d{fill:${DIM[at]}}${named.join('')}`
}

function drawn({ x, columns, text, look }: Run, y: number): readonly string[] {
  const left = MARGIN + x * WIDTH
  const top = MARGIN + y * HEIGHT
  const parts: string[] = []
  if (look.split(' ').includes('i'))
    parts.push(`<rect class="s" x="${left}" y="${top}" width="${columns * WIDTH}" height="${HEIGHT}"/>`)
  const shown = text.trimEnd()
  const lead = shown.length - shown.trimStart().length
  if (shown !== '') {
    const at = `x="${left + lead * WIDTH}" y="${top + HEIGHT - BASE}" textLength="${(shown.length - lead) * WIDTH}"`
    parts.push(`<text${look === '' ? '' : ` class="${look}"`} ${at}>${escaped(shown.trimStart())}</text>`)
  }
  return parts
}

/** Cells that look alike; words that are far apart are drawn apart, so that each is in its column. */
function runsOf(row: readonly Cell[]): readonly Run[] {
  const runs: Run[] = []
  for (const [x, cell] of row.entries()) {
    const look = lookOf(cell)
    const last = runs.at(-1)
    if (last !== undefined && last.look === look)
      runs.splice(-1, 1, { ...last, columns: last.columns + 1, text: last.text + cell.text })
    else runs.push({ x, columns: 1, text: cell.text, look })
  }
  return runs
}

function lookOf({ isBold, isDim, isUnderlined, isInverse, colour }: Cell): string {
  const classes = [
    isInverse ? 'i' : isDim ? 'd' : colour === undefined ? '' : `c${colour}`,
    isBold ? 'b' : '',
    isUnderlined ? 'u' : '',
  ]
  return classes.filter((one) => one !== '').join(' ')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
