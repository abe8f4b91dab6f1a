/** What keys do to the selected path: open, extract, copy, tell about it, compare. */
import { toBytes } from '../../src/text/bytes.ts'
import type { Explorer } from './explorer.ts'
import { diffText, selectedSides } from './file-diff.ts'
import { extract, fileText, type ImageFile, proposedName, shownPath } from './files.ts'
import { infoLines } from './info.ts'
import { linesText } from './pager.ts'

/** The path that is selected; undefined in a row that is about none. */
export function selectedFile(explorer: Explorer): ImageFile | undefined {
  const { walk, list, images } = explorer
  if (list !== undefined) {
    const file = list.selected?.file
    if (file === undefined) return undefined
    const questions = file.isIn2 === true && images.image2 !== undefined ? images.image2 : images.image
    return { ...file, questions, isFolder: false }
  }
  const { listing, selected } = walk.pane
  const file = {
    questions: images.image,
    path: listing.path(selected),
    isFolder: listing.isFolder(selected),
  }
  if (walk.mode === 'whole') return file
  if (walk.mode === 'upTo') return { ...file, upTo: walk.layer }
  return listing.sign(selected) === '-' ? { ...file, upTo: walk.layer - 1 } : { ...file, layer: walk.layer }
}

/** @param how `open` opens folders only */
export function openTreeRow(explorer: Explorer, how: 'open' | 'enter'): void {
  const { pane } = explorer.walk
  const { selected } = pane
  if (!pane.listing.isFolder(selected)) {
    if (how === 'enter') showFile(explorer)
  } else if (how === 'enter' && pane.isOpen(selected)) pane.close(selected)
  else void explorer.walk.open()
}

/** All about a row of a list, or the file that it is about. */
export function openRow(explorer: Explorer): void {
  const row = explorer.list?.selected
  if (row?.about !== undefined) explorer.cover(linesText(row.name, row.about(explorer.size.columns)))
  else if (row?.file !== undefined) showFile(explorer)
}

function showFile(explorer: Explorer): void {
  const file = selectedFile(explorer)
  if (file === undefined) return
  void explorer.during(`reading ${shownPath(file.path)}`, async () => explorer.cover(await fileText(file)))
}

export function showInfo(explorer: Explorer): void {
  const row = explorer.list?.selected
  if (row?.about !== undefined) {
    explorer.cover(linesText(row.name, row.about(explorer.size.columns)))
    return
  }
  const file = selectedFile(explorer)
  if (file === undefined || file.path === '') return
  const layers = explorer.report?.layers ?? []
  void explorer.during(`reading about ${shownPath(file.path)}`, async () =>
    explorer.cover(linesText('info', await infoLines(file.questions, file.path, layers))),
  )
}

export function showDiff(explorer: Explorer): void {
  const sides = selectedSides(explorer)
  if (sides === undefined) explorer.say('v compares files in changes (7) and in what a layer did (L)')
  else void explorer.during('comparing', async () => explorer.cover(await diffText(sides)))
}

export function copyPath(explorer: Explorer): void {
  const file = selectedFile(explorer)
  if (file === undefined) return
  explorer.outside.copy(toBytes(file.path))
  explorer.message = 'copied the path'
}

export function askName(explorer: Explorer): void {
  const file = selectedFile(explorer)
  if (file === undefined) return
  explorer.prompt = {
    title: 'extract to: ',
    text: proposedName(file),
    onEnter: (name) =>
      void explorer.during(`writing ${shownPath(file.path)}`, async (signal) => {
        explorer.say(await extract(file, name, signal))
      }),
    onEscape: () => {},
  }
}
