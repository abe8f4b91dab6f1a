/** The line of views: `1 tree  2 layers …`. Where that does not fit, names are short, and where they do not fit either, left out. */
import { VIEWS, type View } from './keys.ts'

export type Tab = { readonly view: View; readonly text: string; readonly x: number }

/** In a line of 80 columns; the active view has its whole name. */
const SHORT: Partial<Record<View, string>> = { packages: 'pkgs', duplicates: 'dups' }

/** From the longest line to the shortest. */
const LINES: readonly { readonly gap: number; readonly nameOf: (view: View) => string }[] = [
  { gap: 2, nameOf: (view) => view },
  { gap: 1, nameOf: (view) => SHORT[view] ?? view },
  { gap: 2, nameOf: () => '' },
]

export function tabsFor(active: View, columns: number): readonly Tab[] {
  const lines = LINES.map(({ gap, nameOf }) => {
    let x = 0
    return VIEWS.map((view, i): Tab => {
      const tab = { view, text: `${i + 1} ${view === active ? view : nameOf(view)}`.trimEnd(), x }
      x += tab.text.length + gap
      return tab
    })
  })
  return lines.find((line) => endOf(line) <= columns) ?? lines.at(-1) ?? []
}

function endOf(line: readonly Tab[]): number {
  const last = line.at(-1)
  return last === undefined ? 0 : last.x + last.text.length
}

/** The view whose name is at this column. */
export function tabAt(active: View, columns: number, x: number): View | undefined {
  return tabsFor(active, columns).find((tab) => x >= tab.x && x < tab.x + tab.text.length)?.view
}
