/**
 * What a manifest makes its registry store: images, indexes, and artifacts of any kind, which `oci/manifest.ts` refuses, since it
 * reads images only.
 */
import { z } from 'zod'
import { toTime } from '../oci/config.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'
import { hasMoreParts, parseJson } from '../text/json.ts'

/** A config or a layer. */
export type StoredBlob = { readonly digest: string; readonly size: number }

export type StoredManifest = {
  /** The manifests of an index, in its order; empty for anything else. */
  readonly manifests: readonly Descriptor[]
  /** Its config and layers, but not those that only other servers have. */
  readonly blobs: readonly StoredBlob[]
  /** The config, if it is an image's. */
  readonly config?: Descriptor
  /** From the annotation, in UTC. */
  readonly created?: string
}

/** What a config says about its image; nothing if it is not an image's config. */
export type StoredConfig = { readonly platform?: string; readonly created?: string }

const MAX_PARTS = 100_000
const MAX_MANIFESTS = 1_024
const MAX_BLOBS = 4_096
const CREATED = 'org.opencontainers.image.created'
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/
/** Docker once pushed configs without a type of their own: see `oci/manifest.ts`. */
const IMAGE_CONFIG =
  /^(?:application\/vnd\.oci\.image\.config\.v1\+json|application\/vnd\.docker\.container\.image\.v1\+json|application\/octet-stream|)$/

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined)

const annotations = z.record(z.string(), z.string()).nullish()

const descriptor = z.object({
  mediaType: z
    .string()
    .nullish()
    .transform((type) => type ?? ''),
  digest: z.string().min(1).max(200),
  size: z.int().nonnegative(),
  urls: z.array(z.string()).nullish(),
  annotations,
  platform: z
    .object({ os: text, architecture: text })
    .nullish()
    .transform((value) => value ?? undefined),
})

const descriptors = (most: number) =>
  z
    .array(descriptor)
    .max(most)
    .nullish()
    .transform((list) => list ?? [])

const document = z.object({
  schemaVersion: z.int().nullish(),
  mediaType: text,
  manifests: descriptors(MAX_MANIFESTS).optional(),
  config: descriptor.nullish(),
  layers: descriptors(MAX_BLOBS),
  /** Of ORAS' manifests of artifacts. */
  blobs: descriptors(MAX_BLOBS),
  annotations,
})

const invalid = (detail: string) => new Problem('invalid_image', detail, { permanent: true })

/**
 * @throws Problem `not_an_image` for schema 1, which names no sizes; `invalid_image` for anything that is not a manifest, or has a
 *   size that is not a whole number; `too_large`
 */
export function parseStoredManifest(bytes: Uint8Array, mediaType = ''): StoredManifest {
  if (hasMoreParts(bytes, MAX_PARTS))
    throw new Problem('too_large', `the manifest has more than ${MAX_PARTS} values`, { permanent: true })
  const json = parseJson(bytes)
  if (json === undefined) throw invalid('the manifest is not JSON')
  const parsed = document.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw invalid(
      `the manifest${issue?.path.length ? `'s ${issue.path.join('.')}` : ''}: ${issue?.message ?? 'is malformed'}`,
    )
  }
  const { schemaVersion, manifests, config, layers, blobs } = parsed.data
  if (schemaVersion === 1 || SCHEMA_1.test(parsed.data.mediaType ?? mediaType))
    throw new Problem('not_an_image', 'a manifest of the old schema 1 says nothing about sizes', {
      permanent: true,
    })
  if (manifests === undefined && !config && layers.length + blobs.length === 0)
    throw invalid('the manifest has neither manifests nor a config nor layers')
  const created = toTime(parsed.data.annotations?.[CREATED])
  return {
    manifests: (manifests ?? []).map(toDescriptor),
    blobs: [...(config ? [config] : []), ...layers, ...blobs]
      .filter(({ urls }) => !urls?.length)
      .map(({ digest, size }) => ({ digest, size })),
    ...(config && IMAGE_CONFIG.test(config.mediaType) ? { config: toDescriptor(config) } : {}),
    ...(created === undefined ? {} : { created }),
  }
}

function toDescriptor({ mediaType, digest, size, annotations, platform }: z.infer<typeof descriptor>) {
  return {
    mediaType,
    digest,
    size,
    ...(annotations ? { annotations } : {}),
    ...(platform?.os && platform.architecture
      ? { platform: { os: platform.os, architecture: platform.architecture } }
      : {}),
  }
}

const configDocument = z.object({ os: text, architecture: text, created: text })

/** Never fails: of an invalid config, nothing is known. */
export function parseStoredConfig(bytes: Uint8Array): StoredConfig {
  if (hasMoreParts(bytes, MAX_PARTS)) return {}
  const parsed = configDocument.safeParse(parseJson(bytes))
  if (!parsed.success) return {}
  const { os, architecture } = parsed.data
  const created = toTime(parsed.data.created)
  return {
    ...(os && architecture ? { platform: `${os}/${architecture}` } : {}),
    ...(created === undefined ? {} : { created }),
  }
}
