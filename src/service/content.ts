/** The content of a file of an image, read from its layer's blob. */
import { hash } from 'node:crypto'
import type { Host } from '../host.ts'
import type { FoundFile } from '../image/lookup.ts'
import { findBlobPart } from '../index/checkpoints.ts'
import { readLayerFacts } from '../index/layer-index.ts'
import { canResumeGzip } from '../layer/decode/gzip.ts'
import { type MemberPart, type OpenBlob, openMember } from '../layer/member.ts'
import { Problem } from '../problem.ts'
import { BLOCK } from '../tar/header.ts'
import type { OpenedImage } from './open.ts'

const SHA256_OF_NOTHING = hash('sha256', '', 'binary')

/**
 * A file's bytes, of as small a part of the layer's blob as is known to hold them; the stream fails before its end where
 * they are not those that the index knows.
 */
export async function openContent(
  { configuration, store, wasm }: Host,
  { source, manifest }: OpenedImage,
  file: FoundFile,
): Promise<ReadableStream<Uint8Array>> {
  const descriptor = manifest.layers[file.layer]
  if (descriptor === undefined)
    throw new Problem('internal_error', 'the index refers to a layer that does not exist')
  const { offset, bytes, sha256 } = file
  if (bytes === 0 && sha256 === SHA256_OF_NOTHING) return new Blob([]).stream()
  const open: OpenBlob = (range) => {
    if (range === undefined) return source.blob(descriptor)
    const { start, end = descriptor.size } = range
    return source.blob(descriptor, { offset: start, length: end - start })
  }
  const part = await partOf(store, descriptor.digest, file)
  return openMember(open, { offset, bytes, sha256, limits: configuration.limits, wasm }, part)
}

/** Undefined where the layer has to be read from its start. */
async function partOf(
  store: Host['store'],
  digest: string,
  file: Pick<FoundFile, 'offset' | 'bytes'>,
): Promise<MemberPart | undefined> {
  const { offset, bytes } = file
  const facts = await readLayerFacts(store, digest)
  if (facts?.compression === 'none') {
    const header = offset - BLOCK
    return { blobOffset: header, tarOffset: header, blobEnd: offset + bytes, from: 'tar' }
  }
  if (facts === undefined) return undefined
  const found = await findBlobPart(store, digest, file)
  if (found === undefined || (found.block !== undefined && !canResumeGzip())) return undefined
  const { block, ...part } = found
  return { ...part, from: block ?? 'start' }
}
