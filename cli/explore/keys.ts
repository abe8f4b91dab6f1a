/** The keys: what each does. The help, the line at the bottom and `docs/cli.md` are made of this table. */

import { wrapped } from '../../src/formats/table.ts'

export const VIEWS = [
  'tree',
  'layers',
  'waste',
  'advice',
  'packages',
  'duplicates',
  'changes',
  'largest',
  'image',
] as const
export type View = (typeof VIEWS)[number]

export type Action =
  | { readonly do: 'move'; readonly by: Distance }
  | { readonly do: 'view'; readonly view: View }
  | { readonly do: 'sort'; readonly by: 'size' | 'name' | 'files' | 'time' }
  | { readonly do: 'match' | 'layer' | 'turn'; readonly step: 1 | -1 }
  | { readonly do: Plain }

type Plain =
  | 'open'
  | 'enter'
  | 'close'
  | 'search'
  | 'filter'
  | 'clear'
  | 'mode'
  | 'diff'
  | 'extract'
  | 'copy'
  | 'info'
  | 'bars'
  | 'again'
  | 'help'
  | 'quit'
  | 'interrupt'
  | 'suspend'
  | 'redraw'

/** In rows; or pages, or all the way. */
export type Distance = number | 'page' | '-page' | 'end' | '-end'

/** `pager`: a text that covers the screen. */
export type Pane = View | 'pager'

export type KeyEntry = {
  /** As people call them. */
  readonly shown: string
  readonly does: string
  readonly keys: Readonly<Record<string, Action>>
  /** For the line at the bottom: `Enter open`. */
  readonly hint?: string
  /** Where the hint stands; everywhere if absent. */
  readonly panes?: readonly Pane[]
}

const move = (by: Distance): Action => ({ do: 'move', by })
const WHEEL = 3
const WITH_FILES: readonly Pane[] = ['tree', 'waste', 'duplicates', 'changes', 'largest']

