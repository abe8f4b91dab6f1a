/** Where an image is, as plain data: what a job carries so that another thread, object or machine can open the source. */
import { createHash } from 'node:crypto'
import { type Credential, credentialHash } from './credential.ts'
import type { FileTransport } from './image-reference.ts'
import type { Repository } from './reference.ts'

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
export function locationOf(ref: SourceRef): string {
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
  return `${locationOf(ref)} ${callerOf(ref)}`
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
