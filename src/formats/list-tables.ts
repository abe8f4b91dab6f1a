/** What lists about an image show of each item in text and Markdown. */
import type { DuplicateGroup, ImageFacts, Package, WastedFile, WasteReason } from '../image/report.ts'
import { formatBytes, formatCount } from '../text/format.ts'
import type { ListTable } from './list.ts'
import type { Piece } from './table.ts'

const REASONS: Readonly<Record<WasteReason, string>> = {
  removed: 'removed',
  replaced: 'replaced',
  metadataOnly: 'stored again',
}

export const WASTE_TABLE: ListTable<WastedFile> = {
  columns: [
    { title: 'Size', align: 'right' },
    { title: 'Why', align: 'left' },
    { title: 'Layer', align: 'right' },
    { title: 'By', align: 'right' },
    { title: 'Path', align: 'left' },
  ],
  rows: ({ path, bytes, layer, reason, byLayer }) => [
    {
      cells: [[formatBytes(bytes)], [REASONS[reason]], [String(layer)], [String(byLayer)], [{ name: path }]],
    },
  ],
  empty: 'Nothing is wasted.',
}

/** With a column that says whose each file is. */
export const WASTE_ON_BASE_TABLE: ListTable<WastedFile> = {
  ...WASTE_TABLE,
  columns: [{ title: 'Whose', align: 'left' }, ...WASTE_TABLE.columns],
  rows: (file) =>
    WASTE_TABLE.rows(file).map((row) => ({
      ...row,
      cells: [[file.whose === 'base' ? 'base' : 'yours'], ...row.cells],
    })),
}

/** How many of a group's paths are shown. */
const SHOWN_PATHS = 4

export const DUPLICATES_TABLE: ListTable<DuplicateGroup> = {
  columns: [
    { title: 'Wasted', align: 'right' },
    { title: 'Copies', align: 'right' },
    { title: 'Each', align: 'right' },
    { title: 'Paths', align: 'left' },
  ],
  rows: ({ bytes, count, wastedBytes, paths }) => {
    const shown: (readonly Piece[])[] = paths.slice(0, SHOWN_PATHS).map(({ path }) => [{ name: path }])
    const left = count - shown.length
    if (left > 0) shown.push([`… and ${formatCount(left)} more`])
    const [first = [], ...rest] = shown
    return [
      { cells: [[formatBytes(wastedBytes)], [formatCount(count)], [formatBytes(bytes)], first] },
      ...rest.map((path) => ({ cells: [[], [], [], path] })),
    ]
  },
  empty: 'There are no duplicate files.',
}

export const PACKAGES_TABLE: ListTable<Package> = {
  columns: [
    { title: 'Type', align: 'left' },
    { title: 'Name', align: 'left' },
    { title: 'Version', align: 'left' },
    { title: 'Size', align: 'right' },
    { title: 'Layer', align: 'right' },
  ],
  rows: ({ type, name, version, bytes, layer }) => [
    {
      cells: [
        [type],
        [{ name }],
        version === undefined ? [] : [{ name: version }],
        bytes === undefined ? [] : [formatBytes(bytes)],
        [String(layer)],
      ],
    },
  ],
  empty: 'No supported package database found.',
}

export function wasteTotal({ waste, size }: ImageFacts): string {
  const share = size.fileBytes === 0 ? '' : ` of ${formatBytes(size.fileBytes)}`
  return `${formatBytes(waste.bytes)}${share} wasted by ${filesOf(waste.files)}`
}

/** @param scope for `layers` nothing is known before the list is read */
export function duplicatesTotal({ duplicates }: ImageFacts, scope: 'image' | 'layers'): string {
  if (scope === 'layers') return 'Duplicates in all layers'
  const { groups, wastedBytes } = duplicates
  return `${formatBytes(wastedBytes)} wasted by copies of ${filesOf(groups)}`
}

export function packagesTotal({ packages }: ImageFacts): string {
  const types = Object.entries(packages.byType).map(([type, count]) => `${formatCount(count)} ${type}`)
  const total = `${formatCount(packages.total)} ${packages.total === 1 ? 'package' : 'packages'}`
  return types.length === 0 ? total : `${total}: ${types.join(', ')}`
}

function filesOf(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'file' : 'files'}`
}
