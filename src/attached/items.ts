/** What is attached to an image, item by item: the shape of `/v1/attached`. */
import type { Artifact } from '../oci/artifact.ts'
import { toTime } from '../oci/config.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'
import { compareText } from '../text/bytes.ts'
import { KINDS, type Kind, kindOf } from './kinds.ts'

/** In the order in which they are believed. */
export const SOURCES = ['index', 'referrers', 'tag'] as const
export type Source = (typeof SOURCES)[number]

export type AttachedItem = {
  readonly kind: Kind
  readonly source: Source
  readonly artifactType?: string
  readonly predicateType?: string
  readonly mediaType: string
  /** Of its blob. */
  readonly digest: string
  readonly bytes: number
  readonly created?: string
  /** Absent for what is attached to an index. */
  readonly platform?: string
  readonly annotations?: Readonly<Record<string, string>>
  /** Digest of the attached manifest. */
  readonly manifest: string
  readonly subject: string
}

export type AttachedProblem = { readonly source: Source; readonly problem: Problem }

export type Attached = {
  /** Digests: the platform's manifest, and the index through which the reference led. */
  readonly subjects: readonly string[]
  readonly items: readonly AttachedItem[]
  /** Everything could be read: what is not listed is not attached. */
  readonly complete: boolean
  /** One for each source that has any. */
  readonly problems: readonly AttachedProblem[]
}

/** A manifest that is attached. */
export type AttachedManifest = {
  readonly artifact: Artifact
  readonly digest: string
  readonly bytes: number
  readonly source: Source
  readonly subject: string
  readonly platform: string | undefined
  /** What one of cosign's tags says. */
  readonly byTag: Kind | undefined
}

/** An item before its statement, which may be all that says what it is, is read. */
export type Draft = Omit<AttachedItem, 'kind'> & {
  readonly byTag: Kind | undefined
  readonly bundleContent: string | undefined
}

export const MAX_STATEMENT_BYTES = 1024 * 1024

const CREATED = 'org.opencontainers.image.created'
const PREDICATE_NAMES = ['in-toto.io/predicate-type', 'predicateType', 'dev.sigstore.bundle.predicateType']
/** Types of configs that say nothing about the artifact. */
const NO_TYPE = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  'application/vnd.oci.empty.v1+json',
])
const MAX_ANNOTATION_LENGTH = 1_024
/** Of all annotations of an item together. */
const MAX_ANNOTATIONS_LENGTH = 16 * 1024
const STATEMENTS =
  /^application\/vnd\.(?:in-toto\+json|dsse\.envelope\.v1\+json|dev\.sigstore\.bundle[.\w+-]*)(?:$|;)/

/** An item for each layer; a manifest without layers is one itself. */
export function draftsOf(manifest: AttachedManifest): readonly Draft[] {
  const { artifact, digest, bytes } = manifest
  const itself = { mediaType: artifact.mediaType, digest, size: bytes }
  return (artifact.layers.length === 0 ? [itself] : artifact.layers).map((layer) => draftOf(manifest, layer))
}

function draftOf(
  { artifact, digest, source, subject, platform, byTag }: AttachedManifest,
  layer: Descriptor,
): Draft {
  const { configType } = artifact
  const artifactType =
    artifact.artifactType ?? (configType === undefined || NO_TYPE.has(configType) ? undefined : configType)
  const annotations = shownAnnotations({ ...artifact.annotations, ...layer.annotations })
  const predicateType = PREDICATE_NAMES.map((name) => annotations[name]).find(Boolean)
  const created = toTime(annotations[CREATED])
  return {
    source,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(predicateType === undefined ? {} : { predicateType }),
    mediaType: layer.mediaType,
    digest: layer.digest,
    bytes: layer.size,
    ...(created === undefined ? {} : { created }),
    ...(platform === undefined ? {} : { platform }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    manifest: digest,
    subject,
    byTag,
    bundleContent: annotations['dev.sigstore.bundle.content'],
  }
}

/** Without long values; the manifest's are repeated for each of its layers, so that all together are bounded, too. */
function shownAnnotations(all: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  let left = MAX_ANNOTATIONS_LENGTH
  const shown = Object.entries(all).filter(([name, value]) => {
    if (value.length > MAX_ANNOTATION_LENGTH || name.length + value.length > left) return false
    left -= name.length + value.length
    return true
  })
  return Object.fromEntries(shown)
}

/** Whether only the blob says what it is. */
export function needsStatement({ predicateType, bundleContent, mediaType, bytes }: Draft): boolean {
  const isKnown = predicateType !== undefined || bundleContent === 'message-signature'
  return !isKnown && bytes <= MAX_STATEMENT_BYTES && STATEMENTS.test(mediaType)
}

/** @param stated the predicate type in its statement, if that was read */
export function finished({ byTag, bundleContent, ...item }: Draft, stated: string | undefined): AttachedItem {
  const predicateType = item.predicateType ?? stated
  const { mediaType, artifactType } = item
  const kind = kindOf({ predicateType, bundleContent, mediaType, artifactType, byTag })
  return { kind, ...item, ...(predicateType === undefined ? {} : { predicateType }) }
}

/** By kind, the newest first, then by manifest, then as in the manifest. */
export function inOrder(items: readonly AttachedItem[]): readonly AttachedItem[] {
  return items.toSorted(
    (a, b) =>
      KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
      timeOf(b) - timeOf(a) ||
      compareText(a.manifest, b.manifest),
  )
}

/** Without a time last. */
function timeOf({ created }: AttachedItem): number {
  const time = created === undefined ? Number.NaN : Date.parse(created)
  return Number.isNaN(time) ? Number.MIN_SAFE_INTEGER : time
}

/** @throws Problem `registry_error` if something may be attached that is not listed */
export function requireComplete({
  complete,
  problems: [first],
}: Pick<Attached, 'complete' | 'problems'>): void {
  if (complete) return
  const why = first === undefined ? '' : `: ${first.problem.message}`
  throw new Problem('registry_error', `the list of what is attached is incomplete${why}`)
}
