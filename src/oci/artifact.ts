/**
 * Manifests of any artifact, as they are attached to images: attestations, signatures, bills of materials. Sources: OCI image-spec
 * v1.1 `manifest.md`; ORAS' artifact manifest, which has `blobs`; BuildKit `docs/attestations/attestation-storage.md`.
 */
import { z } from 'zod'
import { Problem } from '../problem.ts'
import { hasMoreParts, parseJson } from '../text/json.ts'
import { type Descriptor, type ImageIndex, OCI_MANIFEST } from './manifest.ts'

export const ORAS_ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json'

export type Artifact = {
  readonly mediaType: string
  readonly artifactType?: string
  readonly configType?: string
  readonly layers: readonly Descriptor[]
  readonly annotations: Readonly<Record<string, string>>
  /** Digest of the manifest that it is attached to, if it says so itself. */
  readonly subject?: string
}

const MAX_PARTS = 100_000
const MAX_LAYERS = 1_024

const type = z.string().max(255)
const annotations = z.record(z.string(), z.string()).nullish()

const descriptorSchema = z.object({
  mediaType: type.min(1),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().nonnegative(),
  annotations,
})

const artifactSchema = z.object({
  mediaType: type.nullish(),
  artifactType: type.nullish(),
  config: z.object({ mediaType: type }).nullish(),
  layers: z.array(descriptorSchema).max(MAX_LAYERS).nullish(),
  blobs: z.array(descriptorSchema).max(MAX_LAYERS).nullish(),
  subject: z.object({ digest: z.string() }).nullish(),
  annotations,
})

/** @throws Problem `invalid_image` if it is malformed */
export function parseArtifact(bytes: Uint8Array): Artifact {
  const json = hasMoreParts(bytes, MAX_PARTS) ? undefined : parseJson(bytes)
  const { data, error } = artifactSchema.safeParse(json)
  if (data === undefined) {
    const where = error.issues[0]?.path.join('.') ?? ''
    const what = where === '' ? 'it is not a JSON object of at most 100,000 values' : `${where} is malformed`
    throw new Problem('invalid_image', `the attached manifest cannot be read: ${what}`, { permanent: true })
  }
  const { artifactType, config, subject } = data
  return {
    mediaType: data.mediaType || OCI_MANIFEST,
    ...(artifactType ? { artifactType } : {}),
    ...(config?.mediaType ? { configType: config.mediaType } : {}),
    layers: (data.layers ?? data.blobs ?? []).map(({ annotations: own, ...descriptor }) => ({
      ...descriptor,
      ...(own ? { annotations: own } : {}),
    })),
    annotations: data.annotations ?? {},
    ...(subject ? { subject: subject.digest } : {}),
  }
}

/** What BuildKit stores in an index about one of its manifests. */
export function attestationsFor({ manifests }: ImageIndex, digest: string): readonly Descriptor[] {
  return manifests.filter(({ annotations: own }) => own?.['vnd.docker.reference.digest'] === digest)
}
