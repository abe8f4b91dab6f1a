/** The service's settings, read once at the start: environment variables, or a Worker's `vars` and secrets. */
import type { Credential } from './registry/credentials.ts'

export type Limits = {
  /** Uncompressed bytes of one layer. */
  readonly layerBytes: number
  /** Uncompressed bytes of all layers of an image. */
  readonly imageBytes: number
  /** Members of an image. */
  readonly entries: number
  /** Window of a zstd frame, in bytes. */
  readonly zstdWindow: number
}

export type Configuration = {
  readonly host: string
  readonly port: number
  /** Folder of the embedded object store. */
  readonly data: string
  /** `host[:port]` or `host[:port]/prefix`; undefined allows any. */
  readonly allowedRegistries?: readonly string[]
  /** `host[:port]` or CIDR. */
  readonly privateRegistries: readonly string[]
  /** `host[:port]` or CIDR. */
  readonly insecureRegistries: readonly string[]
  /** The service's own, by registry (`docker.io`, `host[:port]`). */
  readonly credentials: ReadonlyMap<string, Credential>
  readonly tokens: readonly string[]
  /** Repositories whose badges may use the service's credentials: `host/name`. */
  readonly publicBadges: readonly string[]
  readonly limits: Limits
  /** Analyses at once; `queued` more may wait. */
  readonly maxAnalyses: number
  /** New analyses a client a minute; 0 is no limit. */
  readonly rate: number
  readonly s3?: {
    readonly endpoint?: string
    readonly bucket: string
    readonly region: string
  }
}
