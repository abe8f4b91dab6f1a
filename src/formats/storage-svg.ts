/** What a repository's tags store as a picture: a bar for each tag, what it has alone and what it shares. */
import type { StoredTag } from '../storage/storage.ts'
import { formatBytes } from '../text/format.ts'
import { markupText } from './escape.ts'
import { type StorageView, storageHeadline } from './storage-view.ts'

const WIDTH = 640
const ROW = 22
const HEAD = 44
const LEFT = 150
const RIGHT = 90
const NAME_LENGTH = 20
/** As on a badge: text in a font that every reader has, dark enough on white and light enough on black. */
const TEXT = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#777"'

/** An SVG that runs and loads nothing. Tags that could not be read have no bar. */
export function drawStorage(view: StorageView): string {
  const tags = view.items.filter((item): item is StoredTag => !('problem' in item))
  const most = Math.max(...tags.map(({ bytes }) => bytes), 1)
  const title = storageHeadline(view)
  const height = HEAD + tags.length * ROW + 8
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${markupText(title)}">`,
    `<title>${markupText(title)}</title>`,
    `<text x="12" y="20" font-weight="bold" ${TEXT}>${markupText(title)}: dark what one tag has alone</text>`,
    ...tags.flatMap((tag, place) => barOf(tag, HEAD + place * ROW, most)),
    '</svg>',
  ].join('')
}

function barOf({ name, bytes, uniqueBytes }: StoredTag, y: number, most: number): readonly string[] {
  const room = WIDTH - LEFT - RIGHT
  const width = (room * bytes) / most
  const unique = (room * uniqueBytes) / most
  const short = name.length > NAME_LENGTH ? `…${name.slice(1 - NAME_LENGTH)}` : name
  const told = `${name}: ${formatBytes(bytes)}, ${formatBytes(uniqueBytes)} of it unique`
  return [
    `<g><title>${markupText(told)}</title>`,
    `<text x="${LEFT - 10}" y="${y + 12}" text-anchor="end" ${TEXT}>${markupText(short)}</text>`,
    `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="16" rx="2" fill="#9ab8d8"/>`,
    `<rect x="${LEFT}" y="${y}" width="${unique.toFixed(1)}" height="16" rx="2" fill="#2f6db3"/>`,
    `<text x="${(LEFT + width + 6).toFixed(1)}" y="${y + 12}" ${TEXT}>${formatBytes(bytes)}</text></g>`,
  ]
}
