import { expect, test } from 'vitest'
import { VIEWS } from './keys.ts'
import { tabAt, tabsFor } from './tabs.ts'

function line(active: (typeof VIEWS)[number], columns: number): string {
  return tabsFor(active, columns).reduce((text, tab) => text.padEnd(tab.x) + tab.text, '')
}

test('all views have names where there is room for them, short ones in 80 columns', () => {
  expect(line('tree', 120)).toBe(
    '1 tree  2 layers  3 waste  4 advice  5 packages  6 duplicates  7 changes  8 largest  9 image',
  )
  expect(line('tree', 80)).toBe('1 tree 2 layers 3 waste 4 advice 5 pkgs 6 dups 7 changes 8 largest 9 image')
  expect(line('waste', 60)).toBe('1  2  3 waste  4  5  6  7  8  9')
})

test.each([60, 80, 92, 200])('in %i columns the active view is named, and each can be clicked', (columns) => {
  for (const [i, view] of VIEWS.entries()) {
    const shown = line(view, columns)
    expect(shown.length).toBeLessThanOrEqual(columns)
    expect(shown).toContain(`${i + 1} ${view}`)
    for (const [other, to] of VIEWS.entries())
      expect(tabAt(view, columns, shown.indexOf(String(other + 1)))).toBe(to)
  }
})
