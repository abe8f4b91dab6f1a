/** A source in front of a registry: whatever a subclass does not answer itself is passed on. */
import type { Descriptor } from '../../../src/oci/manifest.ts'
import type { SourceRef } from '../../../src/oci/source-ref.ts'
import type {
  BlobRange,
  ContentKind,
  ImageParts,
  ImageSource,
  ResolvedManifest,
} from '../../../src/source/source.ts'

export class ForwardingSource implements ImageSource {
  protected readonly own: ImageSource

  constructor(own: ImageSource) {
    this.own = own
  }

  get ref(): SourceRef {
    return this.own.ref
  }

  get isPublic(): boolean {
    return this.own.isPublic
  }

  get isRemembered(): boolean {
    return this.own.isRemembered
  }

  get parts(): ImageParts | undefined {
    return this.own.parts
  }

  resolve(name: string, wanted?: 'manifest'): Promise<ResolvedManifest> {
    return this.own.resolve(name, wanted)
  }

  manifest(digest: string, name?: string): Promise<Uint8Array> {
    return this.own.manifest(digest, name)
  }

  config(descriptor: Descriptor, limit: number): Promise<Uint8Array> {
    return this.own.config(descriptor, limit)
  }

  has(digest: string, kind: ContentKind): Promise<boolean> {
    return this.own.has(digest, kind)
  }

  blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>> {
    return this.own.blob(descriptor, range)
  }
}
