/**
 * Joins and lists two merged tables with this many files, in a separate process; some files of the second differ. Prints its
 * peak of array buffers, in bytes, as JSON.
 *
 * node --max-old-space-size=48 test/memory/diff-images.ts FOLDER FILES few|all
 */
import { JOINED_COLUMNS } from '../../src/diff/change.ts'
import { DirectoryGrowth } from '../../src/diff/directories.ts'
import { joinRows } from '../../src/diff/join.ts'
import { type OpenRows, pageChanges, streamChanges } from '../../src/diff/list.ts'
import { MERGED_ENTRIES } from '../../src/image/merged-entry.ts'
import { openTable } from '../../src/table/table.ts'
import { writeTable } from '../../src/table/write-table.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { entriesOf } from './versions.ts'

const [folder = '', files = '', differing = ''] = process.argv.slice(2)
const total = Number(files)
const every = differing === 'all' ? 1 : Math.floor(total / 1_000)
const store = new FolderStore(folder)
let peak = 0

async function written(version: 0 | 1): Promise<OpenRows> {
  const key = `images/${version}`
  await writeTable(store, key, MERGED_ENTRIES, entriesOf({ version, files: total, every }))
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
process.stdout.write(JSON.stringify({ peak }))
