/** Image archives for tests, as tools write them. */

import { jsonBytes, type TestImage, type TestManifest } from './images.ts'
import { member, tar } from './tar.ts'

export type ArchiveFiles = Readonly<Record<string, Uint8Array>>

/** Members in this order, and the end marker. */
export function packArchive(files: ArchiveFiles): Uint8Array {
  return tar(...Object.entries(files).map(([name, bytes]) => member({ name }, bytes)))
}

/** An OCI image layout. @param names of each, as `org.opencontainers.image.ref.name` */
export function ociLayout(
  images: readonly { readonly image: TestManifest; readonly name?: string }[],
): ArchiveFiles {
  const manifests = images.map(({ image, name }) => ({
    ...image.descriptor,
    ...(name === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': name } }),
  }))
  return {
    'oci-layout': jsonBytes({ imageLayoutVersion: '1.0.0' }),
    'index.json': jsonBytes({ schemaVersion: 2, manifests }),
    ...Object.assign({}, ...images.map(({ image }) => blobsOf(image))),
  }
}

function blobsOf({ descriptor, bytes, blobs, children }: TestManifest): ArchiveFiles {
  return {
    [blobName(descriptor.digest)]: bytes,
    ...Object.fromEntries([...blobs].map(([digest, blob]) => [blobName(digest), blob])),
    ...Object.assign({}, ...children.map(blobsOf)),
  }
}

export function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

/** As `docker save` from a classic store: the layers are copied as they are, so make them uncompressed. */
export function dockerSave(image: TestImage, names: readonly string[]): ArchiveFiles {
  const config = `${image.config.descriptor.digest.slice('sha256:'.length)}.json`
  const layers = image.layers.map(({ bytes }, i) => [`${i}/layer.tar`, bytes ?? new Uint8Array(0)] as const)
  const listed = [{ Config: config, RepoTags: names, Layers: layers.map(([name]) => name) }]
  return { [config]: image.config.bytes, ...Object.fromEntries(layers), 'manifest.json': jsonBytes(listed) }
}

/** A Docker archive that lists one config and one layer again and again: small, however many images and names it claims. */
export function repeatedImages(
  { config, layers }: TestImage,
  images: readonly RepeatedImage[],
): ArchiveFiles {
  const name = `${config.descriptor.digest.slice('sha256:'.length)}.json`
  const [layer] = layers
  const listed = images.map(({ names, times = layers.length }) => ({
    Config: name,
    RepoTags: names,
    Layers: new Array(times).fill('layer.tar'),
  }))
  return {
    [name]: config.bytes,
    'layer.tar': layer?.bytes ?? new Uint8Array(0),
    'manifest.json': jsonBytes(listed),
  }
}

export type RepeatedImage = {
  readonly names: readonly string[]
  /** How often its layer is listed. */
  readonly times?: number
}
