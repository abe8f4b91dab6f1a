/** Other variants of a base: what they weigh, from their manifests alone. */
import { hasVariants, variantsOf } from '../../base/alternatives.ts'
import type { Alternative, BaseWarning } from '../../base/base.ts'
import { inParallel } from '../../concurrency.ts'
import type { TaggedRepository } from '../../oci/base-names.ts'
import { manifestFigures } from '../../oci/figures.ts'
import { parsePlatform } from '../../oci/platform.ts'
import { formatReference } from '../../oci/reference.ts'
import { type ManifestSelection, selectManifest } from '../../oci/select.ts'
import { type CallerCredentials, refOf } from '../../open/open-image.ts'
import { openSource } from '../../open/open-source.ts'
import type { Service } from '../../open/service.ts'
import { Problem, type ProblemCode } from '../../problem.ts'
import { compareNames } from '../../text/natural-order.ts'
import type { OpenOnce } from './open-once.ts'

export type AlternativesQuestion = {
  readonly tagged: TaggedRepository
  readonly platform: string
  readonly baseBytes: number
  /** Digests of manifests that are the base itself. */
  readonly own: readonly string[]
  /** How many to list. */
  readonly limit: number
  readonly credentials: CallerCredentials
  readonly images: OpenOnce
}

export type Alternatives = {
  readonly alternatives: readonly Alternative[]
  readonly warnings: readonly BaseWarning[]
}

const MAX_PAGES = 10
const MAX_TAGS = 10_000
const MAX_OPENED = 20
const AT_ONCE = 4
const INCOMPLETE = 'alternativesIncomplete'

/** Reasons why a tag is no alternative. */
const OTHERS: ReadonlySet<ProblemCode> = new Set(['not_an_image', 'platform_not_found'])

type Variant = { readonly tag: string; readonly selected: ManifestSelection | Problem }

export async function alternativesTo(
  service: Service,
  question: AlternativesQuestion,
): Promise<Alternatives> {
  const { tagged, baseBytes, own, limit } = question
  if (!hasVariants(tagged.tag)) return { alternatives: [], warnings: [] }
  const listed = await listTags(service, question)
  if (listed instanceof Problem)
    return { alternatives: [], warnings: [{ code: INCOMPLETE, problem: listed }] }
  const variants = variantsOf(tagged.tag, listed.tags)
  const opened = await inParallel(variants.slice(0, MAX_OPENED), AT_ONCE, (tag) =>
    openVariant(service, question, tag),
  )
  const referenceOf = (tag: string) => formatReference({ ...tagged, tag })
  const digests = new Set(own)
  const alternatives: (Alternative & { readonly tag: string })[] = []
  const warnings: BaseWarning[] = []
  if (variants.length > MAX_OPENED || listed.hasMore) warnings.push({ code: INCOMPLETE })
  for (const { tag, selected } of opened) {
    if (selected instanceof Problem) {
      const isOther = OTHERS.has(selected.code)
      if (!isOther) warnings.push({ code: INCOMPLETE, reference: referenceOf(tag), problem: selected })
    } else if (!digests.has(selected.digest)) {
      const { digest, manifest } = selected
      const { compressedBytes } = manifestFigures(manifest)
      digests.add(digest)
      alternatives.push({
        tag,
        reference: referenceOf(tag),
        digest,
        compressedBytes,
        delta: compressedBytes - baseBytes,
      })
    }
  }
  alternatives.sort((a, b) => a.compressedBytes - b.compressedBytes || compareNames(a.tag, b.tag))
  return {
    alternatives: alternatives.slice(0, limit).map(({ tag, ...alternative }) => alternative),
    warnings,
  }
}

type ListedTags = { readonly tags: readonly string[]; readonly hasMore: boolean }

async function listTags(
  { client }: Service,
  { tagged, credentials, images }: AlternativesQuestion,
): Promise<ListedTags | Problem> {
  const { registry, repository } = tagged
  const credential = credentials.for(registry)
  const caller = credential === undefined ? {} : { credential }
  return orProblem(async () => {
    const { names, next } = await images.ask(registry, (signal) =>
      client.tags({ registry, repository }, { ...caller, signal }, { limit: MAX_TAGS, pages: MAX_PAGES }),
    )
    return { tags: names, hasMore: next !== undefined }
  })
}

/** Two questions: for the manifest by its tag, and for the platform's manifest or the config that names the platform. */
async function openVariant(
  service: Service,
  { tagged, platform, credentials, images }: AlternativesQuestion,
  tag: string,
): Promise<Variant> {
  const ref = refOf({ transport: 'docker', ...tagged }, credentials)
  const selected = await orProblem(() =>
    images.ask(tagged.registry, async (signal) => {
      const source = openSource(service, ref, signal)
      const { digest } = await source.resolve(tag, 'manifest')
      return selectManifest({
        top: { digest, bytes: await source.manifest(digest, tag) },
        read: (descriptor, kind) => source.read(descriptor, kind),
        platform: parsePlatform(platform),
      })
    }),
  )
  return { tag, selected }
}

async function orProblem<T>(ask: () => Promise<T>): Promise<T | Problem> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof Problem && error.code !== 'store_error') return error
    throw error
  }
}
