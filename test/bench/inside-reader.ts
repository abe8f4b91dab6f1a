/**
 * Indexes a layer into a folder, and prints the CPU time and the peak memory that this took, and what was found.
 *
 * node test/bench/inside-reader.ts BLOB FOLDER with|without
 */
import { createHash } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { indexLayer } from '../../src/index/layer-index.ts'
import type { ExaminedSink } from '../../src/layer/examine.ts'
import { readLayer } from '../../src/layer/read.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { LIMITS, WASM } from '../support/blob.ts'
import { peakMegabytes } from './measure.ts'

const [blob = '', folder = '', how] = process.argv.slice(2)
const file = await openAsBlob(blob)
const hash = createHash('sha256')
for await (const chunk of file.stream()) hash.update(chunk)
const descriptor = { digest: `sha256:${hash.digest('hex')}`, size: file.size }
const counts = { found: 0, unreadable: 0, 'left out': 0 }
/** Counts what is found inside files. */
function counted(inside: ExaminedSink): ExaminedSink {
  return {
    scratch: () => inside.scratch(),
    async examined(key, ordinal, found) {
      const kept = await inside.examined(key, ordinal, found)
      counts[kept === 'left out' ? 'left out' : found.jar === 'unreadable' ? 'unreadable' : 'found']++
      return kept
    },
  }
}
const before = process.cpuUsage()
await indexLayer(new FolderStore(folder), descriptor.digest, ({ inside, ...sinks }) =>
  readLayer(file.stream(), {
    descriptor,
    limits: LIMITS,
    wasm: WASM,
    ...sinks,
    ...(how === 'with' && inside !== undefined ? { inside: counted(inside) } : {}),
  }),
)
const { user, system } = process.cpuUsage(before)
process.stdout.write(
  JSON.stringify({
    seconds: (user + system) / 1e6,
    // Not maxRSS, which counts what the process had that started this one.
    megabytes: await peakMegabytes(process.pid),
    counts,
  }),
)
