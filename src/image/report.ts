/** The report on one image: the shapes of `/v1/report`. Sizes are bytes, times RFC 3339 in UTC. */
import type { Compression } from '../oci/compression.ts'
import type { Stored } from './stored.ts'

export type ImageIdentity = {
  /** As requested, with defaults filled in: `docker.io/library/nginx:latest`. */
  readonly reference: string
  /** Where it is: `docker` for a registry. */
  readonly transport: string
  /** Present for images in a registry, like `repository`. */
  readonly registry?: string
  readonly repository?: string
  readonly tag?: string
  /** Digest of the image's manifest. */
  readonly digest: string
  /** Digest of the config: the ID that `docker image ls` shows. */
  readonly id: string
  /** Digest of the index that the reference names, if it names one. */
  readonly indexDigest?: string
  /** `os/arch[/variant]` */
  readonly platform: string
  readonly mediaType: string
  readonly created?: string
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  /** The weakest of its layers; present if they are known. */
  readonly verified?: Verified
}

/** What is known about a layer comes from its content, or from a table of contents that the manifest vouches for. */
export type Verified = 'content' | 'contents-table'

export type Sizes = {
  /** Sum of the layers' blobs, as the registry holds them. */
  readonly compressedBytes: number
  /** Sum of the layers' tars; absent if one is known from a table of contents that does not say it. */
  readonly uncompressedBytes?: number
  /** Sum over the regular files of all layers. */
  readonly fileBytes: number
  /** The merged file system, each inode once. */
  readonly rootfsBytes: number
  /** The merged file system; each path of a hard link counts. */
  readonly apparentBytes: number
  readonly stored: Stored
}

export type Counts = {
  readonly layers: number
  /** Members of all layers, whiteouts included. */
  readonly entries: number
  /** Paths of the merged file system; then by type. */
  readonly paths: number
  readonly files: number
  readonly directories: number
  readonly symlinks: number
  readonly other: number
}

export type LayerReport = {
  readonly index: number
  readonly digest: string
  readonly diffId: string
  readonly mediaType: string
  readonly compression: Compression
  readonly verified: Verified
  readonly compressedBytes: number
  readonly uncompressedBytes?: number
  readonly fileBytes: number
  readonly entries: number
  /** Bytes of this layer's files that the merged file system does not show. */
  readonly wastedBytes: number
  readonly createdBy?: string
  readonly created?: string
  readonly comment?: string
}

export type WasteSum = { readonly bytes: number; readonly files: number }
export type WasteReason = 'removed' | 'replaced' | 'metadataOnly'
export type Waste = WasteSum & Readonly<Record<WasteReason, WasteSum>>

export type Efficiency = {
  /** dive's score, 0 to 1. */
  readonly score: number
  readonly wastedBytes: number
  /** Absent if only the first layer has bytes. */
  readonly wastedUserRatio?: number
  readonly inefficientPaths: number
}

export type SizedPath = {
  readonly path: string
  readonly pathBase64?: string
  readonly bytes: number
  readonly layer?: number
}

/** Packages that only a build needs: compilers and headers. */
export type BuildTools = {
  readonly bytes: number
  /** How many files. */
  readonly files: number
  /** The ten largest of them, largest first. */
  readonly largest: readonly SizedPath[]
}

/** One warning per code, with its count and first place. */
export type Warning = {
  readonly code: string
  readonly count: number
  readonly layer?: number
  readonly path?: string
  readonly pathBase64?: string
}

/** What depends only on the image's bytes: everything except the identity, which depends on the reference. */
export type ImageFacts = {
  readonly size: Sizes
  readonly counts: Counts
  readonly layers: readonly LayerReport[]
  readonly waste: Waste
  readonly duplicates: { readonly groups: number; readonly wastedBytes: number }
  readonly efficiency: Efficiency
  /** The 20 largest regular files, each path of a hard link counted; largest first, then by path. */
  readonly largestFiles: readonly SizedPath[]
  readonly largestDirectories: readonly SizedPath[]
  readonly packages: {
    readonly total: number
    readonly byType: Readonly<Record<string, number>>
    /** Bytes of the merged file system's files that some package owns. */
    readonly ownedBytes: number
    /** Of `size.rootfsBytes`. */
    readonly ownedPercent: number
    /** Absent if empty. */
    readonly buildTools?: BuildTools
  }
  readonly warnings: readonly Warning[]
}

export type Report = { readonly image: ImageIdentity } & ImageFacts

/** One path of the merged file system is an `Entry` with `layer`, `inode`, `implicit`: see `merge.ts`. */
export type WastedFile = {
  readonly path: string
  readonly pathBase64?: string
  readonly bytes: number
  readonly layer: number
  readonly reason: WasteReason
  /** The layer that hid it. */
  readonly byLayer: number
  /** Whose layer hid it; absent if no base image was asked for. */
  readonly whose?: 'base' | 'own'
}

export type DuplicateGroup = {
  readonly sha256: string
  readonly bytes: number
  readonly count: number
  readonly wastedBytes: number
  /** The first 50 in path order. */
  readonly paths: readonly { readonly path: string; readonly pathBase64?: string }[]
}

export const PACKAGE_TYPES = [
  'deb',
  'apk',
  'rpm',
  'npm',
  'pypi',
  'composer',
  'gem',
  'golang',
  'cargo',
  'maven',
  'nuget',
  'conda',
  'alpm',
  'generic',
] as const
export type PackageType = (typeof PACKAGE_TYPES)[number]

export type Package = {
  readonly type: PackageType
  readonly name: string
  /** Absent if nothing states it. */
  readonly version?: string
  readonly architecture?: string
  readonly purl: string
  /** As its author states it: an SPDX expression, or another text. */
  readonly license?: string
  /** Size of the package's own files in the merged file system. */
  readonly bytes?: number
  /** Path of the file that declares it, except for deb, apk and rpm. */
  readonly path?: string
  /** The layer that added it. */
  readonly layer: number
}
