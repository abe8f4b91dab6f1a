/**
 * Reads many tables at the same time, one row from each in turn, in a separate process. Prints its peak of array buffers, in
 * bytes.
 *
 * node --max-old-space-size=48 test/memory/read-tables.ts FOLDER TABLES ROWS
 */
import { hash } from 'node:crypto'
import { ENTRIES } from '../../src/index/entries.ts'
import type { Entry } from '../../src/layer/entry.ts'
import { openTable } from '../../src/table/table.ts'
import { writeTable } from '../../src/table/write-table.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'

const [folder = '', tables = '', rows = ''] = process.argv.slice(2)
const tableCount = Number(tables)
const perTable = Math.floor(Number(rows) / tableCount)
const store = new FolderStore(folder)
let peak = 0

function entry(table: number, ordinal: number): Entry {
  const place = ordinal * tableCount + table
  return {
    key: `usr\0share\0package-${String(Math.floor(place / 40)).padStart(6, '0')}\0lib\0file-${String(place % 40).padStart(2, '0')}.js`,
    type: 'file',
    bytes: (place * 7919) % 30_000,
    mode: place % 3 === 0 ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtime: (1_700_000_000 + ((place * 7919) % 100_000)) * 1e6 + 5,
    sha256: hash('sha256', String(place), 'binary'),
    ordinal,
    offset: ordinal * 30_720,
  }
}

async function* entries(table: number): AsyncGenerator<readonly Entry[]> {
  for (let i = 0; i < perTable; i += 1000) {
    yield Array.from({ length: Math.min(1000, perTable - i) }, (_, k) => entry(table, i + k))
  }
}

type Cursor = { readonly batches: AsyncGenerator<readonly Entry[]>; batch: readonly Entry[]; next: number }

const cursors: Cursor[] = []
for (let table = 0; table < tableCount; table++)
  await writeTable(store, `tables/${table}`, ENTRIES, entries(table))
for (let table = 0; table < tableCount; table++) {
  const opened = await openTable(store, `tables/${table}`, ENTRIES)
  if (opened === undefined) throw new Error('a table that was written is gone')
  cursors.push({ batches: opened.rows({ ahead: 'none' }), batch: [], next: 0 })
}

/** Every column is looked at, so that every column is decoded. */
function look({ key, type, bytes, mode, uid, gid, mtime, sha256, link, ordinal, offset }: Entry): number {
  return (
    key.length +
    type.length +
    bytes +
    mode +
    uid +
    gid +
    mtime +
    offset +
    ordinal +
    (sha256 ?? link ?? '').length
  )
}

let seen = 0
let sum = 0
for (let row = 0; row < perTable; row++) {
  for (const cursor of cursors) {
    if (cursor.next === cursor.batch.length) {
      cursor.batch = (await cursor.batches.next()).value ?? []
      cursor.next = 0
      peak = Math.max(peak, process.memoryUsage().arrayBuffers)
    }
    const entry = cursor.batch[cursor.next++]
    if (entry === undefined) throw new Error('a table ended early')
    sum += look(entry)
    seen++
  }
}
if (seen !== perTable * tableCount || !(sum > 0)) throw new Error('not all rows were seen')
process.stdout.write(String(peak))
