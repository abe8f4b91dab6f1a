/** An archive as a source of images: all bytes are read in place. */
import { digestOf } from '../../oci/digest.ts'
import { type Descriptor, isEncrypted, OCI_INDEX } from '../../oci/manifest.ts'
import { Problem } from '../../problem.ts'
import type { BlobRange, ResolvedManifest } from '../source.ts'
import { type ArchiveBlob, type ArchiveIndex, ArchiveNames } from './archive-index.ts'
import { type RangeReader, readBytes } from './range-reader.ts'

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024

/** An opened archive, for any source that consists of one. */
export class Archive {
  readonly #index: ArchiveIndex
  readonly #reader: RangeReader
  readonly #blobs: ReadonlyMap<string, ArchiveBlob>
  readonly #made: ReadonlyMap<string, string>
  #names: ArchiveNames | undefined

  constructor(index: ArchiveIndex, reader: RangeReader) {
    this.#index = index
    this.#reader = reader
    this.#blobs = new Map(index.blobs.map((blob) => [blob.digest, blob]))
    // Where manifests were made, there is one for each image.
    this.#made = new Map(index.made.map((text, i) => [index.images[i]?.digest ?? '', text]))
  }

  get index(): ArchiveIndex {
    return this.#index
  }

  /**
   * @param name as {@link ArchiveNames.choose} takes it
   * @throws Problem `image_not_found`, `invalid_reference`
   */
  resolve(name: string): ResolvedManifest {
    this.#names ??= new ArchiveNames(this.#index)
    const choice = this.#names.choose(name)
    if ('digest' in choice) return choice
    const listing = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: choice.listing }
    const bytes = Buffer.from(JSON.stringify(listing))
    return { digest: digestOf(bytes), bytes, isListing: true }
  }

  async manifest(digest: string): Promise<Uint8Array> {
    const made = this.#made.get(digest)
    if (made !== undefined) return Buffer.from(made)
    return this.#verified(digest, MAX_MANIFEST_BYTES, 'image_not_found')
  }

  config({ digest }: Descriptor, limit: number): Promise<Uint8Array> {
    return this.#verified(digest, limit, 'layer_unavailable')
  }

  async blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>> {
    if (isEncrypted(descriptor))
      throw new Problem('layer_unavailable', `the layer ${descriptor.digest} is encrypted`, {
        permanent: true,
      })
    const { offset, size } = this.#find(descriptor.digest, 'layer_unavailable')
    if (range === undefined) return this.#reader.read({ offset, length: size })
    const start = Math.min(range.offset, size)
    return this.#reader.read({ offset: offset + start, length: Math.min(range.length, size - start) })
  }

  has(digest: string): boolean {
    return this.#blobs.has(digest) || this.#made.has(digest)
  }

  isStoredPlain(digest: string): boolean {
    return this.#blobs.get(digest)?.compression === 'none'
  }

  async #verified(digest: string, limit: number, missing: 'image_not_found' | 'layer_unavailable') {
    const { offset, size } = this.#find(digest, missing)
    if (size > limit)
      throw new Problem('too_large', `${digest} has ${size} bytes, more than the limit of ${limit}`)
    const bytes = await readBytes(this.#reader, { offset, length: size })
    const actual = digestOf(bytes)
    if (actual !== digest)
      throw new Problem('invalid_image', `the archive has content with the digest ${actual} under ${digest}`)
    return bytes
  }

  #find(digest: string, missing: 'image_not_found' | 'layer_unavailable'): ArchiveBlob {
    const blob = this.#blobs.get(digest)
    if (blob === undefined) throw new Problem(missing, `the archive does not have ${digest}`)
    return blob
  }
}
