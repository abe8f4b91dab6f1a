/**
 * What an update between two images with this many files pulls, all of them in one layer, in a separate process. Prints its peak
 * of array buffers, in bytes, and its time as a share of that of a diff of the same tables.
 *
 * node --max-old-space-size=48 test/memory/update-images.ts FOLDER FILES few|all
 */
import { JOINED_COLUMNS } from '../../src/diff/change.ts'
import { DirectoryGrowth } from '../../src/diff/directories.ts'
import { joinRows } from '../../src/diff/join.ts'
import { MERGED_ENTRIES } from '../../src/image/merged-entry.ts'
import { ENTRIES } from '../../src/index/entries.ts'
import { openTable } from '../../src/table/table.ts'
import { writeTable } from '../../src/table/write-table.ts'
import { COMPARED_COLUMNS, compareContents } from '../../src/update/contents.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { entriesOf } from './versions.ts'

const [folder = '', files = '', differing = ''] = process.argv.slice(2)
const total = Number(files)
const every = differing === 'all' ? 1 : Math.floor(total / 1_000)
const store = new FolderStore(folder)
const WHOLE = { fetchBytes: 512 * 1024, ahead: 'next' } as const
let peak = 0

async function tables() {
  await writeTable(store, 'old', MERGED_ENTRIES, entriesOf({ version: 0, files: total, every }))
  await writeTable(store, 'new', MERGED_ENTRIES, entriesOf({ version: 1, files: total, every }))
  await writeTable(store, 'layer', ENTRIES, entriesOf({ version: 1, files: total, every }))
  const old = await openTable(store, 'old', MERGED_ENTRIES)
  const merged = await openTable(store, 'new', MERGED_ENTRIES)
  const layer = await openTable(store, 'layer', ENTRIES)
  if (old === undefined || merged === undefined || layer === undefined) throw new Error('a table is gone')
  return { old, merged, layer }
}

const { old, merged, layer } = await tables()
const looking = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().arrayBuffers)
}, 5)

const diffBegan = process.cpuUsage()
const sides = [old, merged].map((table) => ({
  batches: table.rows({ columns: JOINED_COLUMNS, ...WHOLE }),
  start: 0,
}))
const [from, to] = sides
if (from === undefined || to === undefined) throw new Error('no sides')
let changes = 0
const directories = new DirectoryGrowth(50)
for await (const step of joinRows(from, to)) {
  for (const change of step.changes) directories.add(change)
  changes += step.changes.length
}
directories.finish()
const diff = process.cpuUsage(diffBegan)
if (changes !== Math.ceil(total / every)) throw new Error(`${changes} changes`)

peak = 0
const updateBegan = process.cpuUsage()
const { layers } = await compareContents(
  {
    rows: old.rows({ columns: COMPARED_COLUMNS, ...WHOLE }),
    contents: () => old.rows({ columns: ['sha256'], ...WHOLE }),
  },
  [{ index: 0, members: layer.rows({ columns: COMPARED_COLUMNS, ...WHOLE }) }],
)
const update = process.cpuUsage(updateBegan)
clearInterval(looking)
const found = layers.get(0)
if (found?.new.files !== changes) throw new Error(`${found?.new.files} new files`)
if (found.rewritten.files !== total - changes) throw new Error(`${found.rewritten.files} rewritten files`)
process.stdout.write(
  JSON.stringify({ peak, ratio: (update.user + update.system) / (diff.user + diff.system) }),
)
