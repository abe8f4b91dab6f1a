/** The one interface of all places that images come from: what each can do, and how a job names one. */
import { createHash } from 'node:crypto'
import { type Credential, credentialHash } from '../oci/credential.ts'
import type { FileTransport } from '../oci/image-reference.ts'
import type { Descriptor } from '../oci/manifest.ts'
import type { Repository } from '../oci/reference.ts'

/** A repository of a registry, and the caller's credentials for it. */
export type RegistryRef = Repository & {
  readonly kind: 'registry'
  /** Kept in memory only as long as the work that it is for. */
  readonly credential?: Credential
}

/** An archive uploaded to this service. */
export type UploadRef = {
  readonly kind: 'upload'
  /** A secret: knowing it is enough to see the image. It is kept out of logs, store keys and job names. */
  readonly id: string
}

/** An image of the host's Docker Engine. */
export type DaemonRef = {
  readonly kind: 'docker-daemon'
  /** A name with its tag, or the image's ID. */
  readonly name: string
}

/** An archive or a layout in files of this machine, for its own user. */
export type FileRef = {
  readonly kind: 'file'
  readonly transport: FileTransport
  /** As given; `-` is an archive on stdin. */
  readonly path: string
}

/** Where an image is, as plain data that another thread, object or machine can open again. */
export type SourceRef = RegistryRef | UploadRef | DaemonRef | FileRef

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

/** A name for an upload that does not reveal its secret ID. */
export function uploadName(id: string): string {
  return createHash('sha256').update(id).digest('hex')
}

/** The name under which the store records who gave verified bytes: `host:port` of a registry. */
export function originOf(ref: SourceRef): string {
  switch (ref.kind) {
    case 'registry':
      return ref.registry
    case 'upload':
      return `upload-${uploadName(ref.id)}`
    case 'docker-daemon':
      return 'docker-daemon'
    case 'file':
      return 'file'
  }
}

/** The place in logs and job states, without the caller: `registry/repository`. */
export function placeOf(ref: SourceRef): string {
  switch (ref.kind) {
    case 'registry':
      return `${ref.registry}/${ref.repository}`
    case 'upload':
      return originOf(ref)
    case 'docker-daemon':
      return `docker-daemon:${ref.name}`
    case 'file':
      return `${ref.transport}:${ref.path}`
  }
}

/** The place and, without secrets, the caller: an answer to one caller is reused for that caller only. */
export function scopeOf(ref: SourceRef): string {
  return `${placeOf(ref)} ${callerOf(ref)}`
}

/** Identifies the caller's credentials without revealing them; empty for a caller without any. */
export function callerOf(ref: SourceRef): string {
  switch (ref.kind) {
    case 'registry':
      return ref.credential === undefined ? '' : credentialHash(ref.credential)
    case 'upload':
    case 'docker-daemon':
    case 'file':
      return ''
  }
}
