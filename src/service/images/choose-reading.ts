/** How an image is read: whole, or from tables of contents for layers that have one (`read=toc`). */
import { tocImageName } from '../../index/keys.ts'
import { tableDigest } from '../../layer/toc/verified-toc.ts'
import { type ImageRequest, type OpenedImage, openImage, type Reading } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import { knownFacts } from './analyse.ts'

/**
 * @throws Problem as {@link openImage}
 */
export async function openReading(
  service: Service,
  request: ImageRequest & { readonly read?: Reading | undefined },
): Promise<OpenedImage> {
  const image = await openImage(service, request)
  return request.read === 'toc' && !(await isKnownWhole(service, image)) ? fromTables(image) : image
}

/** Facts from the content are preferred if they exist: they are the truth. */
async function isKnownWhole(service: Service, image: OpenedImage): Promise<boolean> {
  if (!hasTables(image)) return true
  try {
    return (await knownFacts(service, image)) !== undefined
  } catch (error) {
    // A failed analysis of the content says nothing about the tables.
    if (error instanceof Problem) return false
    throw error
  }
}

function hasTables({ manifest }: OpenedImage): boolean {
  return manifest.layers.some((layer) => tableDigest(layer) !== undefined)
}

/** The same image, known from tables of contents for layers that have one. */
export function fromTables(image: OpenedImage): OpenedImage {
  return { ...image, read: 'toc', index: tocImageName(image.identity.digest) }
}