export const KEYS: readonly KeyEntry[] = [
  {
    shown: '↑ ↓ k j, PgUp PgDn, Home End g G, mouse wheel',
    does: 'move',
    keys: {
      up: move(-1),
      k: move(-1),
      down: move(1),
      j: move(1),
      pgup: move('-page'),
      pgdn: move('page'),
      home: move('-end'),
      g: move('-end'),
      end: move('end'),
      G: move('end'),
      'wheel-up': move(-WHEEL),
      'wheel-down': move(WHEEL),
    },
  },
  {
    shown: 'Enter → l, ← h',
    does: 'open; close, or go to the parent from what is closed. On a file Enter shows it (text with line numbers, else hex as hexdump -C; / searches in it); on an archive or a binary its inside',
    keys: {
      enter: { do: 'enter' },
      right: { do: 'open' },
      l: { do: 'open' },
      left: { do: 'close' },
      h: { do: 'close' },
    },
    hint: 'Enter open',
    panes: VIEWS.filter((view) => view !== 'image'),
  },
  { shown: '← → in a text', does: 'move sideways', keys: {}, hint: '← → sideways', panes: ['pager'] },
  {
    shown: 'Tab, Shift-Tab, 1 … 9, mouse click',
    does: 'view: 1 tree, 2 layers, 3 waste, 4 advice, 5 packages, 6 duplicates, 7 changes (with IMAGE2 what changed, largest delta first, else what the selected layer did), 8 largest files, 9 image. A click selects the row',
    keys: {
      tab: { do: 'turn', step: 1 },
      backtab: { do: 'turn', step: -1 },
      ...Object.fromEntries(VIEWS.map((view, i) => [String(i + 1), { do: 'view', view }])),
    },
    hint: '1-9 view',
    panes: VIEWS,
  },
  {
    shown: '/, n, N, Esc',
    does: 'search as you type, in closed folders too: a part of the name (of the path, if it contains /) without regard to case, or a glob; Enter ends typing; next, previous; clear',
    keys: {
      '/': { do: 'search' },
      n: { do: 'match', step: 1 },
      N: { do: 'match', step: -1 },
      esc: { do: 'clear' },
    },
    hint: '/ search',
  },
  {
    shown: 'f',
    does: 'filter in the same words: the tree keeps what matches, what is below it, and the folders above it, which are open and whose sizes are then those of what is kept; Esc clears',
    keys: { f: { do: 'filter' } },
    hint: 'f filter',
    panes: ['tree', 'waste', 'packages', 'duplicates', 'changes', 'largest'],
  },
  {
    shown: 's a C M',
    does: 'sort by size, name, number of files, time (a folder’s is its own), newest first; again: reversed. What is selected stays selected',
    keys: {
      s: { do: 'sort', by: 'size' },
      a: { do: 'sort', by: 'name' },
      C: { do: 'sort', by: 'files' },
      M: { do: 'sort', by: 'time' },
    },
    hint: 's sort',
    panes: ['tree'],
  },
  {
    shown: 'L, [ ]',
    does: 'whole image, what this layer did (+ added, ~ changed, - removed), up to this layer; from layer to layer',
    keys: { L: { do: 'mode' }, '[': { do: 'layer', step: -1 }, ']': { do: 'layer', step: 1 } },
    hint: 'L layer',
    panes: ['tree', 'layers', 'changes'],
  },
  {
    shown: 'v',
    does: 'in changes, and in what a layer did: the unified diff of the file',
    keys: { v: { do: 'diff' } },
    hint: 'v diff',
    panes: ['tree', 'changes'],
  },
  {
    shown: 'e',
    does: 'extract what is selected to a file or a folder: asks for the name (Ctrl-U clears it); a folder with all below it, links as links. What exists is never written to',
    keys: { e: { do: 'extract' } },
    hint: 'e extract',
    panes: WITH_FILES,
  },
  {
    shown: 'y',
    does: 'copy the path, byte for byte (OSC 52)',
    keys: { y: { do: 'copy' } },
    hint: 'y copy',
    panes: WITH_FILES,
  },
  {
    shown: 'i',
    does: 'everything about the row: mode, owner, time, digest, layer, step, package, versions in other layers',
    keys: { i: { do: 'info' } },
    hint: 'i info',
    panes: VIEWS,
  },
  {
    shown: 'b',
    does: 'bars, percent, both, neither',
    keys: { b: { do: 'bars' } },
    hint: 'b bars',
    panes: ['tree'],
  },
  { shown: 'r', does: 'read again', keys: { r: { do: 'again' } }, hint: 'r again', panes: ['image'] },
  {
    shown: '?, q, Esc',
    does: 'these keys, searchable with /; q or Esc leaves what covers the screen, q ends',
    keys: { '?': { do: 'help' }, q: { do: 'quit' } },
  },
  {
    shown: 'Ctrl-C, Ctrl-Z, Ctrl-L',
    does: 'end with 130; stop, until fg; draw all again',
    keys: { 'ctrl-c': { do: 'interrupt' }, 'ctrl-z': { do: 'suspend' }, 'ctrl-l': { do: 'redraw' } },
  },
]

const BY_KEY: ReadonlyMap<string, Action> = new Map(KEYS.flatMap(({ keys }) => Object.entries(keys)))

export function actionOf(key: string): Action | undefined {
  return BY_KEY.get(key)
}

/** Keys of a pane for the line at the bottom, the most useful first; those that every pane has last. */
export function hintsFor(pane: Pane): readonly string[] {
  return KEYS.flatMap(({ hint, panes }) =>
    hint !== undefined && (panes === undefined || panes.includes(pane)) ? [hint] : [],
  )
}

/** Stand at the end of that line, whatever fits before them. */
export function lastHintsFor(pane: Pane): readonly string[] {
  return ['? keys', pane === 'pager' ? 'q back' : 'q quit']
}

/** The table of keys in Markdown, for `docs/cli.md`. */
export function keysMarkdown(): string {
  const rows = [['key', 'does'], ...KEYS.map(({ shown, does }) => [shown, does])]
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const line = (cells: readonly string[], filler = ' ') =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0, filler)).join(' | ')} |\n`
  const [head = [], ...body] = rows
  return [line(head), line(['', ''], '-'), ...body.map((row) => line(row))].join('')
}

/** The same for the screen, in lines that fit its width. */
export function keyLines(columns: number): readonly string[] {
  const room = Math.max(columns - SHOWN - GAP, LEAST)
  return KEYS.flatMap(({ shown, does }) => {
    const left = wrapped(shown, SHOWN)
    const right = wrapped(does, room)
    const lines = Math.max(left.length, right.length)
    return Array.from({ length: lines }, (_, i) => `${(left[i] ?? '').padEnd(SHOWN + GAP)}${right[i] ?? ''}`)
  })
}

const SHOWN = 18
const GAP = 2
const LEAST = 36
