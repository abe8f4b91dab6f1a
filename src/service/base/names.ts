/** All names of an image's base, in the order in which they are believed. */

import { imagesOfProvenance, SLSA_PROVENANCE } from '../../base/provenance.ts'
import { attestationsFor, parseArtifact } from '../../oci/artifact.ts'
import { type BaseName, namedIn } from '../../oci/base-names.ts'
import { type Descriptor, type ImageIndex, parseManifest } from '../../oci/manifest.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import { waitFor } from '../../timeout.ts'

const MAX_DEPENDENCIES = 20
const MAX_ATTESTATIONS = 4
const MAX_STATEMENT_BYTES = 4 * 1024 * 1024
const PROVENANCE_MILLISECONDS = 10_000
const STATEMENT = 'application/vnd.in-toto+json'

/** @param candidates that the caller proposes */
export async function namesOfBase(
  image: OpenedImage,
  candidates: readonly string[],
  signal: AbortSignal,
): Promise<readonly BaseName[]> {
  const index = await indexOf(image)
  const entry = index?.manifests.find(({ digest }) => digest === image.identity.digest)
  const annotated =
    namedIn(image.manifest.annotations) ?? namedIn(entry?.annotations) ?? namedIn(index?.annotations)
  const labelled = namedIn(image.config.config.labels)
  return [
    ...(annotated === undefined ? [] : [{ evidence: 'annotation', ...annotated } as const]),
    ...(labelled === undefined ? [] : [{ evidence: 'label', ...labelled } as const]),
    ...(index === undefined ? [] : await namedByProvenance(image, index, signal)),
    ...candidates.map((name) => ({ evidence: 'candidate', name }) as const),
  ]
}

/** The index through which the reference led, if it led through one. */
export async function indexOf({ identity, source }: OpenedImage): Promise<ImageIndex | undefined> {
  if (identity.indexDigest === undefined) return undefined
  const parsed = parseManifest(await source.manifest(identity.indexDigest))
  return parsed.kind === 'index' ? parsed : undefined
}

/** What cannot be read names nothing. */
async function namedByProvenance(
  image: OpenedImage,
  index: ImageIndex,
  signal: AbortSignal,
): Promise<readonly BaseName[]> {
  const attestations = attestationsFor(index, image.identity.digest).slice(0, MAX_ATTESTATIONS)
  if (attestations.length === 0) return []
  const error = () => new Problem('registry_timeout', 'the provenance could not be read in time')
  const read = readProvenance(image, attestations)
  return (
    (await orNone(waitFor(read, { limit: { milliseconds: PROVENANCE_MILLISECONDS, error }, signal }))) ?? []
  )
}

async function readProvenance(
  { source }: OpenedImage,
  attestations: readonly Descriptor[],
): Promise<readonly BaseName[]> {
  const names: BaseName[] = []
  let left = MAX_ATTESTATIONS
  for (const { digest } of attestations) {
    const artifact = await orNone(source.manifest(digest).then(parseArtifact))
    for (const statement of artifact?.layers.filter(mayBeProvenance).slice(0, left) ?? []) {
      left--
      const bytes = await orNone(source.document(statement, MAX_STATEMENT_BYTES))
      if (bytes !== undefined) names.push(...imagesOfProvenance(bytes))
    }
  }
  return names.slice(0, MAX_DEPENDENCIES)
}

function mayBeProvenance({ mediaType, annotations }: Descriptor): boolean {
  const predicate = annotations?.['in-toto.io/predicate-type']
  return mediaType === STATEMENT && (predicate === undefined || predicate.startsWith(SLSA_PROVENANCE))
}

async function orNone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
