/** The content of a file in an image, read from its layer's blob. */
import { hash } from 'node:crypto'
import type { Host } from '../../host.ts'
import type { FoundFile } from '../../image/lookup.ts'
import { findBlobPart } from '../../index/checkpoints.ts'
import { findChunks } from '../../index/chunks.ts'
import { readLayerFacts } from '../../index/layer-index.ts'
import { canResumeGzip } from '../../layer/decode/gzip.ts'
import type { Entry } from '../../layer/entry.ts'
import { type MemberPart, openMember } from '../../layer/member.ts'
import { NoChunks } from '../../layer/toc/chunk.ts'
import { UnsaidName } from '../../layer/toc/entries.ts'
import { type TableOptions, TableReading } from '../../layer/toc/read.ts'
import { verifiedToc } from '../../layer/toc/verified-toc.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { blobOpener } from '../../open/open-source.ts'
import { Problem } from '../../problem.ts'
import { BLOCK } from '../../tar/header.ts'
import { forgettingLost, layerIndexOf } from './image-tables.ts'

const SHA256_OF_NOTHING = hash('sha256', '', 'binary')

/**
 * A file's bytes, read from as small a part of the layer's blob as possible; the stream fails before its end if they
 * differ from the index.
 */
export async function openContent(
  { configuration, store, wasm }: Host,
  image: OpenedImage,
  file: FoundFile,
): Promise<ReadableStream<Uint8Array>> {
  const { source, manifest } = image
  const descriptor = manifest.layers[file.layer]
  if (descriptor === undefined)
    throw new Problem('internal_error', 'the index refers to a layer that does not exist')
  const { offset, bytes, sha256 } = file
  const index = await layerIndexOf(image, file.layer)
  if (bytes === 0 && sha256 === SHA256_OF_NOTHING) return new Blob([]).stream()
  const open = blobOpener(source, descriptor)
  const { limits } = configuration
  const part: MemberPart | undefined =
    index === descriptor.digest
      ? ((await partOf(store, index, file)) ?? (await chunksOf({ descriptor, open, limits, wasm }, file)))
      : {
          ...(await forgettingLost(store, image, () => findChunks(store, index, file))),
          from: 'chunks',
          isOnly: true,
        }
  return openMember(open, { offset, bytes, sha256, limits, wasm }, part)
}

/** Undefined if the layer must be read from its start. */
export async function partOf(
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
  const found = await findBlobPart(store, facts, file)
  if (found === undefined || (found.block !== undefined && !canResumeGzip())) return undefined
  const { block, ...part } = found
  return { ...part, from: block ?? 'start' }
}

type TocContent = Pick<TableOptions, 'open' | 'limits' | 'wasm'> & { readonly descriptor: Descriptor }

/** Reading a smaller layer whole is as fast as reading its table. */
const LEAST_TABLED_BYTES = 64 * 1024

/**
 * The chunks that the layer's table of contents lists for this content, unless a checkpoint is nearer to it. The table may be
 * wrong: the bytes read are verified against the index.
 */
async function chunksOf(
  { descriptor, ...options }: TocContent,
  file: Pick<FoundFile, 'bytes' | 'sha256'>,
): Promise<MemberPart | undefined> {
  if (descriptor.size < LEAST_TABLED_BYTES) return undefined
  try {
    const table = verifiedToc(descriptor)
    if (table === undefined) return undefined
    const isWanted = ({ bytes, sha256 }: Entry) => bytes === file.bytes && sha256 === file.sha256
    const chunks = new NoChunks()
    const reading = new TableReading({ ...options, table, size: descriptor.size, chunks, isWanted })
    for await (const _ of reading.entries());
    const [found] = reading.wanted
    return found && { ...found, from: 'chunks' }
  } catch (error) {
    // The content's digest is known, so a wrong table does no harm.
    if (error instanceof UnsaidName || (error instanceof Problem && error.code !== 'registry_timeout'))
      return undefined
    throw error
  }
}
