/** Search and filter, in the tree, in lists and in texts. */
import type { Explorer } from './explorer.ts'
import type { Pager } from './pager.ts'

/** In the pane that is shown. */
export function askSearch(explorer: Explorer): void {
  const { walk, list } = explorer
  if (list === undefined) {
    walk.beginSearch()
    explorer.prompt = {
      title: '/',
      text: '',
      onType: (text) => void walk.search(text),
      onEnter: () => {},
      onEscape: () => void walk.search(''),
    }
    return
  }
  const from = list.index
  explorer.prompt = {
    title: '/',
    text: '',
    onType: (text) => {
      explorer.searched = text
      list.index = from
      if (text === '') list.stopSeeking()
      else list.seek({ typed: text, from, onMissing: () => explorer.say('no match') })
    },
    onEnter: () => {},
    onEscape: () => {
      explorer.searched = ''
      list.stopSeeking()
      list.index = from
    },
  }
}

export function toMatch(explorer: Explorer, step: 1 | -1): void {
  const { walk, list, searched } = explorer
  if (list === undefined) {
    void walk.toMatch(step)
    return
  }
  if (searched === '') return
  if (step === 1) {
    list.seek({ typed: searched, from: list.index + 1, onMissing: () => explorer.say('no match') })
    return
  }
  const found = list.find(searched, list.index + step, step)
  if (found < 0) explorer.message = 'no match'
  else list.index = found
}

export function askFilter(explorer: Explorer): void {
  const { walk, list } = explorer
  explorer.prompt = {
    title: 'filter: ',
    text: '',
    onEnter: (text) => {
      if (list === undefined) void walk.filter(text)
      else list.keepOnly(text === '' ? undefined : text)
    },
    onEscape: () => {
      if (list === undefined) void walk.filter('')
      else list.keepOnly(undefined)
    },
  }
}

export function clear(explorer: Explorer): void {
  const { walk, list } = explorer
  if (list === undefined) walk.clear()
  else if (explorer.searched !== '') explorer.searched = ''
  else list.keepOnly(undefined)
}

export function askPagerSearch(explorer: Explorer, pager: Pager): void {
  const from = pager.top
  explorer.prompt = {
    title: '/',
    text: '',
    onType: (typed) => searchPager(explorer, pager, { typed, from, step: 1 }),
    onEnter: () => {},
    onEscape: () => pager.clear(),
  }
}

type PagerSearch = { readonly typed: string; readonly from: number; readonly step: 1 | -1 }

export function searchPager(explorer: Explorer, pager: Pager, { typed, from, step }: PagerSearch): void {
  if (!pager.search(typed, from, step) && typed !== '') explorer.message = 'no match'
}
