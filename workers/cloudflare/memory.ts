/**
 * Admits jobs by the memory that they need, since all objects of an isolate share 128 MB: JavaScript's heap, buffers and
 * WebAssembly together. The figures come from `npm run bench isolate`, measured in workerd after each garbage collection.
 */

import type { LayerJob } from '../../src/job.ts'
import type { FairSemaphore } from '../../src/semaphore.ts'
import type { Merge } from '../../src/service/jobs/merge.ts'
import { slowPool } from '../../src/service/jobs/slow-sources.ts'
import { LeasedSemaphore } from './leased-semaphore.ts'

const MIB = 1024 * 1024

/**
 * The Worker itself takes 21 MB, and the one instance of libzstd 17. A layer and a merge fit together: a slow registry must not
 * keep other images waiting.
 */
const MEMORY = new LeasedSemaphore({ total: 90 * MIB, pools: slowPool(90 * MIB) })
/** Entries until they are sorted, and the buffers for inflating and writing tables: 37 to 40 MB. */
const GZIP_LAYER = 40 * MIB
/** The same with libzstd's window. Two do not fit, so there is at most one instance of libzstd. */
const ZSTD_LAYER = 48 * MIB
/**
 * Rows and data waiting to be sorted, in heap and buffers: 34 MB for 100,000 paths of one layer, 44 for ten layers of 20,000.
 */
const MERGE = 40 * MIB

/** Admits a layer when the memory to read it is free. @param holder the id of its object */
export function layerMemory({ descriptor }: LayerJob, holder: string): FairSemaphore {
  return MEMORY.of(holder, descriptor.mediaType.includes('zstd') ? ZSTD_LAYER : GZIP_LAYER)
}

/** Grows by the pages of each layer's table, and by some bytes per inode, estimated from the compressed size. */
function mergeBytes({ layers }: Merge): number {
  const compressed = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
  return MERGE + layers.length * (MIB / 2) + compressed / 64
}

/** Merges when that much memory is free; alone if it needs more than there is. @param holder the ID of its object */
export async function mergeInMemory(
  merge: Merge,
  holder: string,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  // Before any layer: its layers are read already.
  const permit = await MEMORY.of(holder, mergeBytes(merge)).acquire([], signal)
  try {
    await work()
  } finally {
    permit.release()
  }
}

/** Releases what an object held that was reset. */
export function forgetHolder(holder: string): void {
  MEMORY.forget(holder)
}
