/** A series of updates as a picture: a bar for each image, what it pulls and what of that is new. */
import { formatBytes } from '../text/format.ts'
import type { Updates } from '../update/series.ts'
import { markupText } from './escape.ts'
import { shortReference } from './update-view.ts'

const WIDTH = 640
const ROW = 22
const HEAD = 44
const LEFT = 150
const RIGHT = 90
const NAME_LENGTH = 20
/** As on a badge: text in a font that every reader has, dark enough on white and light enough on black. */
const TEXT = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#777"'

/** An SVG that runs and loads nothing. Estimated new bytes are compressed, as what is pulled is. */
export function drawUpdates({ steps, median }: Updates): string {
  const most = Math.max(...steps.map(({ pull }) => pull.bytes), 1)
  const title = `The median update pulls ${formatBytes(median.pull)}`
  const room = WIDTH - LEFT - RIGHT
  const rows = steps.flatMap(({ to, pull, new: fresh }, place) => {
    const y = HEAD + place * ROW
    const width = (room * pull.bytes) / most
    const isNew = (room * Math.min(fresh.estimatedBytes, pull.bytes)) / most
    const name = shortReference(to)
    const short = name.length > NAME_LENGTH ? `…${name.slice(1 - NAME_LENGTH)}` : name
    const title = `${name}: pulls ${formatBytes(pull.bytes)}, ${formatBytes(fresh.estimatedBytes)} of it new`
    return [
      `<g><title>${markupText(title)}</title>`,
      `<text x="${LEFT - 10}" y="${y + 12}" text-anchor="end" ${TEXT}>${markupText(short)}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="16" rx="2" fill="#9ab8d8"/>`,
      `<rect x="${LEFT}" y="${y}" width="${isNew.toFixed(1)}" height="16" rx="2" fill="#2f6db3"/>`,
      `<text x="${(LEFT + width + 6).toFixed(1)}" y="${y + 12}" ${TEXT}>${formatBytes(pull.bytes)}</text></g>`,
    ]
  })
  const height = HEAD + steps.length * ROW + 8
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${markupText(title)}">`,
    `<title>${markupText(title)}</title>`,
    `<text x="12" y="20" font-weight="bold" ${TEXT}>${markupText(title)}: light what it pulls, dark what is new</text>`,
    ...rows,
    '</svg>',
  ].join('')
}
