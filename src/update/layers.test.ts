import { expect, test } from 'vitest'
import { compareLayers, type StoredLayer } from './layers.ts'

/** `a` is a blob of 10 bytes with the diffId `A`; `a2` is the same tar in another blob. */
function layers(...names: readonly string[]): StoredLayer[] {
  return names.map((name, index) => ({
    index,
    digest: name.startsWith('plain-') ? name.slice(6).toUpperCase() : name,
    diffId: (name.startsWith('plain-') ? name.slice(6) : name.slice(0, 1)).toUpperCase(),
    compressedBytes: 10,
    isPlain: name.startsWith('plain-'),
  }))
}

const SUM = (count: number) => ({ layers: count, bytes: 10 * count })

test('a blob that the other image has is shared, wherever it is; what is chained begins at the first other one', () => {
  expect(compareLayers(layers('a', 'b', 'c'), layers('b', 'a', 'd'))).toEqual({
    total: SUM(3),
    pull: SUM(1),
    chained: SUM(3),
    repacked: SUM(0),
    states: ['shared', 'shared', 'pulled'],
  })
})

test('the same tar in another blob is repacked', () => {
  expect(compareLayers(layers('a', 'b'), layers('a', 'b2', 'c'))).toMatchObject({
    pull: SUM(2),
    chained: SUM(2),
    repacked: SUM(1),
    states: ['shared', 'repacked', 'pulled'],
  })
})

test('a blob counts once, and its second place is shared', () => {
  expect(compareLayers(layers('a'), layers('a', 'b', 'b'))).toMatchObject({
    total: SUM(2),
    pull: SUM(1),
    chained: SUM(1),
    states: ['shared', 'pulled', 'shared'],
  })
})

test.each([
  ['is stored plain', layers('a', 'b'), layers('plain-a', 'plain-b')],
  ['has blobs', layers('plain-a', 'plain-b'), layers('a', 'b')],
])('the diffId identifies a layer without a blob, if the new image %s', (_, from, to) => {
  expect(compareLayers(from, to)).toMatchObject({
    pull: SUM(0),
    chained: SUM(0),
    states: ['shared', 'shared'],
  })
})

test('the same image, fewer layers and none pull nothing', () => {
  expect(compareLayers(layers('a', 'b'), layers('a', 'b')).chained).toEqual(SUM(0))
  expect(compareLayers(layers('a', 'b'), layers('a'))).toMatchObject({ pull: SUM(0), chained: SUM(0) })
  expect(compareLayers(layers('a'), [])).toMatchObject({ total: SUM(0), pull: SUM(0) })
})
