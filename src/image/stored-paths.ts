/** The paths that an image's layers store, whether or not the merged file system shows them. */
import type { MergedEntry } from './merged-entry.ts'
import { type LayerRows, type PathRows, type PathVisitor, walk } from './walk.ts'

/** A path in its uppermost layer. */
export type StoredPath = Pick<MergedEntry, 'key' | 'type' | 'bytes' | 'layer'>

/** How many paths are passed on at once. */
const STEP = 2000

class StoredPaths implements PathVisitor {
  paths: StoredPath[] = []

  enter(): void {}

  leave(): void {}

  visit({ key, rows, layers, count }: PathRows): void {
    if (key === '') return
    // By layer, then in tar order: the last member is what a container would see.
    for (let i = count - 1; i >= 0; i--) {
      const row = rows[i]
      if (row === undefined || row.whiteout !== undefined) continue
      this.paths.push({ key, type: row.type, bytes: row.bytes, layer: layers[i] ?? 0 })
      return
    }
  }
}

/**
 * In path order, each path once; whiteouts are not included.
 *
 * @param layers lowest first
 */
export async function* storedPaths(layers: readonly LayerRows[]): AsyncGenerator<readonly StoredPath[]> {
  const visitor = new StoredPaths()
  for await (const _ of walk(layers, [visitor], () => visitor.paths.length >= STEP)) {
    yield visitor.paths
    visitor.paths = []
  }
  yield visitor.paths
}
