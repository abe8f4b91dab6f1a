/** What the tag of a base names now. */
import type { BaseUpdate } from '../../base/base.ts'
import { inRegistry, type TaggedRepository } from '../../oci/base-names.ts'
import { manifestFigures } from '../../oci/figures.ts'
import { formatReference } from '../../oci/reference.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import { comparePulls } from '../images/update.ts'
import type { OpenOnce } from './open-once.ts'

export type TagNow = {
  readonly update: BaseUpdate
  /** What the tag names, if it can be read. */
  readonly image?: OpenedImage
}

export type StandingImage = {
  readonly image: OpenedImage
  readonly base: OpenedImage
  /** Of the image's blobs that are the base's. */
  readonly baseBytes: number
}

export async function baseUpdate(
  { image, base, baseBytes }: StandingImage,
  tagged: TaggedRepository,
  images: OpenOnce,
): Promise<TagNow> {
  const reference = formatReference(tagged)
  const now = await images.image(inRegistry(tagged))
  if (now instanceof Problem) return { update: { reference, state: 'unknown', problem: now } }
  const { digest, created } = now.identity
  const isCurrent = JSON.stringify(now.config.diffIds) === JSON.stringify(base.config.diffIds)
  const about = { reference, digest, ...(created === undefined ? {} : { created }) }
  if (isCurrent) return { update: { ...about, state: 'current' }, image: now }
  const { pull } = comparePulls({ from: image, to: now })
  const sizeDelta = manifestFigures(now.manifest).compressedBytes - baseBytes
  return { update: { ...about, state: 'behind', pull, sizeDelta }, image: now }
}
