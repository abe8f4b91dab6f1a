/**
 * Joins and lists two merged tables with this many files, in a separate process; some files of the second differ. Prints its
 * peak of array buffers, in bytes.
 *
 * node --max-old-space-size=48 test/memory/diff-images.ts FOLDER FILES few|all
 */
import { hash } from 'node:crypto'
import { JOINED_COLUMNS } from '../../src/diff/change.ts'
import { DirectoryGrowth } from '../../src/diff/directories.ts'
import { joinRows } from '../../src/diff/join.ts'
import { type OpenRows, pageChanges, streamChanges } from '../../src/diff/list.ts'
import type { MergedEntry } from '../../src/image/merged-entry.ts'
import { MERGED_ENTRIES } from '../../src/image/merged-entry.ts'
import { openTable } from '../../src/table/table.ts'
import { writeTable } from '../../src/table/write-table.ts'
import { FolderStore } from '../../workers/node/folder-store.ts'

const [folder = '', files = '', differing = ''] = process.argv.slice(2)
const total = Number(files)
const every = differing === 'all' ? 1 : Math.floor(total / 1_000)
const store = new FolderStore(folder)
let peak = 0

function entry(place: number, version: number): MergedEntry {
  const changed = version === 1 && place % every === 0
  const directory = `usr\0share\0package-${String(Math.floor(place / 40)).padStart(6, '0')}`
  return {
    key: `${directory}\0lib\0file-${String(place % 40).padStart(2, '0')}.js`,
    type: 'file',
    bytes: (place % 30_000) + (changed ? 1 + (place % 7) : 0),
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: (1_700_000_000 + Math.floor(place / 500)) * 1e6,
    sha256: hash('sha256', `${place} ${changed}`, 'binary'),
    ordinal: place,
    offset: place * 30_720,
    layer: 0,
    inode: place,
  }
}

async function* entries(version: number): AsyncGenerator<readonly MergedEntry[]> {
  for (let i = 0; i < total; i += 1000) {
    yield Array.from({ length: Math.min(1000, total - i) }, (_, k) => entry(i + k, version))
  }
}

async function written(version: number): Promise<OpenRows> {
  const key = `images/${version}`
  await writeTable(store, key, MERGED_ENTRIES, entries(version))
  const table = await openTable(store, key, MERGED_ENTRIES)
  if (table === undefined) throw new Error('a table that was written is gone')
  return (start) => table.rows({ start, columns: JOINED_COLUMNS })
}

function look(): void {
  peak = Math.max(peak, process.memoryUsage().arrayBuffers)
}

const tables = { from: await written(0), to: await written(1) }
const directories = new DirectoryGrowth(50)
let changes = 0
for await (const step of joinRows(
  { batches: tables.from(0), start: 0 },
  { batches: tables.to(0), start: 0 },
)) {
  for (const change of step.changes) directories.add(change)
  changes += step.changes.length
  look()
}
if (changes !== Math.ceil(total / every)) throw new Error(`${changes} changes`)
if (directories.finish().length !== 50) throw new Error('too few directories')
for await (const items of streamChanges(tables, { filter: {}, sort: 'path' })) {
  changes -= items.length
  look()
}
if (changes !== 0) throw new Error('a list that is not whole')
const { items } = await pageChanges(tables, { filter: {}, sort: '-delta' }, { limit: 1_000 })
if (items.length !== 1_000) throw new Error(`${items.length} items`)
look()
process.stdout.write(String(peak))
