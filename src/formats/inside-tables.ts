/** What is inside a file, and what changed there, as tables for people. */
import { formatBytes, formatDelta } from '../text/format.ts'
import type { ListTable } from './list.ts'

type Part = {
  readonly kind?: string
  readonly name?: string
  readonly about?: string
  readonly bytes?: number
}

export const LARGEST_PARTS_TABLE: ListTable<Part> = {
  columns: [
    { title: 'Size', align: 'right' },
    { title: 'Kind', align: 'left' },
    { title: 'Name', align: 'left' },
    { title: '', align: 'left', cut: 'end', most: 24 },
  ],
  rows: ({ kind = '', name = '', about = '', bytes = 0 }) => [
    { cells: [[formatBytes(bytes)], [kind], [{ name }], [{ name: about }]] },
  ],
  empty: 'The file has no parts.',
}

type Change = {
  readonly path?: string | undefined
  readonly name?: string | undefined
  readonly change: string
  readonly delta: number
  readonly toBytes: number
  readonly fromVersion?: string | undefined
  readonly toVersion?: string | undefined
}

export const PART_CHANGES_TABLE: ListTable<Change> = {
  columns: [
    { title: 'Change', align: 'right' },
    { title: 'Size', align: 'right' },
    { title: 'Kind', align: 'left' },
    { title: 'Name', align: 'left' },
    { title: 'Version', align: 'left' },
  ],
  rows: ({ path, name = path ?? '', change, delta, toBytes, fromVersion, toVersion }) => [
    {
      cells: [
        [formatDelta(delta)],
        [formatBytes(toBytes)],
        [change],
        [{ name }],
        [{ name: versions(fromVersion, toVersion) }],
      ],
    },
  ],
  empty: 'Nothing changed inside the file.',
}

function versions(from = '', to = ''): string {
  return from === to ? to : [from, to].filter((version) => version !== '').join(' → ')
}
