/**
 * Chooses the image that a reference means, by platform, from an index and the indexes nested in it. Sources: OCI
 * image-spec v1.1 `image-index.md`; containerd `core/images/image.go`, which searches in the same order.
 */
import { allOf } from '../concurrency.ts'
import { Problem, type ProblemCode } from '../problem.ts'
import { type ImageConfig, parseConfig } from './config.ts'
import { requireSha256 } from './digest.ts'
import { manifestFigures } from './figures.ts'
import {
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  MANIFEST_MEDIA_TYPES,
  parseManifest,
} from './manifest.ts'
import { formatPlatform, normalisePlatform, type Platform, rankPlatform } from './platform.ts'

/** Reads what an index or a manifest names, and verifies the bytes. */
export type ReadDescriptor = (descriptor: Descriptor, kind: 'manifest' | 'config') => Promise<Uint8Array>

export type SelectionSource = {
  /** The image or index that the reference names. */
  readonly top: {
    readonly digest: string
    readonly bytes: Uint8Array
    /** From the registry. */
    readonly mediaType?: string | undefined
  }
  readonly read: ReadDescriptor
  /** Whether an entry of the index is present: an archive may hold only some of them. */
  readonly has?: ((digest: string) => boolean) | undefined
}

export type ManifestSelection = {
  readonly digest: string
  readonly manifest: ImageManifest
  readonly bytes: Uint8Array
  /** Digest of the index, if the reference names one. */
  readonly indexDigest?: string | undefined
  /** From the index, which wins over the config; undefined if neither has it. */
  readonly platform?: Platform
  /** The config, if it was read to find the platform. */
  readonly readConfig?: ReadConfig
}

export type ImageSelection = ManifestSelection & {
  readonly config: ImageConfig
  readonly configBytes: Uint8Array
  readonly platform: Platform
}

type ReadConfig = { readonly config: ImageConfig; readonly bytes: Uint8Array }
/** A selection whose platform comes from the config. */
type Judged = ManifestSelection & { readonly platform: Platform }

export type OfferedPlatform = {
  readonly platform: Platform
  readonly digest: string
  /** Sum of the layers' blobs. */
  readonly compressedBytes: number
}

const DEFAULT: Platform = { os: 'linux', architecture: 'amd64' }
const UNKNOWN = 'unknown'

const MAX_DEPTH = 5
/** Limit on manifests and configs read for one reference. */
const MAX_READS = 256
/** Manifests read in parallel to list platforms. */
const CONCURRENCY = 4
/** How many platforms a problem lists. */
const MAX_LISTED = 50

function platformNotFound(wanted: Platform, offered: readonly Platform[]): Problem {
  const platforms = [...new Set(offered.map(formatPlatform))].slice(0, MAX_LISTED)
  const there = platforms.length === 0 ? 'it offers no platform' : `it offers ${platforms.join(', ')}`
  return new Problem(
    'platform_not_found',
    `the image is not available for ${formatPlatform(wanted)}; ${there}`,
    {
      platforms,
    },
  )
}

/** BuildKit stores attestations in the index, next to their images. */
export function isAttestation({ annotations, platform }: Descriptor): boolean {
  return (
    annotations?.['vnd.docker.reference.type'] !== undefined ||
    (platform?.os === UNKNOWN && platform.architecture === UNKNOWN)
  )
}

/** Whether an index entry can be an image, or lead to one. */
export function isCandidate(entry: Descriptor): boolean {
  if (isAttestation(entry)) return false
  if (entry.artifactType !== undefined && entry.platform === undefined) return false
  return entry.mediaType === '' || MANIFEST_MEDIA_TYPES.includes(entry.mediaType)
}

function platformOfEntry({ platform }: Descriptor): Platform | undefined {
  if (!platform?.os || !platform.architecture) return undefined
  return normalisePlatform(platform.os, platform.architecture, platform.variant)
}

function platformOfConfig({ os, architecture, variant }: ImageConfig): Platform {
  return normalisePlatform(os, architecture, variant)
}

const isProblem = (error: unknown, ...codes: readonly ProblemCode[]) =>
  error instanceof Problem && codes.includes(error.code)

type Manifest = {
  readonly digest: string
  readonly bytes: Uint8Array
  readonly parsed: ImageManifest | ImageIndex
}
type ImageOnly = Manifest & { readonly parsed: ImageManifest }

const isImage = (manifest: Manifest): manifest is ImageOnly => manifest.parsed.kind === 'image'

function selectionOf({ digest, bytes, parsed: manifest }: ImageOnly, platform: Platform): Judged {
  return { digest, manifest, bytes, platform }
}

