/**
 * What an archive's members say of images: an OCI image layout (`oci-layout`, `index.json`, `blobs/`) or Docker's
 * (`manifest.json`). Where both are there the first wins, and the second only adds names.
 * Sources: OCI image-spec v1.1 `image-layout.md`; moby `image/tarexport`; containers/image `docker/internal/tarfile`.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { WorkBudget } from '../../concurrency.ts'
import { type Artifact, parseArtifact } from '../../oci/artifact.ts'
import { compressionOf } from '../../oci/compression.ts'
import { type ImageConfig, parseConfig, requireDiffIds } from '../../oci/config.ts'
import { digestOf, requireSha256 } from '../../oci/digest.ts'
import { type Descriptor, type ImageManifest, parseManifest } from '../../oci/manifest.ts'
import { normalisePlatform } from '../../oci/platform.ts'
import { isAttestation, isCandidate } from '../../oci/select.ts'
import { Problem } from '../../problem.ts'
import type { ArchiveBlob, ArchiveEntry, ArchiveImage, ArchiveIndex } from './archive-index.ts'
import { asArchiveFault, invalidArchive, quoted } from './fault.ts'
import { type Content, contentDigest, type Members, type StoredFile } from './members.ts'
import { type RangeReader, readBytes } from './range-reader.ts'

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024
const MAX_CONFIG_BYTES = 8 * 1024 * 1024
/** Limits on indexes, manifests and configs: how many, and their bytes together. */
const MAX_DOCUMENTS = 2_000
const MAX_DOCUMENTS_BYTES = 64 * 1024 * 1024
const MAX_DEPTH = 5
const MAX_IMAGES = 1_000
/** Limits on the names of all images: how many, their length, and how often an image has one or is below one. */
const MAX_NAMES = 1_000
const MAX_NAME_LENGTH = 512
const MAX_NAMINGS = 10_000
/** Layers of all images for which a manifest must be made. */
const MAX_MADE_LAYERS = 20_000

/** Attestations: how many, the bytes of the manifest of each, and its statements. */
const MAX_ATTESTATIONS = 200
const MAX_ATTESTATION_BYTES = 256 * 1024
const MAX_STATEMENTS = 64

/** What the manifest of one image costs, as bytes of {@link WorkBudget}. */
const IMAGE_WORK = 1024 * 1024

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json'
/** As in skopeo, however the layer is stored. */
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip'

const layoutSchema = z.object({ imageLayoutVersion: z.string() })

const dockerSchema = z
  .array(
    z.object({
      Config: z.string(),
      RepoTags: z.array(z.string()).max(MAX_NAMES).nullish(),
      Layers: z.array(z.string()).max(1_024).nullish(),
    }),
  )
  .min(1)
  .max(MAX_IMAGES)
type DockerImage = z.infer<typeof dockerSchema>[number]

const CONTAINERD_NAME = 'io.containerd.image.name'
const REFERENCE_NAME = 'org.opencontainers.image.ref.name'
/** Objects that tools identify by digest. */
const NAMED_BY_DIGEST = /(?:^|\/)(?:sha256:)?([0-9a-f]{64})(?:\.json)?$/

/**
 * @param members of the archive; if it was read completely, each blob is verified here, else when it is read
 * @throws Problem `invalid_archive`, `too_large`, `unsupported_digest`
 */
export async function readLayout(members: Members, reader: RangeReader): Promise<ArchiveIndex> {
  try {
    return await new LayoutReader(members, reader).read()
  } catch (error) {
    const isNoImage = error instanceof Problem && error.code === 'not_an_image'
    throw isNoImage ? invalidArchive(error.message) : asArchiveFault(error)
  }
}

class LayoutReader {
  readonly #members: Members
  readonly #reader: RangeReader
  readonly #entries = new Map<string, NamedEntry>()
  readonly #indexes = new Set<string>()
  readonly #images = new Map<string, ArchiveImage>()
  readonly #blobs = new Map<string, ArchiveBlob>()
  readonly #made = new Map<string, string>()
  /** To which images each index leads. */
  readonly #walked = new Map<string, string[]>()
  readonly #contents = new Map<StoredFile, Content>()
  readonly #work = new WorkBudget()
  #names = 0
  #namings = 0
  #madeLayers = 0
  #attestations = 0
  #documents = 0
  #documentBytes = 0
  /** What the archive holds instead of images, for the error message. */
  #artifact: Problem | undefined

  constructor(members: Members, reader: RangeReader) {
    this.#members = members
    this.#reader = reader
  }

