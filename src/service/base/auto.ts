/** Base images that other answers need to know: what the gate excuses, and whose the bytes of a treemap are. */
import type { BaseWarning } from '../../base/base.ts'
import type { AutoBase } from '../../gate/subject.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import type { Problem } from '../../problem.ts'
import { findBase, findNamed } from './find.ts'
import { type BaseCaller, OpenOnce } from './open-once.ts'

export type FoundAuto = {
  /** Absent if no name fits: then the whole image counts. */
  readonly base?: { readonly image: OpenedImage; readonly shown: AutoBase }
  /** Every caller finds the same. */
  readonly isPublic: boolean
}

/**
 * The base image of `baseImage=auto`: the one that annotations, labels or provenance name.
 *
 * @throws Problem of the first name that cannot be read, if no other fits; `invalid_image`
 */
export async function findAutoBase(
  service: Service,
  image: OpenedImage,
  caller: BaseCaller,
): Promise<FoundAuto> {
  const images = new OpenOnce(service, image.identity.platform, caller)
  const { base, warnings } = await findNamed({ image, candidates: [], images, signal: caller.signal })
  const { isPublic } = images
  if (base?.named !== undefined) {
    const { evidence, layers, named } = base
    const { digest } = named.image.identity
    return {
      base: { image: named.image, shown: { reference: named.reference, digest, evidence, layers } },
      isPublic,
    }
  }
  // Counting the whole image would blame this image for what a base may have done.
  const problem = problemOf(warnings)
  if (problem !== undefined) throw problem.with({ parameter: 'baseImage' })
  return { isPublic }
}

export type CountedLayers = {
  readonly count: number
  /** Every caller gets the same. */
  readonly isPublic: boolean
}

/**
 * How many of an image's layers are the base's, by whatever evidence; 0 if no base is found.
 *
 * @throws Problem of the first name that cannot be read, if no other fits; `invalid_image`
 */
export async function countBaseLayers(
  service: Service,
  image: OpenedImage,
  caller: BaseCaller,
): Promise<CountedLayers> {
  const images = new OpenOnce(service, image.identity.platform, caller)
  const { signal } = caller
  const { base, warnings } = await findBase(service, { image, candidates: [], images, signal })
  const { isPublic } = images
  if (base !== undefined) return { count: base.layers, isPublic }
  const problem = problemOf(warnings)
  if (problem !== undefined) throw problem
  return { count: 0, isPublic }
}

function problemOf(warnings: readonly BaseWarning[]): Problem | undefined {
  return warnings.find(({ problem }) => problem !== undefined)?.problem
}
