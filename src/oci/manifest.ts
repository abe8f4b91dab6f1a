/**
 * Image manifests and indexes, in Docker's schema 2 and in OCI's form, which differ only in their media types. Sources:
 * OCI image-spec v1.1 `manifest.md`, `image-index.md`, `descriptor.md`; distribution `manifest-v2-2.md`.
 */
import { z } from 'zod'
import { Problem } from '../problem.ts'
import { hasMoreParts, parseJson } from '../text/json.ts'
import { requireSha256 } from './digest.ts'

/** The used fields of an OCI descriptor. */
export type Descriptor = {
  readonly mediaType: string
  /** `sha256:<hex>` */
  readonly digest: string
  readonly size: number
  readonly urls?: readonly string[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly artifactType?: string
  readonly platform?: {
    readonly os: string
    readonly architecture: string
    readonly variant?: string
    readonly 'os.version'?: string
  }
}

export type ImageManifest = {
  readonly kind: 'image'
  readonly mediaType: string
  readonly config: Descriptor
  /** From the lowest to the highest; the same blob may occur twice. */
  readonly layers: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** Digests of its manifests may use any algorithm; only the one that is read must be sha256. */
export type ImageIndex = {
  readonly kind: 'index'
  readonly mediaType: string
  readonly manifests: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/

/** The accepted media types. Schema 1 is missing: a registry that has nothing else then says so, or sends it anyway. */
export const MANIFEST_MEDIA_TYPES: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST]

const IMAGE_CONFIGS = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
])

/**
 * Docker once pushed configs as `application/octet-stream` (distribution issue 1621), and treats an empty type as the
 * default: both are images.
 */
const DEFAULTED_CONFIGS = new Set(['application/octet-stream', ''])

/** `artifactType` of what BuildKit attaches to an image. */
const ATTESTATION = 'application/vnd.docker.attestation.manifest.v1+json'

/** Names for artifacts that are not images, by their config's media type. */
const ARTIFACT_CONFIGS: ReadonlyMap<string, string> = new Map([
  ['application/vnd.cncf.helm.config.v1+json', 'a Helm chart'],
  ['application/vnd.docker.plugin.v1+json', 'a Docker plugin'],
  ['application/vnd.wasm.config.v0+json', 'a WebAssembly module'],
  ['application/vnd.wasm.config.v1+json', 'a WebAssembly module'],
  ['application/vnd.sylabs.sif.config.v1+json', 'a Singularity image'],
  ['application/vnd.cncf.flux.config.v1+json', 'a Flux artifact'],
  ['application/vnd.docker.ai.model.config.v0.1+json', 'an AI model'],
])

/** Layers that are not file systems, in manifests that have an image's config. */
const ARTIFACT_LAYERS: ReadonlyMap<string, string> = new Map([
  ['application/vnd.in-toto+json', 'an attestation'],
  ['application/vnd.dsse.envelope.v1+json', 'an attestation'],
  ['application/vnd.dev.cosign.simplesigning.v1+json', 'a signature'],
])

/** The bytes tell a layer's compression, so its media type only must not contradict that it is a file system. */
const LAYER = /tar|gzip|zstd|^application\/octet-stream$|^$/

/** Docker builds at most 127; OCI has no limit. */
const MAX_LAYERS = 1_024
const MAX_MANIFESTS = 1_024
const MAX_URLS = 16

const descriptorSchema = z.object({
  mediaType: z
    .string()
    .max(255)
    .nullish()
    .transform((type) => type ?? ''),
  digest: z.string(),
  size: z.int().nonnegative(),
  urls: z.array(z.string().max(4_096)).max(MAX_URLS).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
  artifactType: z.string().max(255).nullish(),
  platform: z
    .object({
      os: z
        .string()
        .nullish()
        .transform((os) => os ?? ''),
      architecture: z
        .string()
        .nullish()
        .transform((architecture) => architecture ?? ''),
      variant: z.string().nullish(),
      'os.version': z.string().nullish(),
    })
    .nullish(),
})

