/** An archive as a source of images: opened on first use. */
import type { Descriptor } from '../../oci/manifest.ts'
import type { SourceRef } from '../../oci/source-ref.ts'
import type { BlobRange, ImageParts, ImageSource, ResolvedManifest } from '../source.ts'
import type { Archive } from './archive.ts'

export class ArchiveSource<Ref extends SourceRef> implements ImageSource {
  readonly ref: Ref
  readonly isPublic = false
  /** The archive can disappear at any moment; its images are in memory already. */
  readonly isRemembered = false
  readonly #openArchive: () => Promise<Archive>
  #opening: Promise<Archive> | undefined
  #archive: Archive | undefined

  constructor(ref: Ref, open: () => Promise<Archive>) {
    this.ref = ref
    this.#openArchive = open
  }

  get parts(): ImageParts | undefined {
    return this.#archive
  }

  async resolve(name: string): Promise<ResolvedManifest> {
    return (await this.#open()).resolve(name)
  }

  async manifest(digest: string): Promise<Uint8Array> {
    return (await this.#open()).manifest(digest)
  }

  async config(descriptor: Descriptor, limit: number): Promise<Uint8Array> {
    return (await this.#open()).config(descriptor, limit)
  }

  async blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>> {
    return (await this.#open()).blob(descriptor, range)
  }

  async has(digest: string): Promise<boolean> {
    return (await this.#open()).has(digest)
  }

  async #open(): Promise<Archive> {
    this.#opening ??= this.#openArchive()
    this.#archive = await this.#opening
    return this.#archive
  }
}
