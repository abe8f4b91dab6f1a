/** A list in columns. */
import { cutEnd, cutMiddle, widthOf } from './clusters.ts'
import type { Explorer } from './explorer.ts'
import type { Grid, Style } from './grid.ts'
import type { Sign } from './listing.ts'
import { COLUMNS, type Column, type ListName } from './lists.ts'
import type { Look } from './look.ts'

const GAP = 2
const SIGN_STYLES: Readonly<Record<Sign, Style>> = { '+': '32', '~': '33', '-': '31' }

export function drawList(explorer: Explorer, grid: Grid, { hasColour }: Look): void {
  const { list, view, place } = explorer
  if (list === undefined || view === 'tree') return
  const { columns } = grid.size
  const mark = hasColour ? 0 : 1
  const layout: readonly Column[] = COLUMNS[view satisfies ListName]
  const widths = widthsOf(layout, columns - mark)
  const titles = layout.map(({ title }, i) => cell(title, widths[i] ?? 0, layout[i]))
  grid.put({ x: mark, y: place.titles }, titles.join(' '.repeat(GAP)), hasColour ? '2' : '')
  for (let i = 0; i < place.rows; i++) {
    const row = list.rows[list.top + i]
    if (row === undefined) break
    const y = place.first + i
    const isSelected = list.top + i === list.index
    const texts = row.cells.map((text, at) => cell(text, widths[at] ?? 0, layout[at]))
    if (!hasColour && isSelected) grid.put({ x: 0, y }, '>')
    grid.put({ x: mark, y }, texts.join(' '.repeat(GAP)))
    if (!hasColour) continue
    if (isSelected) grid.paint({ x: 0, y, columns }, '7')
    else if (row.sign !== undefined) grid.paint({ x: 0, y, columns }, SIGN_STYLES[row.sign])
  }
  if (list.rows.length === 0 && !list.isReading) grid.put({ x: mark, y: place.first }, 'nothing')
}

function widthsOf(layout: readonly Column[], columns: number): readonly number[] {
  const shares = layout.reduce((sum, { width }) => sum + (typeof width === 'number' ? 0 : width.share), 0)
  const fixed = layout.reduce((sum, { width }) => sum + (typeof width === 'number' ? width : 0), 0)
  const room = columns - fixed - GAP * (layout.length - 1)
  return layout.map(({ width }) =>
    typeof width === 'number' ? width : Math.max(Math.floor((room * width.share) / shares), 1),
  )
}

/** Names and paths are cut in the middle, sentences at the end. */
function cell(text: string, width: number, column: Column | undefined): string {
  const isSentence = column?.title === 'step' || column?.title === 'what to change' || column?.title === ''
  const shown = isSentence ? cutEnd(text, width) : cutMiddle(text, width)
  const padding = ' '.repeat(Math.max(width - widthOf(shown), 0))
  return column?.align === 'right' ? padding + shown : shown + padding
}
