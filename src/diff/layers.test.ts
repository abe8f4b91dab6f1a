import { expect, test } from 'vitest'
import type { LayerReport } from '../image/report.ts'
import { diffLayers } from './layers.ts'

function layers(...names: readonly string[]): LayerReport[] {
  return names.map((name, index) => {
    const [diffId = '', packing = 'gzip'] = name.split(':')
    return {
      index,
      digest: `${diffId}-${packing}`,
      diffId,
      mediaType: '',
      compression: 'gzip',
      verified: 'content',
      compressedBytes: 1,
      uncompressedBytes: 2,
      fileBytes: 3,
      entries: 4,
      wastedBytes: 5,
      ...(index === 1 ? { createdBy: 'RUN x' } : {}),
    }
  })
}

test('a layer is shared even if it is compressed differently or at another position', () => {
  expect(diffLayers(layers('a', 'b', 'c'), layers('c:zstd', 'd', 'a'))).toEqual({
    shared: [
      { diffId: 'a', from: { index: 0, digest: 'a-gzip' }, to: { index: 2, digest: 'a-gzip' } },
      { diffId: 'c', from: { index: 2, digest: 'c-gzip' }, to: { index: 0, digest: 'c-zstd' } },
    ],
    removed: [
      {
        diffId: 'b',
        index: 1,
        digest: 'b-gzip',
        compressedBytes: 1,
        uncompressedBytes: 2,
        wastedBytes: 5,
        createdBy: 'RUN x',
      },
    ],
    added: [
      {
        diffId: 'd',
        index: 1,
        digest: 'd-gzip',
        compressedBytes: 1,
        uncompressedBytes: 2,
        wastedBytes: 5,
        createdBy: 'RUN x',
      },
    ],
  })
})

test('an empty layer that occurs more often in one image is neither added nor removed', () => {
  const { shared, added, removed } = diffLayers(layers('e', 'a', 'e'), layers('a', 'e'))
  expect(shared.map(({ diffId, from, to }) => [diffId, from.index, to.index])).toEqual([
    ['e', 0, 1],
    ['e', 2, 1],
    ['a', 1, 0],
  ])
  expect([added, removed]).toEqual([[], []])
})