  async read(): Promise<ArchiveIndex> {
    const layout = this.#members.find('oci-layout')
    const docker = this.#members.find('manifest.json')
    if (layout !== undefined && this.#members.find('index.json') !== undefined) {
      await this.#readOci(layout)
      if (docker !== undefined) await this.#addNames(docker)
    } else if (docker !== undefined) {
      await this.#readDocker(docker)
    } else {
      throw invalidArchive(
        'this is not an image archive: it has neither `oci-layout` with `index.json` nor `manifest.json` (Docker before 1.10 wrote neither)',
      )
    }
    if (this.#images.size === 0) throw this.#artifact ?? invalidArchive('it contains no image')
    return {
      entries: [...this.#entries.values()].filter((entry) => entry.images.length > 0).map(listedEntry),
      indexes: [...this.#indexes],
      images: [...this.#images.values()],
      blobs: [...this.#blobs.values()],
      made: [...this.#made.values()],
    }
  }

  async #readOci(layout: StoredFile): Promise<void> {
    const { imageLayoutVersion } = await this.#document(layout, 'oci-layout', layoutSchema)
    if (!/^1\./.test(imageLayoutVersion))
      throw invalidArchive('the version of its layout is not 1.x', 'oci-layout')
    const bytes = await this.#bytes(this.#require('index.json'), 'index.json', MAX_MANIFEST_BYTES)
    const top = parseManifest(bytes)
    if (top.kind !== 'index') throw invalidArchive('it is not an image index', 'index.json')
    for (const descriptor of top.manifests) {
      const images = await this.#walk(descriptor, 1)
      const { annotations = {}, digest, mediaType, size } = descriptor
      this.#addEntry({
        digest,
        mediaType,
        size,
        names: present(annotations[CONTAINERD_NAME]),
        tags: present(annotations[REFERENCE_NAME]),
        images,
      })
    }
  }

  /** Digests of the images that a descriptor leads to, without those missing from the archive. */
  async #walk(descriptor: Descriptor, depth: number): Promise<string[]> {
    if (!isCandidate(descriptor)) return []
    if (depth > MAX_DEPTH)
      throw new Problem('too_large', `indexes are nested deeper than the limit of ${MAX_DEPTH}`)
    requireSha256(descriptor.digest, 'a manifest')
    if (this.#images.has(descriptor.digest)) return [descriptor.digest]
    const walked = this.#walked.get(descriptor.digest)
    if (walked !== undefined) return walked
    const name = blobName(descriptor.digest)
    const file = this.#members.find(name)
    if (file === undefined) return []
    await this.#addBlob(descriptor, file)
    const bytes = await this.#bytes(file, name, MAX_MANIFEST_BYTES)
    requireDigest(digestOf(bytes), descriptor.digest, name)
    const manifest = this.#parse(bytes, descriptor)
    if (manifest === undefined) return []
    if (manifest.kind === 'index') {
      this.#indexes.add(descriptor.digest)
      const images = new Set<string>()
      for (const child of manifest.manifests)
        if (isAttestation(child)) await this.#addAttestation(child)
        else for (const image of await this.#walk(child, depth + 1)) images.add(image)
      const list = [...images]
      this.#walked.set(descriptor.digest, list)
      return list
    }
    await this.#addImage(descriptor, manifest)
    return [descriptor.digest]
  }

  /** What BuildKit says about an image. Archives often lack it, and no image is unreadable because of it. */
  async #addAttestation(descriptor: Descriptor): Promise<void> {
    const file = this.#fitting(descriptor)
    if (file === undefined || file.size > MAX_ATTESTATION_BYTES || this.#attestations === MAX_ATTESTATIONS)
      return
    this.#attestations++
    const { offset, size } = file
    const artifact = artifactIn(await readBytes(this.#reader, { offset, length: size }))
    if (artifact === undefined) return
    await this.#addBlob(descriptor, file)
    for (const statement of artifact.layers.slice(0, MAX_STATEMENTS)) {
      const content = this.#fitting(statement)
      if (content !== undefined) await this.#addBlob(statement, content)
    }
  }

  /** Undefined where the archive has something else, or nothing. */
  #fitting({ digest, size }: Descriptor): StoredFile | undefined {
    const file = this.#members.find(blobName(digest))
    if (file?.size !== size) return undefined
    return file.content === undefined || contentDigest(file.content) === digest ? file : undefined
  }

  /** Undefined for an artifact, which may be next to images. */
  #parse(bytes: Uint8Array, { mediaType }: Descriptor): ReturnType<typeof parseManifest> | undefined {
    try {
      return parseManifest(bytes, mediaType)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'not_an_image') throw error
      this.#artifact ??= error
      return undefined
    }
  }

  async #addImage({ digest, size }: Descriptor, manifest: ImageManifest): Promise<void> {
    const { config, layers, mediaType } = manifest
    const configName = blobName(config.digest)
    const configFile = this.#require(configName)
    await this.#addBlob(config, configFile)
    const bytes = await this.#bytes(configFile, configName, MAX_CONFIG_BYTES)
    requireDigest(digestOf(bytes), config.digest, configName)
    for (const layer of layers) {
      // A foreign layer is only at its URLs.
      const file = this.#members.find(blobName(layer.digest))
      if (file === undefined && layer.urls?.length) continue
      await this.#addBlob(layer, file ?? this.#require(blobName(layer.digest)))
    }
    this.#describe({ digest, mediaType, size }, manifest, parseConfig(bytes))
  }

  async #readDocker(file: StoredFile): Promise<void> {
    for (const image of await this.#document(file, 'manifest.json', dockerSchema)) {
      this.#madeLayers += image.Layers?.length ?? 0
      if (this.#madeLayers > MAX_MADE_LAYERS)
        throw new Problem(
          'too_large',
          `the archive's images have more than ${MAX_MADE_LAYERS} layers together`,
        )
      const { manifest, text, config } = await this.#makeManifest(image)
      const digest = digestOf(Buffer.from(text))
      this.#made.set(digest, text)
      const described = { digest, mediaType: DOCKER_MANIFEST, size: Buffer.byteLength(text) }
      this.#describe(described, manifest, config)
      this.#addEntry({ ...described, names: image.RepoTags ?? [], tags: [], images: [digest] })
    }
  }

  /** The manifest that skopeo would make from `manifest.json`. */
  async #makeManifest(image: DockerImage) {
    const { Config: configName, Layers: layerNames } = image
    const configFile = this.#require(configName)
    const bytes = await this.#bytes(configFile, configName, MAX_CONFIG_BYTES)
    const configDigest = digestOf(bytes)
    requireNamedDigest(configName, configDigest)
    this.#blobs.set(configDigest, blobOf(configDigest, configFile, 'none'))
    // The same few bytes may be listed again and again.
    if (this.#work.isDue(IMAGE_WORK)) await this.#work.yield()
    const config = parseConfig(bytes)
    const layers: Descriptor[] = []
    for (const [i, name] of (layerNames ?? []).entries()) {
      const file = this.#require(name)
      const content = await this.#content(file)
      const { compression } = content
      const digest = contentDigest(content)
      if (name.startsWith('blobs/')) requireNamedDigest(name, digest)
      const diffId = config.diffIds[i]
      if (compression === 'none' && diffId !== undefined && diffId !== digest)
        throw invalidArchive(`layer ${i} has the diffId ${digest}, the config says ${diffId}`, name)
      this.#blobs.set(digest, blobOf(digest, file, compression))
      layers.push({ mediaType: DOCKER_LAYER, size: file.size, digest })
    }
    const document = {
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: { mediaType: DOCKER_CONFIG, size: bytes.byteLength, digest: configDigest },
      layers,
    }
    const manifest: ImageManifest = {
      kind: 'image',
      mediaType: DOCKER_MANIFEST,
      config: document.config,
      layers,
    }
    return { manifest, text: JSON.stringify(document), config }
  }

  /** Current versions of `docker save` write both layouts; the requested names are in Docker's. */
  async #addNames(file: StoredFile): Promise<void> {
    const entries = this.#entriesById()
    for (const { Config, RepoTags } of await this.#document(file, 'manifest.json', dockerSchema)) {
      const config = this.#members.find(Config)
      if (config === undefined || !RepoTags?.length) continue
      const id = contentDigest(await this.#content(config))
      const named = entries.get(id) ?? []
      // If several lead to this image, those with their own names keep them.
      const unnamed = named.length === 1 ? named : named.filter((entry) => entry.names.size === 0)
      for (const entry of unnamed) this.#name(entry, entry.names, RepoTags)
    }
  }

  #entriesById(): ReadonlyMap<string, readonly NamedEntry[]> {
    const entries = new Map<string, NamedEntry[]>()
    for (const entry of this.#entries.values())
      for (const id of new Set(entry.images.map((digest) => this.#images.get(digest)?.id ?? ''))) {
        const others = entries.get(id)
        if (others === undefined) entries.set(id, [entry])
        else others.push(entry)
      }
    return entries
  }

  #addEntry({ names, tags, ...described }: ArchiveEntry): void {
    const before = this.#entries.get(described.digest)
    const entry = before ?? { ...described, names: new Set<string>(), tags: new Set<string>() }
    if (before === undefined) {
      this.#entries.set(entry.digest, entry)
      this.#count(entry)
    }
    this.#name(entry, entry.names, names)
    this.#name(entry, entry.tags, tags)
  }

  #name(entry: NamedEntry, names: Set<string>, added: readonly string[]): void {
    for (const name of added) {
      if (names.has(name)) continue
      if (name.length > MAX_NAME_LENGTH)
        throw new Problem(
          'too_large',
          `the image name ${quoted(name)} has ${name.length} characters, more than the limit of ${MAX_NAME_LENGTH}`,
        )
      if (++this.#names > MAX_NAMES)
        throw new Problem('too_large', `the archive has more than ${MAX_NAMES} names of images`)
      this.#count(entry)
      names.add(name)
    }
  }

  /** Each name is listed with each of its images. */
  #count({ images }: NamedEntry): void {
    this.#namings += images.length
    if (this.#namings > MAX_NAMINGS)
      throw new Problem('too_large', `the archive lists and names its images more than ${MAX_NAMINGS} times`)
  }

  #describe(
    described: Pick<ArchiveImage, 'digest' | 'mediaType' | 'size'>,
    manifest: ImageManifest,
    config: ImageConfig,
  ): void {
    requireDiffIds(manifest, config)
    const platform = normalisePlatform(config.os, config.architecture, config.variant)
    const { os, architecture, variant } = platform
    const id = manifest.config.digest
    this.#images.set(described.digest, {
      ...described,
      id,
      os,
      architecture,
      ...(variant ? { variant } : {}),
    })
  }

