/** A layer's uncompressed tar, verified: for callers that need its content rather than its index. */
import { createHash } from 'node:crypto'
import { WorkBudget } from '../concurrency.ts'
import type { Limits } from '../configuration.ts'
import type { WasmModules } from '../host.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'
import { BlobReader } from './blob.ts'
import { decode } from './decode/decode.ts'
import { byteLimit, enforce } from './limits.ts'
import { BlobVerifier } from './verify.ts'

export type LayerSource = {
  readonly blob: ReadableStream<Uint8Array>
  /** The manifest's size and digest of the blob; both are verified. */
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>
  readonly limits: Limits
  readonly wasm: WasmModules
  readonly signal?: AbortSignal | undefined
}

/**
 * The tar byte for byte; it yields the last piece only once everything is verified.
 *
 * @param diffId `sha256:<hex>` of the tar, as the config has it
 * @throws Problem `invalid_image`, `too_large`, or what the blob's stream fails with
 */
export async function* readWholeTar(layer: LayerSource, diffId: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let held: Uint8Array | undefined
  for await (const chunk of readTar(layer)) {
    hash.update(chunk)
    if (held !== undefined) yield held
    held = chunk.slice()
  }
  const actual = `sha256:${hash.digest('hex')}`
  if (actual !== diffId) {
    throw new Problem('invalid_image', `the layer has the diffId ${actual}, the config says ${diffId}`)
  }
  if (held !== undefined) yield held
}

/**
 * Chunks of the tar, each valid until the next is requested. The generator ends only if the blob matches the descriptor, so a
 * caller that sees its end has seen the right bytes. Stopping early cancels the blob.
 *
 * @throws Problem `invalid_image`, `too_large`, or what the blob's stream fails with
 */
export async function* readTar(layer: LayerSource): AsyncGenerator<Uint8Array> {
  const { blob, descriptor, limits, wasm, signal } = layer
  const verifier = new BlobVerifier(descriptor)
  const source = new BlobReader(blob, { observe: (piece) => verifier.take(piece), signal })
  const limit = byteLimit(limits)
  const work = new WorkBudget()
  let bytes = 0
  try {
    const { chunks } = await decode(source, { wasm, zstdWindow: limits.zstdWindow })
    for await (const chunk of chunks) {
      bytes += chunk.length
      enforce(limit, bytes)
      if (work.isDue(chunk.length)) await work.yield()
      yield chunk
    }
    const wrong = verifier.wrongDigest() ?? verifier.wrongSize()
    if (wrong !== undefined) throw wrong
  } finally {
    await source.cancel()
  }
}
