/** Facts of an empty image, for tests that change some of them. */
import type { ImageFacts } from '../../src/image/report.ts'

const nothing = { bytes: 0, files: 0 }

export const emptyFacts: ImageFacts = {
  size: {
    compressedBytes: 0,
    uncompressedBytes: 0,
    fileBytes: 0,
    rootfsBytes: 0,
    apparentBytes: 0,
    stored: 'compressed',
  },
  counts: { layers: 0, entries: 0, paths: 0, files: 0, directories: 0, symlinks: 0, other: 0 },
  layers: [],
  waste: { ...nothing, removed: nothing, replaced: nothing, metadataOnly: nothing },
  duplicates: { groups: 0, wastedBytes: 0 },
  efficiency: { score: 1, wastedBytes: 0, inefficientPaths: 0 },
  largestFiles: [],
  largestDirectories: [],
  packages: { total: 0, byType: {}, ownedBytes: 0, ownedPercent: 0 },
  warnings: [],
}
