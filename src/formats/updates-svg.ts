/** A series of updates as a picture: a bar for each image, what it pulls and what of that is new. */
import { formatBytes } from '../text/format.ts'
import type { Updates } from '../update/series.ts'
import { drawBars } from './bars-svg.ts'
import { shortReference } from './update-view.ts'

/** Estimated new bytes are compressed, as what is pulled is. */
export function drawUpdates({ steps, median }: Updates): string {
  const bars = steps.map(({ to, pull, new: fresh }) => {
    const name = shortReference(to)
    return {
      name,
      bytes: pull.bytes,
      darkBytes: Math.min(fresh.estimatedBytes, pull.bytes),
      about: `${name}: pulls ${formatBytes(pull.bytes)}, ${formatBytes(fresh.estimatedBytes)} of it new`,
    }
  })
  const title = `The median update pulls ${formatBytes(median.pull)}`
  return drawBars(title, 'light what it pulls, dark what is new', bars)
}
