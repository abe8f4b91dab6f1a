/** What a repository's tags store, in the words of all forms. */
import type { Reclaim, StorageItem, StorageTotal } from '../storage/storage.ts'
import { counted, formatBytes } from '../text/format.ts'
import type { PlainRow, PlainTable } from './table.ts'

export type StorageView = {
  /** `ghcr.io/o/app` */
  readonly repository: string
  readonly total: StorageTotal
  readonly items: readonly StorageItem[]
  readonly hasMore: boolean
  readonly reclaim?: Reclaim | undefined
}

export const MORE_TAGS = 'There are more: raise limit, or omit it to list all.'

export function storageHeadline({ total }: Pick<StorageView, 'total'>): string {
  const { tags, manifests, blobs, bytes } = total
  return `${counted(tags, 'tag')} store ${formatBytes(bytes)} in ${counted(manifests, 'manifest')} and ${counted(blobs, 'blob')}`
}

/** Sentences about what is not known, and about the deletion. */
export function storageNotes({ total, reclaim }: Pick<StorageView, 'total' | 'reclaim'>): readonly string[] {
  return [
    ...(total.complete
      ? []
      : ['Not all tags could be read: others may share more, and deleting tags may free less.']),
    ...(reclaim === undefined ? [] : [reclaimSentence(reclaim)]),
  ]
}

export function reclaimSentence({ tags, manifests, blobs, bytes }: Reclaim): string {
  if (tags.length === 0) return 'No tag matches: nothing is deleted.'
  const all = `${counted(manifests, 'manifest')} and ${counted(blobs, 'blob')}`
  return `Deleting ${counted(tags.length, 'tag')} frees ${formatBytes(bytes)} (${all}) once the registry has collected its garbage.`
}

/** The name is last, so that none needs to be cut: a reader copies it. */
export function storageTable(items: readonly StorageItem[]): PlainTable {
  return {
    columns: [
      { title: 'Size', align: 'right' },
      { title: 'Shared', align: 'right' },
      { title: 'Unique', align: 'right' },
      { title: 'Created', align: 'left' },
      { title: 'Tag', align: 'left' },
    ],
    rows: items.map(rowOf),
  }
}

function rowOf(item: StorageItem): PlainRow {
  const { name } = item
  if ('problem' in item) return { sign: '+', cells: [[], [], [], [], [{ name }, ` ${item.problem.code}`]] }
  const { created, bytes, sharedBytes, uniqueBytes } = item
  return {
    cells: [
      ...[bytes, sharedBytes, uniqueBytes].map((one) => [formatBytes(one)]),
      created === undefined ? [] : [created.slice(0, 10)],
      [{ name }],
    ],
  }
}
