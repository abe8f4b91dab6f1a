/** How an image is read: whole, or from the tables of contents of those layers that have one (`read=toc`). */
import { tocImageName } from '../index/keys.ts'
import { tableDigest } from '../layer/toc/vouched.ts'
import { Problem } from '../problem.ts'
import { knownFacts } from './analyse.ts'
import { type ImageRequest, type OpenedImage, openImage, type Reading } from './open.ts'
import type { Service } from './service.ts'

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

/** What is known of the content is taken where it is there: it is the truth. */
async function isKnownWhole(service: Service, image: OpenedImage): Promise<boolean> {
  if (!hasTables(image)) return true
  try {
    return (await knownFacts(service, image)) !== undefined
  } catch (error) {
    // That the content cannot be analysed says nothing of the tables.
    if (error instanceof Problem) return false
    throw error
  }
}

function hasTables({ manifest }: OpenedImage): boolean {
  return manifest.layers.some((layer) => tableDigest(layer) !== undefined)
}

/** The same image, known from tables of contents where its layers have them. */
export function fromTables(image: OpenedImage): OpenedImage {
  return { ...image, read: 'toc', index: tocImageName(image.identity.digest) }
}
