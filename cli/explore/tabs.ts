/** The line of views: `1 tree  2 layers …`; where they do not fit, only the active one has its name. */
import { VIEWS, type View } from './keys.ts'

export type Tab = { readonly view: View; readonly text: string; readonly x: number }

const GAP = 2

export function tabsFor(active: View, columns: number): readonly Tab[] {
  const whole = VIEWS.map((view, i) => `${i + 1} ${view}`)
  const fits = whole.join(' '.repeat(GAP)).length <= columns
  let x = 0
  return VIEWS.map((view, i) => {
    const text = fits || view === active ? (whole[i] ?? '') : String(i + 1)
    const tab = { view, text, x }
    x += text.length + GAP
    return tab
  })
}

/** The view whose name is at this column. */
export function tabAt(active: View, columns: number, x: number): View | undefined {
  return tabsFor(active, columns).find((tab) => x >= tab.x && x < tab.x + tab.text.length)?.view
}
