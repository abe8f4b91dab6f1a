/** The one interface of all places that images come from: what each can do. How a job names one is in `oci/source-ref.ts`. */
import type { Descriptor } from '../oci/manifest.ts'
import type { FileRef, SourceRef } from '../oci/source-ref.ts'

export type ResolvedManifest = {
  /** Digest of the manifest or index that the name resolves to. */
  readonly digest: string
  readonly mediaType?: string
  /** The manifest, if it had to be read for its digest. */
  readonly bytes?: Uint8Array
  /** The source made this index from images that it lists individually; no registry knows its digest. */
  readonly isListing?: true
}

/** A part of a blob, in bytes. */
export type BlobRange = { readonly offset: number; readonly length: number }

/** The kinds of content that a source may have. */
export type ContentKind = 'manifest' | 'blob'

/**
 * A place that holds images, as one caller sees it. Problems are for the caller: `image_not_found` for a name that it does not
 * have, `unauthorized`, `layer_unavailable`, `invalid_image` for bytes with another digest, `too_large`, …
 */
export interface ImageSource {
  readonly ref: SourceRef
  /** Other callers get the same from it without credentials. */
  readonly isPublic: boolean
  /** Whether its answers are reused for a minute; otherwise each request asks it. */
  readonly isRemembered: boolean
  /**
   * Resolves a name now: a tag or digest of a registry, a name or digest in an archive.
   *
   * @param wanted the manifest, if the caller will read it: some sources return it with the same request
   */
  resolve(name: string, wanted?: 'manifest'): Promise<ResolvedManifest>
  /**
   * The manifest or index of this digest; its bytes are verified.
   *
   * @param name the name that resolved to the digest: if the source lacks the digest, the name tells why
   */
  manifest(digest: string, name?: string): Promise<Uint8Array>
  /** A config; its bytes are verified. @throws Problem `too_large` past `limit` bytes */
  config(descriptor: Descriptor, limit: number): Promise<Uint8Array>
  /** A layer's bytes, or a part of them, not verified; a whole layer is at most one byte longer than its descriptor says. */
  blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>>
  /** Whether it confirms to this caller that it has this. */
  has(digest: string, kind: ContentKind): Promise<boolean>
  /** For sources that can be deleted while they are read: whether that happened. What it gave is then forgotten. */
  isGone?(): Promise<boolean>
  /** What it says about an image of which it may hold only a part. Present once a name was resolved; absent for a registry. */
  readonly parts?: ImageParts | undefined
}

/** What a source that holds parts of images says about them. */
export interface ImageParts {
  has(digest: string): boolean
  /** The layer is stored uncompressed, so its compressed size is unknown. */
  isStoredPlain(digest: string): boolean
}

/** Images in files of this machine. Only a host whose only caller is the machine's user has them. */
export interface LocalImages {
  open(ref: FileRef): ImageSource
}
