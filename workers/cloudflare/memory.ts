/**
 * Admits jobs by the memory that they need, since all objects of an isolate share 128 MB: JavaScript's heap, buffers and
 * WebAssembly together. The figures come from `npm run bench isolate`, measured in workerd after each garbage collection.
 */

import type { LayerJob } from '../../src/job.ts'
import type { Merge } from '../../src/jobs/merge-job.ts'
import { Readmission } from '../../src/jobs/runner.ts'
import { slowPool } from '../../src/jobs/slow-sources.ts'
import { type Decode, decode } from '../../src/layer/decode/decode.ts'
import { compressionOf } from '../../src/oci/compression.ts'
import type { Memory } from '../../src/open/caches.ts'
import type { FairSemaphore } from '../../src/semaphore.ts'
import { LeasedSemaphore } from './leased-semaphore.ts'

const MB = 1_000_000

/** For jobs and caches together: the Worker itself takes 21 MB, the one instance of libzstd 17, and 10 are left for garbage. */
export const SHARED_BYTES = 80 * MB
/**
 * For jobs; what they leave belongs to the caches. A layer and the merge of an image of eight layers fit together: a slow registry
 * must not keep other images waiting.
 */
const JOB_BYTES = 74 * MB
let leave: (bytes: number) => void = () => {}
const MEMORY = new LeasedSemaphore({
  total: JOB_BYTES,
  pools: slowPool(JOB_BYTES),
  onHeld: (bytes) => leave(SHARED_BYTES - bytes),
})
/** Entries until they are sorted, and the buffers for inflating and writing tables: 18 MB for 100,000 files. */
const GZIP_LAYER = 20 * MB
/** Two do not fit, so there is at most one instance of libzstd. */
const ZSTD_LAYER = 38 * MB
/** Rows and data waiting to be sorted, in heap and buffers: 26 MB for 100,000 files of one layer, 59 for ten layers of 20,000. */
const MERGE = 24 * MB
const MERGE_PER_LAYER = 3.5 * MB

/** Gives these caches what jobs leave. */
export function shareMemory(memory: Memory): void {
  leave = (bytes) => memory.fit(bytes)
  leave(SHARED_BYTES)
}

/** Admits an object's layers when the memory to read them is free. */
export class LayerMemory {
  readonly #holder: string
  /** The digests of layers that turned out to be zstd: media types lie, and an upload's layers have none. */
  readonly #zstd = new Set<string>()

  /** @param holder the object's id */
  constructor(holder: string) {
    this.#holder = holder
  }

  of(job: LayerJob): FairSemaphore {
    return MEMORY.of(this.#holder, this.#isZstd(job) ? ZSTD_LAYER : GZIP_LAYER)
  }

  /** Decodes a layer that was admitted. The reading fails with `Readmission` if its bytes need more memory than that. */
  decoderOf(job: LayerJob): Decode {
    const { digest } = job.descriptor
    return async (blob, options) => {
      if (!this.#isZstd(job) && compressionOf(await blob.peek(4)) === 'zstd') {
        this.#zstd.add(digest)
        throw new Readmission()
      }
      return decode(blob, options)
    }
  }

  #isZstd({ descriptor }: LayerJob): boolean {
    return descriptor.mediaType.includes('zstd') || this.#zstd.has(descriptor.digest)
  }
}

/** Grows by the pages of each layer's table, and by some bytes per inode, estimated from the compressed size. */
function mergeBytes({ layers }: Merge): number {
  const compressed = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
  return MERGE + layers.length * MERGE_PER_LAYER + compressed / 64
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
