/** An upload as a source of images, for callers who have its id. */
import type { Descriptor } from '../oci/manifest.ts'
import { Archive } from '../source/archive/archive.ts'
import type { BlobRange, ImageParts, ImageSource, ResolvedManifest, UploadRef } from '../source/source.ts'
import type { Service } from './service.ts'
import { isUploadGone, openUpload } from './upload.ts'

export class UploadSource implements ImageSource {
  readonly ref: UploadRef
  readonly isPublic = false
  /** It can be deleted at any moment. */
  readonly isRemembered = false
  readonly #service: Service
  #opening: Promise<Archive> | undefined
  #archive: Archive | undefined

  constructor(service: Service, ref: UploadRef) {
    this.#service = service
    this.ref = ref
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

  isGone(): Promise<boolean> {
    return isUploadGone(this.#service, this.ref.id)
  }

  async #open(): Promise<Archive> {
    this.#opening ??= openUpload(this.#service, this.ref.id).then(
      ({ index, reader }) => new Archive(index, reader),
    )
    this.#archive = await this.#opening
    return this.#archive
  }
}
