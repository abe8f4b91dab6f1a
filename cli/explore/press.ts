/** What each key does to the explorer. */
import type { Explorer } from './explorer.ts'
import { BARS } from './explorer.ts'
import type { Key } from './input.ts'
import { type Action, actionOf, type Distance, keyLines, VIEWS } from './keys.ts'
import { askName, copyPath, openRow, openTreeRow, showDiff, showInfo } from './on-file.ts'
import { linesText, type Pager } from './pager.ts'
import { type as typeInto } from './prompt.ts'
import { askFilter, askPagerSearch, askSearch, clear, searchPager, toMatch } from './searching.ts'
import { tabAt } from './tabs.ts'

/** Columns that a text moves sideways. */
const SHIFT = 8

export function press(explorer: Explorer, key: Key): void {
  const { prompt } = explorer
  if (key.kind === 'click') click(explorer, key)
  else if (prompt !== undefined && key.name !== 'ctrl-c' && key.name !== 'ctrl-z') {
    explorer.message = ''
    explorer.prompt = undefined
    if (typeInto(prompt, key.name)) explorer.prompt = prompt
  } else {
    explorer.message = ''
    const action = actionOf(key.name)
    if (action !== undefined) actWhenFound(explorer, action, key.name)
  }
  explorer.settle(explorer.size)
  explorer.changed()
}

/** Of what is selected. */
const ON_SELECTED: ReadonlySet<Action['do']> = new Set([
  'enter',
  'open',
  'close',
  'match',
  'info',
  'diff',
  'extract',
  'copy',
])

function actWhenFound(explorer: Explorer, action: Action, key: string): void {
  const { pager, list, walk } = explorer
  const waits = ON_SELECTED.has(action.do) && pager === undefined
  if (waits) (list ?? walk).whenFound(() => act(explorer, action, key))
  else act(explorer, action, key)
}

function act(explorer: Explorer, action: Action, key: string): void {
  const { outside, pager } = explorer
  switch (action.do) {
    case 'quit':
      if (explorer.overlays.pop() === undefined) outside.quit()
      return
    case 'interrupt':
      outside.interrupt()
      return
    case 'suspend':
      outside.suspend()
      return
    case 'redraw':
      outside.redraw()
      return
    case 'help':
      explorer.cover(linesText('keys', keyLines(explorer.size.columns - 2)))
      return
    default:
      if (pager !== undefined) actOnPager(explorer, pager, action, key)
      else if (explorer.reading === undefined) actOnPane(explorer, action)
  }
}

function actOnPager(explorer: Explorer, pager: Pager, action: Action, key: string): void {
  const { rows } = explorer.place
  switch (action.do) {
    case 'move':
      pager.move(distance(action.by, rows), rows)
      return
    case 'open':
    case 'close':
      pager.shift = Math.max(0, pager.shift + (action.do === 'open' ? SHIFT : -SHIFT))
      return
    case 'search':
      askPagerSearch(explorer, pager)
      return
    case 'match':
      searchPager(explorer, pager, {
        typed: pager.searched,
        from: pager.top + action.step,
        step: action.step,
      })
      return
    case 'clear':
      if (key === 'esc' && pager.searched !== '') pager.clear()
      else explorer.overlays.pop()
      return
    default:
  }
}

function actOnPane(explorer: Explorer, action: Action): void {
  const { walk, list } = explorer
  switch (action.do) {
    case 'view':
      explorer.view = action.view
      return
    case 'turn':
      explorer.view =
        VIEWS[(VIEWS.indexOf(explorer.view) + action.step + VIEWS.length) % VIEWS.length] ?? 'tree'
      return
    case 'move':
      move(explorer, distance(action.by, explorer.place.rows))
      return
    case 'search':
      askSearch(explorer)
      return
    case 'match':
      toMatch(explorer, action.step)
      return
    case 'filter':
      askFilter(explorer)
      return
    case 'clear':
      clear(explorer)
      return
    case 'layer':
      void toLayer(explorer, walk.layer + action.step)
      return
    case 'mode':
      if (explorer.view === 'tree') void walk.turnMode()
      else openLayer(explorer)
      return
    case 'enter':
    case 'open':
      if (list === undefined) openTreeRow(explorer, action.do)
      else if (explorer.view === 'layers') openLayer(explorer)
      else openRow(explorer)
      return
    case 'close':
      if (list === undefined) walk.pane.closeOrLeave()
      return
    case 'sort':
      if (list === undefined) void walk.sortBy(action.by)
      return
    case 'bars':
      explorer.bars = BARS[(BARS.indexOf(explorer.bars) + 1) % BARS.length] ?? 'bars'
      return
    case 'copy':
      copyPath(explorer)
      return
    case 'info':
      showInfo(explorer)
      return
    case 'diff':
      showDiff(explorer)
      return
    case 'extract':
      askName(explorer)
      return
    case 'again':
      void explorer.again()
      return
    default:
  }
}

function distance(by: Distance, rows: number): number {
  switch (by) {
    case 'page':
      return Math.max(rows - 1, 1)
    case '-page':
      return -Math.max(rows - 1, 1)
    case 'end':
      return Number.POSITIVE_INFINITY
    case '-end':
      return Number.NEGATIVE_INFINITY
    default:
      return by
  }
}

function move(explorer: Explorer, by: number): void {
  const { list, walk } = explorer
  if (list === undefined) walk.pane.move(by)
  else list.move(by)
  followLayer(explorer)
}

/** The selected layer is the one that the tree and the changes are about. */
function followLayer({ view, list, walk }: Explorer): void {
  if (view === 'layers' && list !== undefined) void walk.toLayer(list.selected?.layer ?? 0)
}

async function toLayer(explorer: Explorer, layer: number): Promise<void> {
  const { walk, view, list } = explorer
  await walk.toLayer(layer)
  if (view === 'layers' && list !== undefined) list.index = walk.layer
  explorer.settle(explorer.size)
  explorer.changed()
}

/** Shows in the tree what the selected layer did. */
function openLayer(explorer: Explorer): void {
  const layer = explorer.view === 'layers' ? explorer.list?.selected?.layer : explorer.walk.layer
  explorer.view = 'tree'
  void explorer.walk.toLayer(layer ?? 0, 'did')
}

const TABS_LINE = 1

function click(explorer: Explorer, { x, y }: { readonly x: number; readonly y: number }): void {
  const { place, list, walk, pager, prompt } = explorer
  if (pager !== undefined || prompt !== undefined || explorer.reading !== undefined) return
  if (y === TABS_LINE) {
    explorer.view = tabAt(explorer.view, explorer.size.columns, x) ?? explorer.view
    return
  }
  const row = y - place.first
  if (row < 0 || row >= place.rows || x >= explorer.size.columns) return
  const pane = list ?? walk.pane
  if (pane.top + row < pane.rows.length) move(explorer, pane.top + row - pane.index)
}
