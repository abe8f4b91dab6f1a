/**
 * The use cases, independent of HTTP: open an image, analyse it, list, compare, check. This file opens the image that a
 * reference names: resolves it at its registry with the caller's credentials, then reads it from wherever the caller may.
 */

import type { Cache } from '../cache.ts'
import { type AnalysedFacts, readStoredImage } from '../image/image.ts'
import type { ImageIdentity } from '../image/report.ts'
import { tocImageName } from '../index/keys.ts'
import type { ImageConfig } from '../oci/config.ts'
import type { Credential } from '../oci/credential.ts'
import {
  formatImageReference,
  type ImageReference,
  nameIn,
  parseImageReference,
} from '../oci/image-reference.ts'
import type { ImageManifest } from '../oci/manifest.ts'
import { formatPlatform, parsePlatform } from '../oci/platform.ts'
import {
  type ImageSelection,
  type ManifestSelection,
  type SelectionSource,
  selectImage,
  selectManifest,
} from '../oci/select.ts'
import type { SourceRef } from '../oci/source-ref.ts'
import { Problem } from '../problem.ts'
import { type TimeLimit, within } from '../timeout.ts'
import { openSource } from './open-source.ts'
import type { Service } from './service.ts'
import type { VisibleSource } from './visible-source.ts'

/** `toc`: from the tables of contents, for layers that have one. */
export type Reading = 'full' | 'toc'

/** The caller's credentials, by registry. */
export type CallerCredentials = { for(registry: string): Credential | undefined }

export type ImageRequest = {
  readonly reference: string
  /** `os/arch[/variant]`; `linux/amd64` by default, if an index offers a choice. */
  readonly platform?: string | undefined
  readonly credentials: CallerCredentials
  readonly signal?: AbortSignal | undefined
}

type PlainLayer = {
  /** The lowest layer that is stored uncompressed, though a push would compress it. */
  readonly plainLayer?: number
}

export type OpenedManifest = PlainLayer & { readonly manifest: ImageManifest }

export type OpenedImage = PlainLayer & {
  readonly reference: ImageReference
  readonly identity: ImageIdentity
  /** The name of its index: the manifest's digest, unless layers are known from tables of contents. */
  readonly index: string
  readonly read: Reading
  readonly manifest: ImageManifest
  readonly config: ImageConfig
  readonly configBytes: Uint8Array
  /** Where it is, as its caller sees it. */
  readonly source: VisibleSource
  /** Time of the request, in milliseconds since 1970; the deadline counts from it. */
  readonly askedAt: number
  /** Call this if stored data turns out to be incomplete: the facts are then read from the store again. */
  readonly forgetFacts: () => void
  /** What is stored under the name of one of its indexes: remembered, and shown to nobody who may not see the image. */
  readonly analysed: (index: string) => Promise<AnalysedFacts | undefined>
}

/** Time limit for opening an image, with all its requests. */
const OPENING_MILLISECONDS = 58_000
/**
 * An engine must save an image before anything is known about it, and stdin must end. Both continue after the limit, for the
 * next request.
 */
const SAVING_MILLISECONDS = 300_000

type Select<T> = (options: Parameters<typeof selectManifest>[0]) => Promise<T>

/** What a reference resolves to now, from which an image is selected. */
export type ResolvedReference = {
  readonly digest: string
  /** No registry knows the digest: see `ResolvedManifest`. */
  readonly isListing: boolean
  selection(): Promise<SelectionSource>
}

/** @throws Problem as {@link openImage} */
export async function resolveFor(
  source: VisibleSource,
  reference: ImageReference,
): Promise<ResolvedReference> {
  const name = nameIn(reference)
  const { digest, bytes, isListing = false } = await source.resolve(name)
  const { parts } = source
  return {
    digest,
    isListing,
    selection: async () => ({
      top: { digest, bytes: isListing && bytes ? bytes : await source.manifest(digest, name) },
      read: (descriptor, kind) => source.read(descriptor, kind),
      ...(parts === undefined ? {} : { has: (entry) => parts.has(entry) }),
    }),
  }
}