const documentSchema = z.object({
  schemaVersion: z.int().nullish(),
  mediaType: z.string().max(255).nullish(),
  artifactType: z.string().max(255).nullish(),
  config: z.unknown().optional(),
  layers: z.unknown().optional(),
  manifests: z.unknown().optional(),
  annotations: z.unknown().optional(),
})

const imageSchema = z.object({
  config: descriptorSchema,
  layers: z
    .array(descriptorSchema)
    .nullish()
    .transform((layers) => layers ?? []),
})

const indexSchema = z.object({
  manifests: z
    .array(descriptorSchema)
    .nullish()
    .transform((manifests) => manifests ?? []),
})

type ParsedDescriptor = z.infer<typeof descriptorSchema>

const invalid = (detail: string) => new Problem('invalid_image', detail, { permanent: true })
const notAnImage = (what: string) =>
  new Problem('not_an_image', `the reference names ${what}, not a container image`, { permanent: true })

/** Go also writes an empty list as `null`. */
const isThere = (value: unknown) => value !== undefined && value !== null

function toDescriptor(parsed: ParsedDescriptor): Descriptor {
  const { mediaType, digest, size, urls, annotations, artifactType, platform } = parsed
  return {
    mediaType,
    digest,
    size,
    ...(urls?.length ? { urls } : {}),
    ...(annotations ? { annotations } : {}),
    ...(artifactType ? { artifactType } : {}),
    ...(platform
      ? {
          platform: {
            os: platform.os,
            architecture: platform.architecture,
            ...(platform.variant ? { variant: platform.variant } : {}),
            ...(platform['os.version'] ? { 'os.version': platform['os.version'] } : {}),
          },
        }
      : {}),
  }
}

/** The first fault that zod found, in words: `the manifest's layers[2].size: …`. */
function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues
  if (issue === undefined) return 'the manifest is malformed'
  const path = issue.path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? String(part) : `.${String(part)}`))
    .join('')
  return `the manifest${path === '' ? '' : `'s ${path}`}: ${issue.message}`
}

function read<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalid(firstIssue(parsed.error))
  return parsed.data
}

function requireAtMost(list: unknown, limit: number, what: string): void {
  if (Array.isArray(list) && list.length > limit)
    throw new Problem(
      'too_large',
      `the manifest has ${list.length} ${what}, more than the limit of ${limit}`,
      {
        permanent: true,
      },
    )
}

/** What the manifest describes, if not an image. */
function artifactOf(
  config: Descriptor,
  layers: readonly Descriptor[],
  artifactType: string | undefined,
): string | undefined {
  if (artifactType === ATTESTATION) return 'an attestation'
  const known = ARTIFACT_CONFIGS.get(config.mediaType)
  if (known !== undefined) return known
  // An image may carry an `artifactType` as well: it decides only if the config leaves it open.
  if (artifactType !== undefined && !IMAGE_CONFIGS.has(config.mediaType))
    return `an artifact of the type ${JSON.stringify(artifactType)}`
  if (!IMAGE_CONFIGS.has(config.mediaType) && !DEFAULTED_CONFIGS.has(config.mediaType))
    return `an artifact with a config of the type ${JSON.stringify(config.mediaType)}`
  const odd = layers.find((layer) => !LAYER.test(layer.mediaType))
  if (odd === undefined) return undefined
  return (
    ARTIFACT_LAYERS.get(odd.mediaType) ??
    `an artifact with content of the type ${JSON.stringify(odd.mediaType)}`
  )
}

/** Those that are text: an image with others is an image all the same. */
function annotationsOf({ annotations }: z.infer<typeof documentSchema>): Pick<ImageIndex, 'annotations'> {
  if (typeof annotations !== 'object' || annotations === null) return {}
  const texts = Object.entries(annotations).filter(([, value]) => typeof value === 'string')
  return texts.length === 0 ? {} : { annotations: Object.fromEntries(texts) }
}

