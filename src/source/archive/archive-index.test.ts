import { expect, it } from 'vitest'
import { type ArchiveEntry, type ArchiveIndex, ArchiveNames } from './archive-index.ts'

const ENTRIES = 100
const image = { mediaType: '', size: 1, id: '', os: 'linux', architecture: 'amd64' }
const digestOf = (n: number) => `sha256:${`${n}`.padStart(64, '0')}`

it('many entries with the same names are described in a number of steps that grows with their names', () => {
  let steps = 0
  const shared = Array.from({ length: 50 }, (_, n) => `app:${n}`)
  const entries = Array.from({ length: ENTRIES }, (_, n): ArchiveEntry => {
    const digest = digestOf(n)
    return {
      digest,
      mediaType: '',
      size: 1,
      tags: [],
      images: [digest],
      get names() {
        steps++
        return shared
      },
    }
  })
  const index: ArchiveIndex = {
    indexes: [],
    // Of one platform, so that none is chosen by it.
    images: entries.map(({ digest }) => ({ ...image, digest })),
    blobs: [],
    made: [],
    get entries() {
      steps++
      return entries
    },
  }
  const names = new ArchiveNames(index)
  for (const entry of entries) expect(names.suffixOf(entry)).toBe(`@${entry.digest}`)
  expect(steps).toBeLessThan(10 * ENTRIES)
})