/** The parts of the request that `select` reads. */
async function selectFor<T extends ManifestSelection>(
  source: VisibleSource,
  { reference, platform }: { readonly reference: ImageReference; readonly platform: string | undefined },
  { select, cache }: { readonly select: Select<T>; readonly cache: Cache<T> },
): Promise<T> {
  const { digest, isListing, ...resolved } = await resolveFor(source, reference)
  const key = `${source.scope} ${digest} ${platform ?? ''}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const selected = await select({
    ...(await resolved.selection()),
    platform: platform === undefined ? undefined : parsePlatform(platform),
  })
  const kept = isListing ? { ...selected, indexDigest: undefined } : selected
  cache.set(key, kept)
  return kept
}

/** Opens within the time limit, and adds the requested reference to every problem. */
async function opening<T>(
  service: Service,
  request: ImageRequest,
  open: (source: VisibleSource, reference: ImageReference) => Promise<T>,
): Promise<T> {
  const reference = parseImageReference(request.reference)
  const limit = { ...deadlineOf(reference), signal: request.signal }
  try {
    return await within(limit, (signal) =>
      open(openSource(service, refOf(reference, request.credentials), signal), reference),
    )
  } catch (error) {
    throw error instanceof Problem ? error.with({ image: request.reference }) : error
  }
}

function deadlineOf(reference: ImageReference): TimeLimit {
  const name = formatImageReference(reference)
  if (reference.transport === 'docker-daemon')
    return {
      milliseconds: SAVING_MILLISECONDS,
      error: () =>
        new Problem('analysis_pending', `the engine is still saving ${name}; try again`, { retryAfter: 5 }),
    }
  if (reference.transport !== 'docker' && reference.transport !== 'upload')
    return {
      milliseconds: SAVING_MILLISECONDS,
      error: () =>
        new Problem('analysis_pending', `${name} is still being read; try again`, { retryAfter: 1 }),
    }
  const seconds = OPENING_MILLISECONDS / 1000
  return {
    milliseconds: OPENING_MILLISECONDS,
    error: () =>
      new Problem(
        'registry_timeout',
        `could not open ${name}: it took longer than ${seconds} s; try again later`,
      ),
  }
}

/** Where a reference points, for a caller with these credentials. */
export function refOf(reference: ImageReference, credentials: CallerCredentials): SourceRef {
  switch (reference.transport) {
    case 'docker': {
      const { registry, repository } = reference
      const credential = credentials.for(registry)
      return { kind: 'registry', registry, repository, ...(credential ? { credential } : {}) }
    }
    case 'upload':
      return { kind: 'upload', id: reference.id }
    case 'docker-daemon':
      return { kind: 'docker-daemon', name: reference.name }
    default:
      return { kind: 'file', transport: reference.transport, path: reference.path }
  }
}

function repositoryOf(reference: ImageReference): Pick<ImageIdentity, 'registry' | 'repository' | 'tag'> {
  if (reference.transport !== 'docker') return {}
  const { registry, repository, tag } = reference
  return { registry, repository, ...(tag === undefined ? {} : { tag }) }
}

function identify(reference: ImageReference, selected: ImageSelection): ImageIdentity {
  const { config, manifest } = selected
  return {
    transport: reference.transport,
    reference: formatImageReference(reference),
    ...repositoryOf(reference),
    digest: selected.digest,
    id: manifest.config.digest,
    ...(selected.indexDigest === undefined ? {} : { indexDigest: selected.indexDigest }),
    platform: formatPlatform(selected.platform),
    mediaType: manifest.mediaType,
    ...(config.created === undefined ? {} : { created: config.created }),
    os: config.os,
    architecture: config.architecture,
    ...(config.variant === undefined ? {} : { variant: config.variant }),
  }
}

/**
 * The manifest alone. No config is read, unless the requested platform cannot be determined without it.
 *
 * @throws Problem as {@link openImage}
 */
export async function openManifest(service: Service, request: ImageRequest): Promise<OpenedManifest> {
  return opening(service, request, async (source, reference) => {
    const asked = { reference, platform: request.platform }
    const selection = { select: selectManifest, cache: service.memory.manifests }
    const { manifest } = await selectFor(source, asked, selection)
    return { manifest, ...plainLayerOf(source, manifest) }
  })
}

/**
 * @throws Problem if the image cannot be opened: `invalid_reference`, `forbidden_registry`, `unauthorized`, `image_not_found`,
 *   `platform_not_found`, `not_an_image`, `invalid_image`, `registry_error`, …
 */
export async function openImage(service: Service, request: ImageRequest): Promise<OpenedImage> {
  const askedAt = Date.now()
  return opening(service, request, async (source, reference) => {
    const asked = { reference, platform: request.platform }
    const selected = await selectFor(source, asked, { select: selectImage, cache: service.memory.images })
    return {
      reference,
      identity: identify(reference, selected),
      index: selected.digest,
      read: 'full',
      manifest: selected.manifest,
      config: selected.config,
      configBytes: selected.configBytes,
      source,
      askedAt,
      analysed: (index) => readAnalysed(service, index),
      forgetFacts: () => {
        for (const index of [selected.digest, tocImageName(selected.digest)]) {
          service.memory.facts.delete(index)
          service.onForgotten?.(index)
        }
      },
      ...plainLayerOf(source, selected.manifest),
    }
  })
}

async function readAnalysed({ host, memory }: Service, index: string): Promise<AnalysedFacts | undefined> {
  const known = memory.facts.get(index)
  if (known !== undefined) return known
  const stored = await readStoredImage(host.store, index)
  return stored === undefined || 'failure' in stored ? undefined : stored
}

/** @throws Problem `not_compressed` if a layer is stored uncompressed and only a push would compress it */
export function requireCompressed(reference: string, { plainLayer }: PlainLayer): void {
  if (plainLayer === undefined) return
  throw new Problem(
    'not_compressed',
    `layer ${plainLayer} is stored uncompressed, so the size to pull is not known: use maxSize or maxGrowth, or an archive with compressed layers`,
    { image: reference, layer: plainLayer },
  )
}

function plainLayerOf({ parts }: VisibleSource, { layers }: ImageManifest): PlainLayer {
  const plainLayer = layers.findIndex(({ digest }) => parts?.isStoredPlain(digest))
  return plainLayer < 0 ? {} : { plainLayer }
}
