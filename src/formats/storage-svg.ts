/** What a repository's tags store as a picture: a bar for each tag, what it has alone and what it shares. */
import type { StoredTag } from '../storage/storage.ts'
import { formatBytes } from '../text/format.ts'
import { drawBars } from './bars-svg.ts'
import { type StorageView, storageHeadline } from './storage-view.ts'

/** Tags that could not be read have no bar. */
export function drawStorage(view: StorageView): string {
  const tags = view.items.filter((item): item is StoredTag => !('problem' in item))
  const bars = tags.map(({ name, bytes, uniqueBytes }) => ({
    name,
    bytes,
    darkBytes: uniqueBytes,
    about: `${name}: ${formatBytes(bytes)}, ${formatBytes(uniqueBytes)} of it unique`,
  }))
  return drawBars(storageHeadline(view), 'dark what one tag has alone', bars)
}
