/**
 * Images for tests, made in memory: members into a tar, tars into layers, layers into an image, images into an index.
 *
 * @example
 * const image = makeImage([await makeLayer([{ name: 'etc/hostname', content: 'here' }])])
 * const registry = await FixtureRegistry.start()
 * const reference = registry.push('app', 'v1', image)
 */
import { createHash } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import type { Descriptor } from '../../src/oci/manifest.ts'

/** A member of a tar: a file unless `type` says otherwise, or its name ends in a slash. */
export type TestMember = Partial<Omit<Header, 'size' | 'pax'>> & {
  readonly name: string
  readonly content?: string | Uint8Array
  /** Records of a PAX header before it: `{ 'SCHILY.xattr.user.note': 'text' }`. */
  readonly pax?: Readonly<Record<string, string>>
}

export type TestDescriptor = Descriptor

export type TestLayer = {
  readonly descriptor: TestDescriptor
  readonly diffId: string
  /** The blob; undefined if the registry should not have it. */
  readonly bytes: Uint8Array | undefined
}

/** What can be pushed: an image's manifest or an index, and all that it leads to. */
export type TestManifest = {
  readonly descriptor: TestDescriptor
  readonly bytes: Uint8Array
  readonly blobs: ReadonlyMap<string, Uint8Array>
  readonly children: readonly TestManifest[]
}

export type TestImage = TestManifest & {
  readonly layers: readonly TestLayer[]
  readonly config: { readonly descriptor: TestDescriptor; readonly bytes: Uint8Array }
}

export type TestPlatform = { readonly os: string; readonly architecture: string; readonly variant?: string }

const OCI = 'application/vnd.oci.image'

const LAYER_TYPES = {
  gzip: `${OCI}.layer.v1.tar+gzip`,
  zstd: `${OCI}.layer.v1.tar+zstd`,
  none: `${OCI}.layer.v1.tar`,
} as const

/** `sha256:<hex>` */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function describe(mediaType: string, bytes: Uint8Array, more: Partial<TestDescriptor> = {}): TestDescriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength, ...more }
}

/** Packs members in the order given; times are 2023-11-14T22:13:20Z unless given. */
export async function packTar(members: readonly TestMember[]): Promise<Uint8Array> {
  const tar = pack()
  for (const { content, ...member } of members) {
    const type = member.type ?? (member.name.endsWith('/') ? 'directory' : 'file')
    const header = { mtime: new Date(1_700_000_000_000), ...member, type } as const
    if (type === 'file') tar.entry(header, Buffer.from(content ?? ''))
    else tar.entry(header)
  }
  tar.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of tar) if (chunk instanceof Uint8Array) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function compress(tar: Uint8Array, compression: keyof typeof LAYER_TYPES): Uint8Array {
  switch (compression) {
    case 'gzip':
      return gzipSync(tar)
    case 'zstd':
      return zstdCompressSync(tar)
    case 'none':
      return tar
  }
}

/**
 * @param content members, or a tar that is already packed
 * @param options.descriptor false values for the manifest's descriptor
 * @param options.bytes the blob, if it should differ from the compressed tar; null: the registry has none
 */
export async function makeLayer(
  content: readonly TestMember[] | Uint8Array,
  options: {
    readonly compression?: keyof typeof LAYER_TYPES
    readonly descriptor?: Partial<TestDescriptor>
    readonly bytes?: Uint8Array | null
  } = {},
): Promise<TestLayer> {
  const tar = content instanceof Uint8Array ? content : await packTar(content)
  const compression = options.compression ?? 'gzip'
  const bytes = options.bytes ?? compress(tar, compression)
  return {
    descriptor: describe(LAYER_TYPES[compression], bytes, options.descriptor),
    diffId: digestOf(tar),
    bytes: options.bytes === null ? undefined : bytes,
  }
}

/**
 * @param options.config members of the config document beside, or instead of, `os`, `architecture`, `rootfs`, `history`
 * @param options.configBytes the config blob, if it should not be such a document
 * @param options.configType media type of the config
 * @param options.manifest members of the manifest document beside, or instead of, the usual ones
 */
export function makeImage(
  layers: readonly TestLayer[],
  options: {
    readonly platform?: TestPlatform
    readonly config?: Readonly<Record<string, unknown>>
    readonly configBytes?: Uint8Array
    readonly configType?: string
    readonly manifest?: Readonly<Record<string, unknown>>
  } = {},
): TestImage {
  const configBytes =
    options.configBytes ??
    jsonBytes({
      ...(options.platform ?? { os: 'linux', architecture: 'amd64' }),
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map((_, i) => ({ created: '2023-11-14T22:13:20Z', created_by: `RUN step ${i}` })),
      ...options.config,
    })
  const config = describe(options.configType ?? `${OCI}.config.v1+json`, configBytes)
  const mediaType = `${OCI}.manifest.v1+json`
  const document = {
    schemaVersion: 2,
    mediaType,
    config,
    layers: layers.map((layer) => layer.descriptor),
    ...options.manifest,
  }
  const bytes = jsonBytes(document)
  const blobs = new Map([[config.digest, configBytes]])
  for (const layer of layers) if (layer.bytes !== undefined) blobs.set(layer.descriptor.digest, layer.bytes)
  return {
    descriptor: describe(document.mediaType, bytes),
    bytes,
    blobs,
    children: [],
    layers,
    config: { descriptor: config, bytes: configBytes },
  }
}

export type TestContent = {
  readonly mediaType: string
  readonly content: string
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * What can be attached to an image.
 *
 * @param manifest members of the manifest document: `subject`, `artifactType`, `annotations`, …
 */
export function makeArtifact(
  contents: readonly TestContent[],
  manifest: Readonly<Record<string, unknown>> = {},
): TestManifest {
  const empty = jsonBytes({})
  const blobs = new Map([[digestOf(empty), empty]])
  const layers = contents.map(({ mediaType, content, annotations }) => {
    const bytes = new TextEncoder().encode(content)
    blobs.set(digestOf(bytes), bytes)
    return describe(mediaType, bytes, annotations === undefined ? {} : { annotations })
  })
  const mediaType = `${OCI}.manifest.v1+json`
  const config = describe('application/vnd.oci.empty.v1+json', empty)
  const bytes = jsonBytes({ schemaVersion: 2, mediaType, config, layers, ...manifest })
  return { descriptor: describe(mediaType, bytes), bytes, blobs, children: [] }
}

/** @param entries with what the index says about each: its platform, annotations */
export function makeIndex(
  entries: readonly (readonly [manifest: TestManifest, says?: Partial<TestDescriptor>])[],
  options: { readonly index?: Readonly<Record<string, unknown>> } = {},
): TestManifest {
  const mediaType = `${OCI}.index.v1+json`
  const document = {
    schemaVersion: 2,
    mediaType,
    manifests: entries.map(([manifest, says]) => ({ ...manifest.descriptor, ...says })),
    ...options.index,
  }
  const bytes = jsonBytes(document)
  return {
    descriptor: describe(document.mediaType, bytes),
    bytes,
    blobs: new Map(),
    children: entries.map(([manifest]) => manifest),
  }
}
