/** What each tool says of the size of an analysed image, from the tables of its layers. */
import type { ObjectStore } from '../../host.ts'
import { isPullKnown } from '../../image/stored.ts'
import { type Descriptor, parseManifest } from '../../oci/manifest.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { type LayerSizes, sizesOfLayer } from '../../storage/layer-sizes.ts'
import { type ToolSize, toolSizes } from '../../storage/tool-sizes.ts'
import type { AnalysedImage } from './analyse.ts'
import { membersTable, WHOLE_FETCH_BYTES } from './image-tables.ts'

/** As many as an image is looked for in: see `oci/select.ts`. */
const MAX_INDEXES = 256
const MAX_DEPTH = 5

export async function sizesOf(
  store: ObjectStore,
  { image, facts }: AnalysedImage,
): Promise<readonly ToolSize[]> {
  const { identity, manifest, source } = image
  const { compressedBytes, uncompressedBytes, stored } = facts.size
  const known = new Map<string, LayerSizes>()
  const layers: LayerSizes[] = []
  for (const [place, { digest }] of manifest.layers.entries()) {
    const sizes = known.get(digest) ?? (await sizesOfLayer(membersIn(store, image, place)))
    known.set(digest, sizes)
    layers.push(sizes)
  }
  return toolSizes({
    compressedBytes: isPullKnown(identity, stored) ? compressedBytes : undefined,
    uncompressedBytes,
    configBytes: image.configBytes.byteLength,
    manifestBytes: (await source.manifest(identity.digest)).byteLength,
    indexBytes: identity.indexDigest === undefined ? [] : await new Way(image).from(identity.indexDigest, 1),
    layers,
  })
}

async function* membersIn(store: ObjectStore, image: OpenedImage, layer: number) {
  const table = await membersTable(store, image, layer)
  yield* table.rows({
    columns: ['key', 'type', 'bytes', 'link', 'whiteout'],
    fetchBytes: WHOLE_FETCH_BYTES,
  })
}

/** The way from an index to the image, which may be in an index within it. */
class Way {
  readonly #image: OpenedImage
  #read = 0

  constructor(image: OpenedImage) {
    this.#image = image
  }

  /** Sizes of the indexes, the outermost first; empty if it does not lead to the image. */
  async from(digest: string, depth: number): Promise<readonly number[]> {
    if (depth > MAX_DEPTH || ++this.#read > MAX_INDEXES) return []
    const bytes = await this.#image.source.manifest(digest)
    const index = parseManifest(bytes)
    if (index.kind !== 'index') return []
    if (index.manifests.some((entry) => entry.digest === this.#image.identity.digest))
      return [bytes.byteLength]
    for (const entry of index.manifests.filter(isIndex)) {
      const rest = await this.from(entry.digest, depth + 1)
      if (rest.length > 0) return [bytes.byteLength, ...rest]
    }
    return []
  }
}

function isIndex({ mediaType }: Descriptor): boolean {
  return /index|manifest\.list/.test(mediaType)
}
