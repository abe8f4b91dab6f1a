/**
 * Where the store keeps each object. Objects are immutable and named by the digest of what they were made from.
 * `table/temporary.ts` names temporary objects.
 */

import { COMPRESSION_FORMAT, IMAGE_FORMAT, LAYER_FORMAT } from '../stored-formats.ts'

/** `entries.parquet` contains everything about a layer except its chunks, and is written last: if it exists, it is complete. */
export type LayerObject = 'entries.parquet' | 'chunks.bin'

/**
 * `packages.parquet` contains everything about an image except `files.parquet`, and is written last; `public` is empty, and
 * says that an anonymous caller may see everything in the image.
 */
export type ImageObject = 'files.parquet' | 'packages.parquet' | 'public'

/** What sources give. Manifests and configs are stored unchanged; of layers only the index is stored. */
export const CONTENT = ['manifest', 'config', 'layer'] as const
export type SourceContent = (typeof CONTENT)[number]

const CONTENT_FOLDERS: Readonly<Record<SourceContent, string>> = {
  manifest: 'manifests',
  config: 'configs',
  layer: 'sources',
}

/** The origin of what any source gave without credentials. */
export const PUBLIC = 'public'

/**
 * If this object exists, a source gave the verified bytes with this digest: the bytes of a manifest or config, or an empty
 * object for a layer.
 *
 * @param origin `host:port` of a registry as in references, or {@link PUBLIC}
 */
export function provenanceKey(kind: SourceContent, digest: string, origin: string): string {
  return `${CONTENT_FOLDERS[kind]}/${digestPath(digest)}/${origin}`
}

/**
 * The name of the index of a layer known only from its table of contents: derived from that table, whatever the blob contains.
 * An index of the content is named by the blob's digest.
 *
 * @param table digest of the table
 */
export function tableIndexName(digest: string, table: string): string {
  return `${digest}/toc/${table.slice(table.indexOf(':') + 1)}`
}

/**
 * The name of the index of an image some of whose layers may be known only from tables of contents; otherwise it is the digest.
 */
export function tocImageName(digest: string): string {
  return `${digest}/toc`
}

/** @param index the digest of the layer's blob, or {@link tableIndexName} */
export function layerKey(index: string, object: LayerObject | ''): string {
  return `layers/${LAYER_FORMAT}/${indexPath(index)}/${object}`
}

/** @param index the digest of the image's manifest, or {@link tocImageName} */
export function imageKey(index: string, object: ImageObject | ''): string {
  return `images/${IMAGE_FORMAT}/${indexPath(index)}/${object}`
}

function indexPath(index: string): string {
  const [digest = '', ...rest] = index.split('/')
  if (!/^(?:toc(?:\/[0-9a-f]{64})?)?$/.test(rest.join('/'))) throw new Error(`not a digest: ${index}`)
  return [digestPath(digest), ...rest].join('/')
}

/** The object without which this one counts as missing: `entries.parquet` or `packages.parquet` beside it. */
export function markerOf(key: string): string {
  const marker = key.startsWith('layers/') ? 'entries.parquet' : 'packages.parquet'
  return `${key.slice(0, key.lastIndexOf('/') + 1)}${marker}`
}

/** An empty object: an analysis saw the image under this reference. */
export function nameKey(digest: string, reference: string): string {
  return `names/${digestPath(digest)}/${encodeURIComponent(reference)}`
}

/**
 * An empty object: an image with these layers was analysed for everybody.
 *
 * @param chain the chain ID of all its layers
 * @param digest what the reference led to: an index or a manifest
 */
export function baseKey(chain: string, digest: string, reference: string): string {
  return `${basesPrefix(chain)}${digestPath(digest).slice('sha256/'.length)}/${encodeURIComponent(reference)}`
}

export function basesPrefix(chain: string): string {
  return `bases/${digestPath(chain)}/`
}

/** How many bytes a layer has in another compression. @param setting `zstd:3` */
export function measuredKey(digest: string, setting: string): string {
  return `${measuredPrefix(digest)}${setting.replace(':', '-')}.json`
}

export function measuredPrefix(digest: string): string {
  return `compressions/${COMPRESSION_FORMAT}/${digestPath(digest)}/`
}

export const UPLOADS = 'uploads/'

/**
 * What is known about an uploaded archive, and until when it is kept; `parts.json` exists while its parts arrive; `removed` has
 * what is known while it is being removed.
 */
export type UploadObject = 'index.json' | 'expires' | 'parts.json' | 'removed'

/** @param name the hash of the upload's ID, which is a secret */
export function uploadKey(name: string, object: UploadObject): string {
  return `${UPLOADS}${name}/${object}`
}

/** A part of the decompressed archive. */
export function uploadPartKey(name: string, number: number): string {
  return `${archivePrefix(name)}parts/${String(number).padStart(6, '0')}`
}

/** A part of an archive that is uploaded in parts, as it was sent. */
export function sentPartKey(name: string, number: number): string {
  return `${sentPartsPrefix(name)}${String(number).padStart(6, '0')}`
}

export function sentPartsPrefix(name: string): string {
  return `${archivePrefix(name)}sent/`
}

/** Prefix of the many keys of an upload: {@link UPLOADS} is listed often, so it has only a few. */
export function archivePrefix(name: string): string {
  return `${ARCHIVES}${name}/`
}

export const ARCHIVES = 'archives/'

/** A part of a stored archive, or one as it was sent. @param key below {@link ARCHIVES} */
export function isUploadPart(key: string): boolean {
  return /\/(?:parts|sent)\/\d+$/.test(key)
}

/** An empty object: here the archive has a layer that was indexed while it arrived. */
export function incomingKey(
  name: string,
  { digest, offset, size }: { readonly digest: string; readonly offset: number; readonly size: number },
): string {
  return `${incomingPrefix(name)}${digestPath(digest).slice('sha256/'.length)}-${offset}-${size}`
}

export function incomingPrefix(name: string): string {
  return `${archivePrefix(name)}incoming/`
}

/**
 * What is known about an image that an engine saved, so that it is not saved again just to answer.
 *
 * @param name a hash of the engine's name and the image's ID
 */
export function engineImageKey(name: string): string {
  return `engines/v1/${name}.json`
}

/** Prefix of the keys of an image's objects. */
export function imagePrefix(digest: string): string {
  return imageKey(digest, '')
}

/** The digest becomes part of a key, so only sha256 digests are allowed. */
function digestPath(digest: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`not a digest: ${digest}`)
  return digest.replace(':', '/')
}