function readImage(document: z.infer<typeof documentSchema>, mediaType: string): ImageManifest {
  requireAtMost(document.layers, MAX_LAYERS, 'layers')
  const parsed = read(imageSchema, document)
  const config = toDescriptor(parsed.config)
  const layers = parsed.layers.map(toDescriptor)
  const artifact = artifactOf(config, layers, document.artifactType ?? undefined)
  if (artifact !== undefined) throw notAnImage(artifact)
  requireSha256(config.digest, 'the config')
  for (const [i, layer] of layers.entries()) requireSha256(layer.digest, `layer ${i}`)
  return { kind: 'image', mediaType, config, layers, ...annotationsOf(document) }
}

function readIndex(document: z.infer<typeof documentSchema>, mediaType: string): ImageIndex {
  requireAtMost(document.manifests, MAX_MANIFESTS, 'manifests')
  const manifests = read(indexSchema, document).manifests.map(toDescriptor)
  return { kind: 'index', mediaType, manifests, ...annotationsOf(document) }
}

/** The document's own type wins over the registry's; if neither helps, its shape decides. */
function typeOf(document: z.infer<typeof documentSchema>, declared: string | undefined): string {
  if (document.mediaType) return document.mediaType
  if (declared !== undefined && (MANIFEST_MEDIA_TYPES.includes(declared) || SCHEMA_1.test(declared)))
    return declared
  return document.manifests === undefined ? OCI_MANIFEST : OCI_INDEX
}

/** An encrypted layer (`…+encrypted` in ocicrypt) cannot be read without its key. */
export function isEncrypted(layer: Descriptor): boolean {
  return layer.mediaType.endsWith('+encrypted')
}

/** Four times what the largest manifests need: parsed within some 20 ms, in the thread that answers. */
const MAX_PARTS = 100_000

/**
 * @param mediaType from the registry, without parameters; the document's own wins
 * @throws Problem `not_an_image` for artifacts, charts, attestations and schema 1, saying which; `invalid_image` for
 * anything that is not a manifest; `unsupported_digest`; `too_large` for too many layers, manifests or values. All are permanent,
 * since they depend only on the bytes.
 */
export function parseManifest(bytes: Uint8Array, mediaType?: string): ImageManifest | ImageIndex {
  if (hasMoreParts(bytes, MAX_PARTS)) {
    throw new Problem('too_large', `the manifest has more than ${MAX_PARTS} values`, { permanent: true })
  }
  const json = parseJson(bytes)
  if (json === undefined) throw invalid('the manifest is not JSON')
  const document = read(documentSchema, json)
  const type = typeOf(document, mediaType)
  if (document.schemaVersion === 1 || SCHEMA_1.test(type)) throw notAnImage('a manifest of the old schema 1')
  const { schemaVersion } = document
  if (isThere(schemaVersion) && schemaVersion !== 2)
    throw invalid(`the manifest has the schemaVersion ${schemaVersion}, not 2`)
  const image = isThere(document.config) || isThere(document.layers)
  // A document that can be read as either can show different images to different tools (CVE-2021-41190).
  if (image && isThere(document.manifests))
    throw invalid('the manifest has both layers and manifests: it is an image and an index at once')
  if (type === OCI_INDEX || type === DOCKER_LIST) {
    if (image) throw invalid(`the manifest is an image, but its mediaType is ${JSON.stringify(type)}`)
    return readIndex(document, type)
  }
  if (type === OCI_MANIFEST || type === DOCKER_MANIFEST) {
    if (isThere(document.manifests))
      throw invalid(`the manifest is an index, but its mediaType is ${JSON.stringify(type)}`)
    return readImage(document, type)
  }
  throw notAnImage(`a document of type ${JSON.stringify(type)}`)
}
