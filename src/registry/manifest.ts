/** A descriptor of the OCI image specification, as far as it is used. */
export type Descriptor = {
  readonly mediaType: string
  /** `sha256:<hex>` */
  readonly digest: string
  readonly size: number
  readonly urls?: readonly string[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly artifactType?: string
  readonly platform?: {
    readonly os: string
    readonly architecture: string
    readonly variant?: string
    readonly 'os.version'?: string
  }
}
