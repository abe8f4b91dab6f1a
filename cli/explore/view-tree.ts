/** The tree: sizes, bars, names. */
import { terminalText } from '../../src/formats/escape.ts'
import { formatBytes, formatPercent } from '../../src/text/format.ts'
import { cutMiddle } from './clusters.ts'
import type { Explorer } from './explorer.ts'
import type { Grid, Style } from './grid.ts'
import { ROOT, type Sign } from './listing.ts'
import type { Look } from './look.ts'
import type { TreePane } from './tree-pane.ts'

const SIZE = 8
const PERCENT = 6
const BAR = 10
const INDENT = 2
/** A deeper row is indented no further. */
const MOST_INDENT = 0.4

const SIGN_STYLES: Readonly<Record<Sign, Style>> = { '+': '32', '~': '33', '-': '31' }

export function drawTree(explorer: Explorer, grid: Grid, { hasColour }: Look): void {
  const { walk, place, bars } = explorer
  const { pane } = walk
  const { listing, rows, top, index } = pane
  const { columns } = grid.size
  for (let i = 0; i < place.rows; i++) {
    const row = rows[top + i]
    if (row === undefined) break
    const y = place.first + i
    const isSelected = top + i === index
    const sign = listing.sign(row)
    const isFolder = listing.isFolder(row)
    const parts = [hasColour ? '' : isSelected ? '>' : ' ']
    if (walk.mode === 'did') parts.push(sign ?? ' ', ' ')
    parts.push(formatBytes(pane.figures.bytes(row)).padStart(SIZE), '  ', share(pane, row, bars))
    const mark = isFolder ? (pane.isOpen(row) ? '- ' : '+ ') : '  '
    const indent = Math.min(INDENT * listing.depth(row), Math.floor(columns * MOST_INDENT))
    const before = parts.join('') + ' '.repeat(indent)
    const name = `${row === ROOT ? '' : terminalText(listing.text(row))}${isFolder ? '/' : ''}`
    const x = grid.put({ x: 0, y }, before, '')
    const at = grid.put({ x, y }, mark, hasColour ? '2' : '')
    grid.put({ x: at, y }, cutMiddle(name, columns - at), hasColour && isFolder ? '1;34' : '')
    if (!hasColour) continue
    if (isSelected) grid.paint({ x: 0, y, columns }, '7')
    else if (sign !== undefined) grid.paint({ x: 0, y, columns }, SIGN_STYLES[sign])
  }
}

/** Of the folder that it is in. */
function share(pane: TreePane, row: number, bars: Explorer['bars']): string {
  if (bars === 'neither') return ''
  const { figures, listing } = pane
  const whole = figures.bytes(Math.max(listing.parent(row), ROOT))
  const part = whole === 0 ? 0 : figures.bytes(row) / whole
  const percent = `${formatPercent(100 * part).padStart(PERCENT)}  `
  const bar = `[${'#'.repeat(Math.min(Math.round(part * BAR), BAR)).padEnd(BAR)}]  `
  if (bars === 'both') return percent + bar
  return bars === 'percent' ? percent : bar
}
