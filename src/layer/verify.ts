/** Checks the size and the digest of a layer's blob while it is read: nothing unverified is stored. */
import { createHash } from 'node:crypto'
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'
import { BlobReader } from './blob.ts'

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

/**
 * The blob's bytes; it yields the last piece only once everything is verified, so wrong bytes never end.
 *
 * @throws Problem `invalid_image`, or what the stream fails with
 */
export async function* verifiedBlob(
  blob: ReadableStream<Uint8Array>,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const verifier = new BlobVerifier(descriptor)
  const reader = new BlobReader(blob, { observe: (piece) => verifier.take(piece), signal })
  try {
    let held = await reader.read()
    while (held !== undefined) {
      const next = await reader.read()
      if (next === undefined) break
      yield held
      held = next
    }
    const wrong = verifier.wrongDigest() ?? verifier.wrongSize()
    if (wrong !== undefined) throw wrong
    if (held !== undefined) yield held
  } finally {
    await reader.cancel()
  }
}
