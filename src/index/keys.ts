/**
 * Where the store keeps each object. Objects are immutable and named by the digest of what they were made from. Each kind
 * has its own format version, so that a corrected merge reads no layer again. Temporary objects are named in
 * `table/temporary.ts`.
 */

/** `entries.parquet` has all of a layer but its chunks, and is written last: its presence means that it is whole. */
export type LayerObject = 'entries.parquet' | 'chunks.bin'

/** `image.json` is written last; `public` is empty, and says that an anonymous caller may see all that the image holds. */
export type ImageObject =
  | 'files.parquet'
  | 'directories.parquet'
  | 'waste.parquet'
  | 'duplicates.parquet'
  | 'layer-duplicates.parquet'
  | 'packages.parquet'
  | 'image.json'
  | 'public'

/** What sources give. Manifests and configs are stored as they are; of a layer only its index is. */
export const GIVEN = ['manifest', 'config', 'layer'] as const
export type Given = (typeof GIVEN)[number]

const GIVEN_FOLDERS: Readonly<Record<Given, string>> = {
  manifest: 'manifests',
  config: 'configs',
  layer: 'sources',
}

/** The origin of what a source gave without credentials, whichever it was. */
export const PUBLIC = 'public'

/**
 * Says by being there that a source gave the verified bytes with this digest: the bytes of a manifest or config, and an
 * empty object for a layer.
 *
 * @param origin `host:port` of a registry as a reference has it, or {@link PUBLIC}
 */
export function givenKey(kind: Given, digest: string, origin: string): string {
  return `${GIVEN_FOLDERS[kind]}/${digestPath(digest)}/${origin}`
}

/**
 * The name of the index of a layer that is known from its table of contents alone: made of that table, whatever the blob
 * holds. What is known from the content has the blob's digest as its name.
 *
 * @param table digest of the table
 */
export function tableIndexName(digest: string, table: string): string {
  return `${digest}/toc/${table.slice(table.indexOf(':') + 1)}`
}

/** The name of the index of an image of which layers may be known from tables of contents alone; else it is the digest. */
export function tocImageName(digest: string): string {
  return `${digest}/toc`
}

/** @param index the digest of the layer's blob, or {@link tableIndexName} */
export function layerKey(index: string, object: LayerObject | ''): string {
  return `layers/v3/${indexPath(index)}/${object}`
}

/** @param index the digest of the image's manifest, or {@link tocImageName} */
export function imageKey(index: string, object: ImageObject | ''): string {
  return `images/v2/${indexPath(index)}/${object}`
}

function indexPath(index: string): string {
  const [digest = '', ...rest] = index.split('/')
  if (!/^(?:toc(?:\/[0-9a-f]{64})?)?$/.test(rest.join('/'))) throw new Error(`not a digest: ${index}`)
  return [digestPath(digest), ...rest].join('/')
}

/** The object without which the one with this key counts as not there: `entries.parquet` or `image.json` beside it. */
export function markerOf(key: string): string {
  const marker = key.startsWith('layers/') ? 'entries.parquet' : 'image.json'
  return `${key.slice(0, key.lastIndexOf('/') + 1)}${marker}`
}

/** An empty object: an analysis saw the image under this reference. */
export function nameKey(digest: string, reference: string): string {
  return `names/${digestPath(digest)}/${encodeURIComponent(reference)}`
}

export const UPLOADS = 'uploads/'

/** The archive without its wrapping, what is known of it, and until when it is kept. */
export type UploadObject = 'archive.tar' | 'index.json' | 'expires'

/** @param name the hash of the upload's id, which is a secret */
export function uploadKey(name: string, object: UploadObject): string {
  return `${UPLOADS}${name}/${object}`
}

/**
 * What is known of an image that an engine saved, so that it is not saved again to be told.
 *
 * @param name a hash of the engine's name and the image's ID
 */
export function engineImageKey(name: string): string {
  return `engines/v1/${name}.json`
}

/** What the keys of a layer's objects begin with. */
export function layerPrefix(digest: string): string {
  return `layers/v3/${digestPath(digest)}/`
}

/** What the keys of an image's objects begin with. */
export function imagePrefix(digest: string): string {
  return imageKey(digest, '')
}

/** The digest becomes part of a name: nothing but a sha256 may. */
function digestPath(digest: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`not a digest: ${digest}`)
  return digest.replace(':', '/')
}
