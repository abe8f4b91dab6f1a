/** From a reference to one image: asked at its registry with the asker's credentials, then read from wherever that allows. */
import type { Host } from '../host.ts'
import type { ImageIdentity } from '../image/report.ts'
import { Problem } from '../problem.ts'
import { formatReference, parseReference, type Reference } from '../reference.ts'
import type { RegistryClient } from '../registry/client.ts'
import type { ImageConfig } from '../registry/config.ts'
import type { Credential } from '../registry/credentials.ts'
import type { Descriptor, ImageManifest } from '../registry/manifest.ts'
import { formatPlatform, parsePlatform } from '../registry/platform.ts'
import { type ImageSelection, selectImage } from '../registry/select.ts'
import { Access, type Memory } from './access.ts'
import { Cache } from './cache.ts'

/** What a service is made of: a host, the one client of its registries, and what is remembered between requests. */
export type Service = {
  readonly host: Host
  readonly client: RegistryClient
  readonly memory: Memory
}

/** What the asker presents, by registry. */
export type AskerCredentials = { for(registry: string): Credential | undefined }

export type ImageRequest = {
  readonly reference: string
  /** `os/arch[/variant]`; `linux/amd64` where an index has to be chosen from and none is asked for. */
  readonly platform?: string | undefined
  readonly credentials: AskerCredentials
  readonly signal?: AbortSignal | undefined
}

export type OpenedImage = {
  readonly reference: Reference
  readonly identity: ImageIdentity
  readonly manifest: ImageManifest
  readonly config: ImageConfig
  readonly configBytes: Uint8Array
  /** The registry gave it without credentials. */
  readonly isPublic: boolean
  readonly access: Access
}

/** Selections by the digest asked for: immutable, and shown only after the registry has confirmed that digest. */
const selections = new Cache<ImageSelection>({ entries: 200, milliseconds: 60_000 })

/** Selects again where a manifest on the way is no longer the asker's to see. */
async function select(access: Access, digest: string, platform: string | undefined): Promise<ImageSelection> {
  const key = `${access.scope} ${digest} ${platform ?? ''}`
  const known = selections.get(key)
  if (known !== undefined) return known
  const selected = await selectImage({
    top: { digest, bytes: await access.manifest(digest) },
    platform: platform === undefined ? undefined : parsePlatform(platform),
    read: (descriptor: Descriptor, kind) =>
      kind === 'manifest' ? access.manifest(descriptor.digest) : access.config(descriptor),
  })
  selections.set(key, selected)
  return selected
}

function identify(reference: Reference, selected: ImageSelection): ImageIdentity {
  const { config, manifest } = selected
  return {
    reference: formatReference(reference),
    registry: reference.registry,
    repository: reference.repository,
    ...(reference.tag === undefined ? {} : { tag: reference.tag }),
    digest: selected.digest,
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
 * @throws Problem whatever stands between the asker and the image: `invalid_reference`, `forbidden_registry`,
 * `unauthorized`, `image_not_found`, `platform_not_found`, `not_an_image`, `invalid_image`, `registry_error`, …
 */
export async function openImage(service: Service, request: ImageRequest): Promise<OpenedImage> {
  const reference = parseReference(request.reference)
  const credential = request.credentials.for(reference.registry)
  const access = new Access(service, reference, credential, request.signal)
  try {
    const { digest } = await access.resolve(reference.digest ?? reference.tag ?? 'latest')
    const selected = await select(access, digest, request.platform)
    return {
      reference,
      identity: identify(reference, selected),
      manifest: selected.manifest,
      config: selected.config,
      configBytes: selected.configBytes,
      isPublic: credential === undefined,
      access,
    }
  } catch (error) {
    throw error instanceof Problem ? error.with({ image: request.reference }) : error
  }
}
