/** Answers what an image stands on, from manifests and configs alone. */
import type { Base, BaseReport, PartOfImage } from '../../base/base.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import type { CallerCredentials, OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { type Alternatives, alternativesTo } from './alternatives.ts'
import { type FoundBase, findBase } from './find.ts'
import { type OpeningTimes, OpenOnce } from './open-once.ts'
import { baseUpdate, type TagNow } from './update.ts'

export type DescribeQuestion = {
  readonly image: OpenedImage
  readonly candidates: readonly string[]
  /** How many alternatives to list. */
  readonly alternatives: number
  /** Each registry gets only those that are for it. */
  readonly credentials: CallerCredentials
  readonly signal: AbortSignal
  readonly times?: OpeningTimes
}

export type DescribedBase = {
  readonly report: BaseReport
  readonly base?: OpenedImage
  /** What the base's tag names now, if it can be read. */
  readonly update?: OpenedImage
  /** Every caller gets the same. */
  readonly isPublic: boolean
  readonly images: OpenOnce
}

/** @throws Problem `invalid_image`, `invalid_reference` for a candidate */
export async function describeBase(service: Service, question: DescribeQuestion): Promise<DescribedBase> {
  const { image, candidates, credentials, signal, times } = question
  const { platform } = image.identity
  const images = new OpenOnce(service, platform, {
    credentials,
    signal,
    ...(times === undefined ? {} : { times }),
  })
  const { base: found, warnings } = await findBase(service, { image, candidates, images, signal })
  const { layers } = image.manifest
  const below = layers.slice(0, found?.layers ?? 0)
  const now = await updateOf(image, found, images)
  const others = await othersOf(service, question, { found, now, images })
  const report: BaseReport = {
    image: image.identity,
    ...(found === undefined ? {} : { base: shownBase(found, below) }),
    own: partOf(layers.slice(below.length)),
    ...(now === undefined ? {} : { update: now.update }),
    ...(others === undefined ? {} : { alternatives: others.alternatives }),
    warnings: [...warnings, ...(others?.warnings ?? [])],
  }
  return {
    report,
    ...(found?.named === undefined ? {} : { base: found.named.image }),
    ...(now?.image === undefined ? {} : { update: now.image }),
    isPublic: image.source.isPublic && images.isPublic,
    images,
  }
}

function partOf(layers: readonly Descriptor[]): PartOfImage {
  return { layers: layers.length, compressedBytes: bytesOf(layers) }
}

function bytesOf(layers: readonly Descriptor[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0)
}

function shownBase({ evidence, named }: FoundBase, layers: readonly Descriptor[]): Base {
  if (named === undefined) return { evidence, ...partOf(layers) }
  const { digest, indexDigest } = named.image.identity
  return {
    reference: named.reference,
    digest,
    ...(indexDigest === undefined ? {} : { indexDigest }),
    evidence,
    ...partOf(layers),
  }
}

async function updateOf(
  image: OpenedImage,
  found: FoundBase | undefined,
  images: OpenOnce,
): Promise<TagNow | undefined> {
  const { named, layers = 0 } = found ?? {}
  if (named?.tagged === undefined) return undefined
  const baseBytes = bytesOf(image.manifest.layers.slice(0, layers))
  return baseUpdate({ image, base: named.image, baseBytes }, named.tagged, images)
}

type Known = {
  readonly found: FoundBase | undefined
  readonly now: TagNow | undefined
  readonly images: OpenOnce
}

async function othersOf(
  service: Service,
  { image, alternatives: limit, credentials }: DescribeQuestion,
  { found, now, images }: Known,
): Promise<Alternatives | undefined> {
  const { named, layers = 0 } = found ?? {}
  if (limit === 0 || named?.tagged === undefined) return undefined
  const digests = [named.image.identity.digest, now?.image?.identity.digest]
  return alternativesTo(service, {
    tagged: named.tagged,
    platform: image.identity.platform,
    baseBytes: bytesOf(image.manifest.layers.slice(0, layers)),
    own: digests.filter((digest) => digest !== undefined),
    limit,
    credentials,
    images,
  })
}
