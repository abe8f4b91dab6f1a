/** What several images share, from their manifests and configs: no layer is read. */
import type { ImageIdentity } from '../../image/report.ts'
import { requireDiffIds } from '../../oci/config.ts'
import { manifestFigures } from '../../oci/figures.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'

export type SharingImage = {
  readonly image: ImageIdentity
  /** What a pull of this image alone transfers. */
  readonly compressedBytes: number
  /** The number of layers. */
  readonly layers: number
  /** The part of it that another of the images has, too; a blob counts once. */
  readonly sharedBytes: number
  readonly uniqueBytes: number
  /** Index of the image that this one is built on: the one whose diffIds are the longest proper prefix of this one's. */
  readonly base?: number
}

export type SharedLayer = {
  readonly digest: string
  readonly diffId: string
  readonly compressedBytes: number
  /** Indexes of the images that have it, ascending. */
  readonly images: readonly number[]
}

export type Sharing = {
  readonly images: readonly SharingImage[]
  /** The most shared first, then the largest. */
  readonly layers: readonly SharedLayer[]
  readonly total: {
    readonly compressedBytes: number
    /** Each blob once, as a registry or a node keeps them. */
    readonly storedBytes: number
  }
}

type Subject = Pick<OpenedImage, 'identity' | 'manifest' | 'config'>

/** @throws Problem `invalid_image` if a config does not fit its manifest */
export function sharingOf(images: readonly Subject[]): Sharing {
  const layers = layersOf(images)
  const sharing = images.map(({ identity, manifest, config }, place): SharingImage => {
    const { compressedBytes, layers: count } = manifestFigures(manifest)
    const own = layers.filter(({ images: places }) => places.includes(place))
    const bytesOf = (some: readonly SharedLayer[]) =>
      some.reduce((sum, layer) => sum + layer.compressedBytes, 0)
    const sharedBytes = bytesOf(own.filter(({ images: places }) => places.length > 1))
    const base = baseOf(config.diffIds, images)
    return {
      image: identity,
      compressedBytes,
      layers: count,
      sharedBytes,
      uniqueBytes: bytesOf(own) - sharedBytes,
      ...(base === undefined ? {} : { base }),
    }
  })
  return {
    images: sharing,
    layers,
    total: {
      compressedBytes: sharing.reduce((sum, image) => sum + image.compressedBytes, 0),
      storedBytes: layers.reduce((sum, layer) => sum + layer.compressedBytes, 0),
    },
  }
}

function layersOf(images: readonly Subject[]): readonly SharedLayer[] {
  const layers = new Map<string, SharedLayer & { readonly images: number[] }>()
  for (const [place, { identity, manifest, config }] of images.entries()) {
    requireLayers(identity, () => requireDiffIds(manifest, config))
    for (const [index, { digest, size }] of manifest.layers.entries()) {
      const known = layers.get(digest)
      if (known === undefined)
        layers.set(digest, {
          digest,
          diffId: config.diffIds[index] ?? '',
          compressedBytes: size,
          images: [place],
        })
      else if (known.images.at(-1) !== place) known.images.push(place)
    }
  }
  return [...layers.values()].sort(
    (a, b) =>
      b.images.length - a.images.length ||
      b.compressedBytes - a.compressedBytes ||
      (a.digest < b.digest ? -1 : 1),
  )
}

/** Adds to the problem which of the images it is about. */
function requireLayers({ reference }: ImageIdentity, check: () => void): void {
  try {
    check()
  } catch (error) {
    throw error instanceof Problem ? error.with({ image: reference }) : error
  }
}

/** If several begin the same, the first. */
function baseOf(diffIds: readonly string[], images: readonly Subject[]): number | undefined {
  let base: { readonly place: number; readonly layers: number } | undefined
  for (const [place, { config }] of images.entries()) {
    const layers = config.diffIds.length
    const isBeginning =
      layers > 0 && layers < diffIds.length && config.diffIds.every((diffId, i) => diffId === diffIds[i])
    if (isBeginning && layers > (base?.layers ?? 0)) base = { place, layers }
  }
  return base?.place
}
