/** A text over the whole screen. */
import { terminalText } from '../../src/formats/escape.ts'
import { clustersOf, cutEnd } from './clusters.ts'
import type { Grid } from './grid.ts'
import type { Look } from './look.ts'
import type { Pager } from './pager.ts'
import type { ScreenLayout } from './screen-layout.ts'

export function drawPager(
  pager: Pager,
  grid: Grid,
  { first, rows }: ScreenLayout,
  { hasColour }: Look,
): void {
  const { text, top, shift } = pager
  const digits = text.isNumbered === true ? String(text.count).length : 0
  const fits = pager.fits()
  const last = Math.min(top + rows, text.count)
  const place = text.count === 0 ? 'empty' : `${top + 1}-${last} of ${text.count}`
  const searched = pager.searched === '' ? '' : `  /${terminalText(pager.searched)}`
  grid.put({ x: 0, y: 1 }, cutEnd(`${text.title}  ${place}${searched}`, grid.size.columns))
  for (let index = top; index < last; index++) {
    const y = first + index - top
    let x = 0
    if (digits > 0) x = grid.put({ x, y }, `${String(index + 1).padStart(digits)}  `, hasColour ? '2' : '')
    const line = text.line(index)
    const style = !hasColour ? '' : fits(index) ? '1;33' : (text.style?.(index) ?? '')
    if (!hasColour && fits(index)) x = grid.put({ x, y }, '* ')
    // No more of a line is looked at than may be shown.
    grid.put({ x, y }, shifted(line, shift, grid.size.columns), style)
  }
}

function shifted(line: string, shift: number, columns: number): string {
  const near = line.slice(0, MOST_UNITS * (shift + columns))
  if (shift === 0) return near
  let left = shift
  let text = ''
  for (const cluster of clustersOf(near)) {
    if (left > 0) left -= cluster.columns
    else text += cluster.text
  }
  return text
}

/** Of a column's cluster. */
const MOST_UNITS = 8
