/**
 * Admits jobs by the memory that they take, since all objects of an isolate share 128 MB: JavaScript's heap, buffers and
 * WebAssembly together. The figures are what `npm run bench isolate` measures in workerd, after each collection of garbage.
 */
import type { LayerJob } from '../../src/job.ts'
import type { Merge } from '../../src/service/jobs/merge.ts'
import { Leases } from './leases.ts'

const MIB = 1024 * 1024

/**
 * The Worker itself takes 21 MB, and the one instance of libzstd 17. A layer and a merge fit side by side: a registry that
 * sends slowly must not keep other images waiting.
 */
const MEMORY = new Leases(90 * MIB)
/** Entries until they are sorted, and the buffers of inflating and of the tables that are written: 37 to 40 MB. */
const GZIP_LAYER = 40 * MIB
/** The same with libzstd's window. Two do not fit, so there is one instance of libzstd at most. */
const ZSTD_LAYER = 48 * MIB
/** Rows and what waits to be sorted, in heap and buffers: 34 MB for 100,000 paths of one layer, 44 for ten layers of 20,000. */
const MERGE = 40 * MIB

/** What reading it takes, in bytes. */
export function layerBytes({ descriptor }: LayerJob): number {
  return descriptor.mediaType.includes('zstd') ? ZSTD_LAYER : GZIP_LAYER
}

/** Grows by the pages of each layer's table, and by some bytes an inode, of which the compressed size gives an idea. */
export function mergeBytes({ layers }: Merge): number {
  const compressed = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
  return MERGE + layers.length * (MIB / 2) + compressed / 64
}

/** Does the work when that much memory is free; alone where it takes more than there is. */
export async function inMemory(bytes: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const release = await MEMORY.reserve(bytes, signal)
  try {
    await work()
  } finally {
    release()
  }
}
