/** What an image stands on: the shape of `/v1/base`. */
import type { PackageDiff } from '../diff/packages.ts'
import type { ImageIdentity } from '../image/report.ts'
import type { Evidence } from '../oci/base-names.ts'
import type { Problem } from '../problem.ts'
import type { LayerSum } from '../update/layers.ts'

export type PartOfImage = {
  readonly layers: number
  /** Of the image's own blobs. */
  readonly compressedBytes: number
  readonly uncompressedBytes?: number
  readonly packages?: number
}

export type Base = PartOfImage & {
  readonly reference?: string
  readonly digest?: string
  readonly indexDigest?: string
  /** All that say so. */
  readonly evidence: readonly Evidence[]
}

/** What the base's tag names now. */
export type BaseUpdate = {
  readonly reference: string
  readonly state: 'current' | 'behind' | 'unknown'
  readonly digest?: string
  readonly created?: string
  /** What the image does not have of it. */
  readonly pull?: LayerSum
  readonly sizeDelta?: number
  readonly packages?: PackageDiff
  readonly problem?: Problem
}

export type Alternative = {
  readonly reference: string
  readonly digest: string
  readonly compressedBytes: number
  /** Less the base's. */
  readonly delta: number
  readonly packages?: number
  /** Names of packages that the image has in the base's version and this one lacks. */
  readonly missing?: readonly string[]
}

export type BaseWarning = {
  readonly code: 'baseDoesNotMatch' | 'baseUnreadable' | 'alternativesIncomplete'
  readonly evidence?: Evidence
  /** As named, at most 256 characters. */
  readonly reference?: string
  readonly problem?: Problem
}

export type BaseReport = {
  readonly image: ImageIdentity
  readonly base?: Base
  /** What stands on it; without a base the whole image. */
  readonly own: PartOfImage
  readonly update?: BaseUpdate
  readonly alternatives?: readonly Alternative[]
  readonly warnings: readonly BaseWarning[]
}
