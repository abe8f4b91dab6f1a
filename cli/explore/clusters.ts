/** Text as a terminal's cells: what belongs together, and how many columns it takes. */
import { lengthOf } from '../../src/formats/table.ts'

export type Cluster = { readonly text: string; readonly columns: number }

const NARROW = /^[\x20-\x7e]*$/
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** @param text without control characters */
export function clustersOf(text: string): readonly Cluster[] {
  if (NARROW.test(text)) return Array.from(text, (character) => ({ text: character, columns: 1 }))
  const clusters: Cluster[] = []
  for (const { segment } of segmenter.segment(text)) {
    const columns = lengthOf(segment)
    const last = clusters.at(-1)
    // A mark with nothing before it is drawn over what is there.
    if (columns === 0 && last !== undefined) clusters.splice(-1, 1, { ...last, text: last.text + segment })
    else if (columns === 0) clusters.push({ text: ` ${segment}`, columns: 1 })
    else clusters.push({ text: segment, columns })
  }
  return clusters
}

/** Width in columns. */
export function widthOf(text: string): number {
  if (NARROW.test(text)) return text.length
  return clustersOf(text).reduce((sum, { columns }) => sum + columns, 0)
}

/** What of a text is left where the end is cut; a cut text ends in `…`. */
export function cutEnd(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  return width < 1 ? '' : `${beginning(clustersOf(text), width - 1)}…`
}

/** A path that is too long is cut in the middle: its end says most. */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width && widthOf(text) <= width) return text
  if (width < 1) return ''
  // No cluster is looked at that cannot be shown.
  const most = 40 * width
  const from = clustersOf(text.slice(0, most))
  const to = text.length > most ? clustersOf(text.slice(-most)) : from
  const tail = Math.ceil((width - 1) * 0.6)
  const end = beginning(to.toReversed(), tail, (all, one) => one + all)
  return `${beginning(from, width - 1 - widthOf(end))}…${end}`
}

function beginning(
  clusters: readonly Cluster[],
  width: number,
  join: (all: string, one: string) => string = (all, one) => all + one,
): string {
  let room = width
  let all = ''
  for (const { text, columns } of clusters) {
    room -= columns
    if (room < 0) break
    all = join(all, text)
  }
  return all
}