/** Reads manifests and configs up to a limit, and checks their sizes. */
class Reader {
  readonly #read: ReadDescriptor
  readonly #has: (digest: string) => boolean
  #reads = 0

  constructor({ read, has = () => true }: Pick<SelectionSource, 'read' | 'has'>) {
    this.#read = read
    this.#has = has
  }

  /** The entries of an index that are present and can be an image or lead to one. */
  candidates(index: ImageIndex): readonly Descriptor[] {
    return index.manifests.filter((entry) => isCandidate(entry) && this.#has(entry.digest))
  }

  async manifest(descriptor: Descriptor): Promise<Manifest> {
    const bytes = await this.#checked(descriptor, 'manifest')
    return { digest: descriptor.digest, bytes, parsed: parseManifest(bytes, descriptor.mediaType) }
  }

  /** Undefined for an artifact that is not an image; an index may hold both. */
  async manifestOfImage(descriptor: Descriptor): Promise<Manifest | undefined> {
    try {
      return await this.manifest(descriptor)
    } catch (error) {
      if (isProblem(error, 'not_an_image')) return undefined
      throw error
    }
  }

  async config(descriptor: Descriptor): Promise<ReadConfig> {
    const bytes = await this.#checked(descriptor, 'config')
    return { config: parseConfig(bytes), bytes }
  }

  /** The image with the platform from its config. */
  async judge({ digest, bytes, parsed: manifest }: ImageOnly): Promise<Judged> {
    const readConfig = await this.config(manifest.config)
    return { digest, manifest, bytes, readConfig, platform: platformOfConfig(readConfig.config) }
  }

  async #checked(descriptor: Descriptor, kind: 'manifest' | 'config'): Promise<Uint8Array> {
    requireSha256(descriptor.digest, `a ${kind}`)
    this.#reads++
    if (this.#reads > MAX_READS)
      throw new Problem('too_large', `reading the index needs more than ${MAX_READS} manifests and configs`, {
        permanent: true,
      })
    const bytes = await this.#read(descriptor, kind)
    if (bytes.byteLength !== descriptor.size)
      throw new Problem(
        'invalid_image',
        `the ${kind} ${descriptor.digest} has ${bytes.byteLength} bytes, but its descriptor says ${descriptor.size}`,
        { permanent: true },
      )
    return bytes
  }
}

function requireDepth(depth: number): void {
  if (depth > MAX_DEPTH)
    throw new Problem('too_large', `indexes are nested more than ${MAX_DEPTH} levels deep`, {
      permanent: true,
    })
}

/** The search for one platform through an index and those nested in it. */
class Search {
  /** All platforms found, for the error message. */
  readonly offered: Platform[] = []
  readonly #wanted: Platform
  readonly #reader: Reader

  constructor(wanted: Platform, reader: Reader) {
    this.#wanted = wanted
    this.#reader = reader
  }

