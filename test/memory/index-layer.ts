/**
 * Indexes a layer of this many small files in a separate process: a bounded heap shows what indexing needs. Prints its peak
 * of array buffers, in bytes.
 *
 * node --max-old-space-size=48 test/memory/index-layer.ts FOLDER ENTRIES sorted|shuffled [BYTES OF EACH NAME]
 */
import { createHash, hash } from 'node:crypto'
import { indexLayer } from '../../src/index/layer-index.ts'
import type { Entry } from '../../src/layer/entry.ts'
import type { LayerReading } from '../../src/layer/read.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'

const [folder = '', count = '', order = '', nameBytes = '0'] = process.argv.slice(2)
const total = Number(count)
const digest = `sha256:${'a'.repeat(64)}`
let peak = 0

/** Batches like a scanner's: entries whose headers arrived in one piece. */
const BATCH = nameBytes === '0' ? 1000 : 50
/** Coprime to the number of entries: visits each one once, shuffled. */
const STRIDE = 7919

function entry(ordinal: number): Entry {
  const place = order === 'shuffled' ? (ordinal * STRIDE) % total : ordinal
  const directory = `usr\0share\0package-${String(Math.floor(place / 40)).padStart(6, '0')}`
  return {
    // Like a scanner's: independent strings, not slices of another.
    key: Buffer.from(`${directory}\0lib\0file-${longName(place)}.js`).toString('latin1'),
    type: 'file',
    bytes: place % 30_000,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: (1_700_000_000 + Math.floor(place / 500)) * 1e6,
    sha256: hash('sha256', String(place), 'binary'),
    ordinal,
    offset: ordinal * 30_720,
  }
}

function longName(place: number): string {
  const name = String(place % 40).padStart(2, '0')
  // Hardly any two bytes repeat, so nothing can compress it.
  return (
    name +
    (nameBytes === '0'
      ? ''
      : createHash('shake256', { outputLength: Number(nameBytes) / 2 })
          .update(String(place))
          .digest('hex'))
  )
}

const reading: LayerReading = {
  async *entries() {
    for (let i = 0; i < total; i += BATCH) {
      yield Array.from({ length: Math.min(BATCH, total - i) }, (_, k) => entry(i + k))
      peak = Math.max(peak, process.memoryUsage().arrayBuffers)
    }
  },
  facts: {
    digest,
    diffId: digest,
    compression: 'none',
    compressedBytes: 0,
    uncompressedBytes: 0,
    fileBytes: 0,
    entries: total,
    warnings: [],
  },
  linksDatabases: false,
  linksExamined: false,
}

/** Merging comes after the last entry: the peak is sampled during it too. */
class WatchedStore extends FolderStore {
  override get(...asked: Parameters<FolderStore['get']>): ReturnType<FolderStore['get']> {
    peak = Math.max(peak, process.memoryUsage().arrayBuffers)
    return super.get(...asked)
  }
}

await indexLayer(new WatchedStore(folder), digest, () => reading)
process.stdout.write(String(peak))
