/** The names of base images: what an image, its build or its reader says that it stands on. */
import { isSha256 } from './digest.ts'
import { formatImageReference, parseImageReference } from './image-reference.ts'
import { formatReference, parseReference, type Reference, type Repository } from './reference.ts'

/** Who names a base, in the order in which they are believed. */
export const NAMING = ['annotation', 'label', 'provenance', 'candidate'] as const
export type Naming = (typeof NAMING)[number]

/** What says that an image is the base: a name, an analysis of this service, or the times in the history. */
export const EVIDENCE = [...NAMING, 'known', 'history'] as const
export type Evidence = (typeof EVIDENCE)[number]

/** A base as it is named. */
export type BaseName = {
  readonly evidence: Naming | 'known'
  readonly name: string
  /** Stated beside the name; only a sha256 counts. */
  readonly digest?: string | undefined
}

/** Where a name leads. */
export type BaseTarget = {
  /** To open first. */
  readonly opened: string
  /** To open if that is gone. */
  readonly otherwise?: string
  /** To show: with the tag where there is one. */
  readonly reference: string
  /** Present if the name has a tag in a registry. */
  readonly tagged?: TaggedRepository
}

export type TaggedRepository = Repository & { readonly tag: string }

const NAME = 'org.opencontainers.image.base.name'
const DIGEST = 'org.opencontainers.image.base.digest'

/** The base that annotations or labels name. A digest without a name names nothing. */
export function namedIn(
  values: Readonly<Record<string, string>> | undefined,
): Omit<BaseName, 'evidence'> | undefined {
  const name = values?.[NAME]
  return name ? { name, digest: values?.[DIGEST] } : undefined
}

/**
 * An image names registries only: it must not make a reader open files or engines.
 *
 * @throws Problem `invalid_reference`, `unsupported_digest`
 */
export function targetOf({ evidence, name, digest }: BaseName): BaseTarget {
  if (evidence !== 'candidate') return registryTarget(parseReference(name), digest)
  const reference = parseImageReference(name)
  if (reference.transport === 'docker') return registryTarget(reference, digest)
  return { opened: name, reference: formatImageReference(reference) }
}

function registryTarget(
  { registry, repository, tag, digest }: Reference,
  stated: string | undefined,
): BaseTarget {
  const place = { registry, repository }
  const fixed = digest ?? (stated !== undefined && isSha256(stated) ? stated : undefined)
  const byDigest = fixed === undefined ? undefined : { ...place, digest: fixed }
  if (tag === undefined) {
    const only = byDigest ?? place
    return { opened: inRegistry(only), reference: formatReference(only) }
  }
  const byTag = { ...place, tag }
  const shown = { reference: formatReference(byTag), tagged: byTag }
  if (byDigest === undefined) return { opened: inRegistry(byTag), ...shown }
  return { opened: inRegistry(byDigest), otherwise: inRegistry(byTag), ...shown }
}

/** With its transport, since a registry may be called `oci`, as a transport is. */
export function inRegistry(reference: Reference): string {
  return `docker://${formatReference(reference)}`
}
