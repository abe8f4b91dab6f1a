/** What is checked against a policy: an image, and the images it is compared with. */

import type { ImageFacts, ImageIdentity } from '../image/report.ts'
import type { Evidence } from '../oci/base-names.ts'
import type { ImageManifest } from '../oci/manifest.ts'
import type { GateTables } from './tables.ts'

/** The parts of an image that `needsOf` asks for. */
export type GateImage = {
  readonly identity: ImageIdentity
  readonly manifest: ImageManifest
  /** From the lowest layer, as many as the manifest has layers. */
  readonly diffIds: readonly string[]
  /** Present if an analysis is needed. */
  readonly facts?: ImageFacts
}

/** What a machine that has the baseline downloads for the image; compressed bytes, a blob once. */
export type Pull = {
  readonly bytes: number
  readonly totalBytes: number
  /** Indexes of the pulled layers. */
  readonly layers: ReadonlySet<number>
}

/** The images that a repository had before, without the image itself. */
export type EarlierImages = {
  readonly count: number
  /** Absent if the repository had no other images. */
  readonly oldest?: {
    /** Its tag. */
    readonly name: string
    readonly compressedBytes: number
    readonly diffIds: readonly string[]
  }
}

/** The base image that `baseImage=auto` found. */
export type AutoBase = {
  readonly reference: string
  readonly digest: string
  /** What names it. */
  readonly evidence: readonly Evidence[]
  /** How many of the image's layers are its. */
  readonly layers: number
}

export type Subject = {
  readonly image: GateImage
  /** Present if the image is analysed. */
  readonly tables?: GateTables
  /** Present if the policy names one. */
  readonly baseline?: GateImage
  /** Present if a rule is about it. */
  readonly pull?: Pull
  /** Present if a rule is about them. */
  readonly earlier?: EarlierImages
  /** Present if the policy names one, or one was found; its facts are not needed. */
  readonly baseImage?: GateImage
  /** Present if the base image was found rather than named. */
  readonly autoBase?: AutoBase
}