  async #addBlob({ digest, size }: Descriptor, file: StoredFile): Promise<void> {
    const name = blobName(digest)
    if (this.#blobs.has(digest)) return
    if (file.size !== size)
      throw invalidArchive(`it has ${file.size} bytes, its descriptor says ${size}`, name)
    if (file.content !== undefined) requireDigest(contentDigest(file.content), digest, name)
    this.#blobs.set(
      digest,
      blobOf(digest, file, file.content?.compression ?? (await this.#compression(file))),
    )
  }

  async #compression({ offset, size }: StoredFile): Promise<Content['compression']> {
    return compressionOf(await readBytes(this.#reader, { offset, length: Math.min(size, 4) }))
  }

  /** For a file whose digest is not recorded anywhere. */
  async #content(file: StoredFile): Promise<Content> {
    const known = file.content ?? this.#contents.get(file)
    if (known !== undefined) return known
    const { offset, size } = file
    const hash = createHash('sha256')
    for await (const piece of await this.#reader.read({ offset, length: size })) hash.update(piece)
    const content = { sha256: hash.digest('binary'), compression: await this.#compression(file) }
    this.#contents.set(file, content)
    return content
  }

  #require(name: string): StoredFile {
    const file = this.#members.find(name)
    if (file === undefined) throw invalidArchive('it is listed in the archive, but missing', name)
    return file
  }

  async #document<T>(file: StoredFile, name: string, schema: z.ZodType<T>): Promise<T> {
    const bytes = await this.#bytes(file, name, MAX_MANIFEST_BYTES)
    const parsed = schema.safeParse(jsonOf(bytes, name))
    if (parsed.success) return parsed.data
    const issue = parsed.error.issues[0]
    throw invalidArchive(`${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is malformed'}`.trim(), name)
  }

  async #bytes({ offset, size }: StoredFile, name: string, limit: number): Promise<Uint8Array> {
    this.#documents++
    this.#documentBytes += size
    if (size > limit)
      throw new Problem(
        'too_large',
        `${JSON.stringify(name.slice(0, 120))} has ${size} bytes, more than the limit of ${limit}`,
      )
    if (this.#documents > MAX_DOCUMENTS || this.#documentBytes > MAX_DOCUMENTS_BYTES)
      throw new Problem(
        'too_large',
        `the archive has more manifests and configs than the limit of ${MAX_DOCUMENTS} and ${MAX_DOCUMENTS_BYTES} bytes`,
      )
    return readBytes(this.#reader, { offset, length: size })
  }
}

type NamedEntry = Omit<ArchiveEntry, 'names' | 'tags'> & {
  readonly names: Set<string>
  readonly tags: Set<string>
}

function listedEntry({ names, tags, ...entry }: NamedEntry): ArchiveEntry {
  return { ...entry, names: [...names], tags: [...tags] }
}

function artifactIn(bytes: Uint8Array): Artifact | undefined {
  try {
    return parseArtifact(bytes)
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

function jsonOf(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw invalidArchive('it is not JSON', name)
  }
}

function blobOf(
  digest: string,
  { offset, size }: StoredFile,
  compression: Content['compression'],
): ArchiveBlob {
  return { digest, offset, size, compression }
}

function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

function requireDigest(actual: string, expected: string, name: string): void {
  if (actual !== expected) throw invalidArchive(`its bytes have the digest ${actual}`, name)
}

/** A digest in the name must be that of the bytes. */
function requireNamedDigest(name: string, digest: string): void {
  const named = NAMED_BY_DIGEST.exec(name)?.[1]
  if (named !== undefined) requireDigest(digest, `sha256:${named}`, name)
}

function present(name: string | undefined): string[] {
  return name === undefined || name === '' ? [] : [name]
}
