/** Checks the size and the digest of a layer's blob while it is read: nothing unverified is stored. */
import { createHash } from 'node:crypto'
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'

/** Hashes and counts a blob as it arrives, and compares it with the manifest. */
export class BlobVerifier {
  readonly #descriptor: Pick<Descriptor, 'digest' | 'size'>
  readonly #hash = createHash('sha256')
  #bytes = 0
  #digest: string | undefined

  constructor(descriptor: Pick<Descriptor, 'digest' | 'size'>) {
    this.#descriptor = descriptor
  }

  get bytes(): number {
    return this.#bytes
  }

  /** @throws Problem `invalid_image` if the blob is longer than the manifest says */
  take(piece: Uint8Array): void {
    const { size } = this.#descriptor
    this.#bytes += piece.length
    if (this.#bytes > size) {
      throw new Problem('invalid_image', `the blob is longer than ${size} bytes, the size in the manifest`)
    }
    this.#hash.update(piece)
  }

  /** The problem for a blob that was read to its end: its bytes have another digest. */
  wrongDigest(): Problem | undefined {
    const { digest } = this.#descriptor
    this.#digest ??= `sha256:${this.#hash.digest('hex')}`
    if (this.#digest === digest) return undefined
    return new Problem(
      'invalid_image',
      `the registry sent ${this.#bytes} bytes with the digest ${this.#digest} for the blob ${digest}`,
    )
  }

  /** The problem for a blob that was read to its end: it is shorter than the manifest says. */
  wrongSize(): Problem | undefined {
    const { size } = this.#descriptor
    if (this.#bytes === size) return undefined
    return new Problem('invalid_image', `the blob has ${this.#bytes} bytes, but the manifest says ${size}`)
  }
}
