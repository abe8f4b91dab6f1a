/** The screen: a pure function of the explorer and the size. */
import { terminalText } from '../../src/formats/escape.ts'
import { formatBytes, formatCount } from '../../src/text/format.ts'
import { cutEnd, cutMiddle, widthOf } from './clusters.ts'
import type { Explorer } from './explorer.ts'
import { shownPath } from './files.ts'
import { Grid, type Size } from './grid.ts'
import { hintsFor, lastHintsFor } from './keys.ts'
import type { Look } from './look.ts'
import { LEAST_SIZE } from './screen-layout.ts'
import { tabsFor } from './tabs.ts'
import { drawList } from './view-list.ts'
import { drawPager } from './view-pager.ts'
import { drawReading } from './view-reading.ts'
import { drawTree } from './view-tree.ts'

export function view(explorer: Explorer, size: Size, look: Look): Grid {
  const grid = new Grid(size)
  if (size.columns < LEAST_SIZE.columns || size.rows < LEAST_SIZE.rows) {
    const least = `${LEAST_SIZE.columns} x ${LEAST_SIZE.rows}`
    grid.put({ x: 0, y: 0 }, cutEnd(`too small: ${least} needed`, size.columns))
    return grid
  }
  const { place } = explorer
  drawHeader(explorer, grid, look)
  if (explorer.pager !== undefined) drawPager(explorer.pager, grid, place, look)
  else {
    drawTabs(explorer, grid, look)
    if (explorer.reading !== undefined) drawReading(explorer.reading, grid, place)
    else if (explorer.list !== undefined) drawList(explorer, grid, look)
    else drawTree(explorer, grid, look)
  }
  drawLine(explorer, grid)
  drawStatus(explorer, grid, look)
  drawKeys(explorer, grid, look)
  return grid
}

function drawHeader(explorer: Explorer, grid: Grid, { hasColour }: Look): void {
  const { images, report, walk, reading } = explorer
  const mode = shownMode(explorer)
  const second = images.image2 === undefined ? '' : ` → ${terminalText(images.image2.target.image)}`
  const parts = [
    report?.image.platform ?? images.image.target.platform ?? '',
    reading === undefined ? formatBytes(walk.bytes) : '',
    { whole: '', did: `layer ${walk.layer}`, upTo: `up to layer ${walk.layer}` }[mode],
    filterOf(explorer),
  ].filter((part) => part !== '')
  const about = parts.map((part) => `  ${part}`).join('')
  const room = grid.size.columns - widthOf(about)
  const name = cutMiddle(`${terminalText(images.image.target.image)}${second}`, room)
  const x = grid.put({ x: 0, y: 0 }, name, hasColour ? '1' : '')
  const end = grid.put({ x, y: 0 }, about)
  // The step fills what is left of the line.
  const step = mode === 'whole' ? undefined : report?.layers[walk.layer]?.createdBy
  if (step !== undefined)
    grid.put({ x: end, y: 0 }, cutEnd(`  ${terminalText(step)}`, grid.size.columns - end))
}

/** Changes of one image are those of the selected layer. */
function shownMode({ view: active, images, walk }: Explorer): Explorer['walk']['mode'] {
  return active === 'changes' && images.image2 === undefined ? 'did' : walk.mode
}

function filterOf({ list, walk }: Explorer): string {
  const typed = list === undefined ? walk.filtered : (list.filter ?? '')
  return typed === '' ? '' : `filter: ${cutEnd(terminalText(typed), 20)}`
}

function drawTabs({ view: active }: Explorer, grid: Grid, { hasColour }: Look): void {
  for (const { view: name, text, x } of tabsFor(active, grid.size.columns))
    grid.put({ x, y: 1 }, text, hasColour ? (name === active ? '1;4' : '2') : '')
}

/** Where one types; else a message, or what it waits for. */
function drawLine(explorer: Explorer, grid: Grid): void {
  const { prompt, message, waitsFor } = explorer
  const y = explorer.place.line
  const { columns } = grid.size
  if (prompt !== undefined) {
    const title = message === '' ? prompt.title : `${message}  ${prompt.title}`
    const typed = terminalText(prompt.text)
    const room = columns - widthOf(title) - 1
    // What is typed last is always seen.
    const shown = widthOf(typed) <= room ? typed : `…${[...typed].slice(-Math.floor(room / 2)).join('')}`
    grid.cursor = { x: Math.min(grid.put({ x: 0, y }, title + shown), columns - 1), y }
  } else if (message !== '') grid.put({ x: 0, y }, cutEnd(message, columns))
  else if (waitsFor !== undefined) grid.put({ x: 0, y }, cutEnd(`${waitsFor} …`, columns))
}

/** The path of the selected row and its bytes. */
function drawStatus(explorer: Explorer, grid: Grid, { hasColour }: Look): void {
  const { name, bytes } = selection(explorer)
  const figure = bytes === undefined ? '' : `  ${signed(explorer, bytes)} B`
  const text = cutMiddle(name, grid.size.columns - figure.length) + figure
  grid.put({ x: 0, y: explorer.place.status }, text, hasColour ? '1' : '')
}

function signed({ view: active }: Explorer, bytes: number): string {
  return active === 'changes' && bytes > 0 ? `+${formatCount(bytes)}` : formatCount(bytes)
}

function selection({ list, walk, reading, images }: Explorer): {
  readonly name: string
  readonly bytes?: number | undefined
} {
  if (reading !== undefined) return { name: terminalText(images.image.target.image) }
  if (list !== undefined) return { name: list.selected?.name ?? '', bytes: list.selected?.bytes }
  const { listing, selected, figures } = walk.pane
  const folder = listing.isFolder(selected) ? '/' : ''
  return { name: `${shownPath(listing.path(selected))}${folder}`, bytes: figures.bytes(selected) }
}

const GAP = '  '

function drawKeys(explorer: Explorer, grid: Grid, { hasColour }: Look): void {
  const pane = explorer.pager === undefined ? explorer.view : 'pager'
  const always = lastHintsFor(pane).join(GAP)
  let line = ''
  for (const hint of hintsFor(pane)) {
    if (widthOf(`${line}${hint}${GAP}${always}`) > grid.size.columns) continue
    line += `${hint}${GAP}`
  }
  grid.put({ x: 0, y: explorer.place.keys }, `${line}${always}`, hasColour ? '36' : '')
}
