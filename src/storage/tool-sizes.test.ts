import { expect, it } from 'vitest'
import { toolSizes } from './tool-sizes.ts'

const LAYER = { contentBytes: 7, blockBytes: 4_096, headerBytes: 9 }
const IMAGE = {
  compressedBytes: 1_000,
  uncompressedBytes: 3_000,
  configBytes: 200,
  manifestBytes: 30,
  indexBytes: [5, 6],
  layers: [LAYER, LAYER],
}

const bytesOf = (image: Parameters<typeof toolSizes>[0]) =>
  Object.fromEntries(toolSizes(image).map(({ tool, bytes }) => [tool, bytes]))

it('counts for each tool what it counts', () => {
  expect(bytesOf(IMAGE)).toEqual({
    registry: 1_000,
    docker: 14,
    containerd: 1_000 + 200 + 30 + 2 * 4_096,
    podman: 3_000 + 200 + 2 * 30 + 5,
    cri: 1_000 + 200 + 30 + 5 + 6,
    dive: 18,
  })
  expect(
    toolSizes(IMAGE)
      .filter(({ exact }) => !exact)
      .map(({ tool }) => tool),
  ).toEqual(['containerd'])
})

it('says why a size is not known', () => {
  const unknown = toolSizes({ ...IMAGE, compressedBytes: undefined, uncompressedBytes: undefined })
  expect(
    unknown
      .filter(({ bytes }) => bytes === undefined)
      .map(({ tool, explanation }) => [tool, /nknown/.test(explanation)]),
  ).toEqual([
    ['registry', true],
    ['containerd', true],
    ['podman', true],
    ['cri', true],
  ])
})
