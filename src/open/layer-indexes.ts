/** Which index a layer of an image has: the one of its content, or the one of its table of contents; and who may see it. */
import type { ImageFacts, Verified } from '../image/report.ts'
import { tableIndexName } from '../index/keys.ts'
import { tableDigest } from '../layer/toc/verified-toc.ts'
import type { Descriptor } from '../oci/manifest.ts'
import type { OpenedImage } from './open-image.ts'
import type { Visibility } from './visibility.ts'

/** Whether the index of a layer may be shown to the caller: the one of its content, or the one of its table. */
export async function maySeeLayer(visibility: Visibility, layer: Descriptor): Promise<boolean> {
  const table = tableDigest(layer)
  if (await visibility.maySee(layer.digest, 'layer')) return true
  return table !== undefined && visibility.maySeeToc({ table, blob: layer.digest })
}

/** The name of a layer's index in an analysed image. */
export function layerIndexName(layer: Descriptor, verified: Verified = 'content'): string {
  const table = tableDigest(layer)
  return verified === 'content' || table === undefined ? layer.digest : tableIndexName(layer.digest, table)
}

/** The weakest of the layers. */
export function verifiedOf({ layers }: Pick<ImageFacts, 'layers'>): Verified {
  return layers.some(({ verified }) => verified === 'contents-table') ? 'contents-table' : 'content'
}

/** The image, and where its facts come from. */
export function verifiedImage(image: OpenedImage, facts: Pick<ImageFacts, 'layers'>): OpenedImage {
  return { ...image, identity: { ...image.identity, verified: verifiedOf(facts) } }
}