  /** Entries with a platform come first, best match first; then those that must be opened to find theirs. */
  async find(index: ImageIndex, depth: number): Promise<Judged | undefined> {
    requireDepth(depth)
    const entries = this.#reader.candidates(index)
    return (await this.#findNamed(entries, depth)) ?? (await this.#findUnnamed(entries, depth))
  }

  async #findNamed(entries: readonly Descriptor[], depth: number): Promise<Judged | undefined> {
    const matches: { entry: Descriptor; platform: Platform; rank: number }[] = []
    for (const entry of entries) {
      const platform = platformOfEntry(entry)
      if (platform === undefined) continue
      this.offered.push(platform)
      const rank = rankPlatform(this.#wanted, platform)
      if (rank !== undefined) matches.push({ entry, platform, rank })
    }
    matches.sort((a, b) => a.rank - b.rank)
    for (const { entry, platform } of matches) {
      const manifest = await this.#reader.manifest(entry)
      if (isImage(manifest)) return selectionOf(manifest, platform)
      const found = await this.#findIn(manifest, depth)
      if (found !== undefined) return found
    }
    return undefined
  }

  async #findUnnamed(entries: readonly Descriptor[], depth: number): Promise<Judged | undefined> {
    let best: { selection: Judged; rank: number } | undefined
    for (const entry of entries) {
      if (platformOfEntry(entry) !== undefined) continue
      const manifest = await this.#reader.manifestOfImage(entry)
      if (manifest === undefined) continue
      const selection = isImage(manifest) ? await this.#judge(manifest) : await this.#findIn(manifest, depth)
      if (selection === undefined) continue
      const rank = rankPlatform(this.#wanted, selection.platform) ?? Number.POSITIVE_INFINITY
      if (rank === 0) return selection
      if (best === undefined || rank < best.rank) best = { selection, rank }
    }
    return best?.selection
  }

  /** The image, if its config names the requested platform. */
  async #judge(manifest: ImageOnly): Promise<Judged | undefined> {
    const selection = await this.#reader.judge(manifest)
    this.offered.push(selection.platform)
    return rankPlatform(this.#wanted, selection.platform) === undefined ? undefined : selection
  }

  async #findIn(manifest: Manifest, depth: number): Promise<Judged | undefined> {
    return manifest.parsed.kind === 'index' ? this.find(manifest.parsed, depth + 1) : undefined
  }
}

async function offerOf(
  manifest: ImageOnly,
  named: Platform | undefined,
  reader: Reader,
): Promise<OfferedPlatform> {
  return {
    platform: named ?? (await reader.judge(manifest)).platform,
    digest: manifest.digest,
    compressedBytes: manifestFigures(manifest.parsed).compressedBytes,
  }
}

async function offersOf(
  entry: Descriptor,
  reader: Reader,
  depth: number,
): Promise<readonly OfferedPlatform[]> {
  try {
    const manifest = await reader.manifestOfImage(entry)
    if (manifest === undefined) return []
    if (manifest.parsed.kind === 'index') return await offersIn(manifest.parsed, reader, depth + 1)
    return isImage(manifest) ? [await offerOf(manifest, platformOfEntry(entry), reader)] : []
  } catch (error) {
    // A mirror may hold only some of the platforms; it offers no others.
    if (isProblem(error, 'image_not_found')) return []
    throw error
  }
}

async function offersIn(
  index: ImageIndex,
  reader: Reader,
  depth: number,
): Promise<readonly OfferedPlatform[]> {
  requireDepth(depth)
  const entries = reader.candidates(index)
  const offers: OfferedPlatform[] = []
  for (let i = 0; i < entries.length; i += CONCURRENCY) {
    const some = entries.slice(i, i + CONCURRENCY)
    offers.push(...(await allOf(some.map((entry) => offersOf(entry, reader, depth)))).flat())
  }
  return offers
}

function openTop({ digest, bytes, mediaType }: SelectionSource['top']): Manifest {
  return { digest, bytes, parsed: parseManifest(bytes, mediaType) }
}

/**
 * All images that a reference offers, in the order of its index; nested indexes are expanded in place.
 *
 * @throws Problem as {@link selectImage}, but never `platform_not_found`
 */
export async function listPlatforms(source: SelectionSource): Promise<readonly OfferedPlatform[]> {
  const reader = new Reader(source)
  const top = openTop(source.top)
  if (isImage(top)) return [await offerOf(top, undefined, reader)]
  return top.parsed.kind === 'index' ? offersIn(top.parsed, reader, 1) : []
}

/** @param platform undefined means `linux/amd64` of an index, and any platform of a single image */
type SelectionRequest = SelectionSource & { readonly platform: Platform | undefined }

/**
 * The manifest of the one image that a reference means. Its config is read only if nothing else tells the platform.
 *
 * @throws Problem `platform_not_found` with the available platforms; `not_an_image`, `invalid_image`,
 * `unsupported_digest`, `too_large` for the bytes; what `read` throws
 */
export async function selectManifest(request: SelectionRequest): Promise<ManifestSelection> {
  return findManifest(openTop(request.top), request.platform, new Reader(request))
}

/**
 * The one image that a reference means.
 *
 * @throws Problem as {@link selectManifest}
 */
export async function selectImage(request: SelectionRequest): Promise<ImageSelection> {
  const reader = new Reader(request)
  const selected = await findManifest(openTop(request.top), request.platform, reader)
  const { config, bytes } = selected.readConfig ?? (await reader.config(selected.manifest.config))
  return {
    ...selected,
    config,
    configBytes: bytes,
    platform: selected.platform ?? platformOfConfig(config),
  }
}

async function findManifest(
  top: Manifest,
  platform: Platform | undefined,
  reader: Reader,
): Promise<ManifestSelection> {
  if (isImage(top)) {
    if (platform === undefined) return { digest: top.digest, manifest: top.parsed, bytes: top.bytes }
    const selection = await reader.judge(top)
    if (rankPlatform(platform, selection.platform) === undefined)
      throw platformNotFound(platform, [selection.platform])
    return selection
  }
  const wanted = platform ?? DEFAULT
  const search = new Search(wanted, reader)
  const found = top.parsed.kind === 'index' ? await search.find(top.parsed, 1) : undefined
  if (found === undefined) throw platformNotFound(wanted, search.offered)
  return { ...found, indexDigest: top.digest }
}
