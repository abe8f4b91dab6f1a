/** One layer: from its registry into the index. */
import { createHash } from 'node:crypto'
import { findLinkedDatabases, findLinkedExamined } from '../image/packages/linked-databases.ts'
import { type IndexedLayer, indexLayer, readLayerFacts } from '../index/layer-index.ts'
import type { JobProgress, LayerJob, LayerWork } from '../job.ts'
import { BlobReader } from '../layer/blob.ts'
import { MAX_DATABASE_BYTES } from '../layer/database.ts'
import type { Decode } from '../layer/decode/decode.ts'
import { LinkedSink } from '../layer/linked-sink.ts'
import { readMembers } from '../layer/members.ts'
import { readLayer } from '../layer/read.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { openSource } from '../open/open-source.ts'
import type { Service } from '../open/service.ts'
import { Problem } from '../problem.ts'
import { SourceWait, type WaitForSource } from './source-wait.ts'
import { indexFromTable } from './table-job.ts'

/** What a job did, and what is now known of its layer, if it has indexed it. */
export type LayerOutcome = LayerWork & { readonly indexed?: IndexedLayer }

export type LayerRun = {
  readonly report: (progress: JobProgress) => void
  readonly signal: AbortSignal
  /** Decompresses the layer; by default in this thread. */
  readonly decode?: Decode | undefined
}

/** Keeps what is known of a layer for the analyses in this process that wait for it. */
export function keepIndexed({ memory }: Pick<Service, 'memory'>, { indexed }: LayerOutcome): void {
  if (indexed !== undefined) memory.indexed.set(indexed.digest, indexed)
}

/**
 * Reads the whole blob even if it is indexed already, unless the caller may see it: only verified bytes make this
 * registry one of its sources. If the index exists already, its bytes need not be decoded again.
 */
export async function runLayerJob(
  service: Service,
  job: LayerJob,
  { report, signal, decode }: LayerRun,
): Promise<LayerOutcome> {
  const { descriptor } = job
  const source = openSource(service, job.source, signal)
  if (job.read === 'toc') {
    const work = await indexFromTable(service, { source, descriptor }, report, signal)
    if (work !== undefined) return work
  }
  // Before the blob is opened: a failing store must not leave a connection behind.
  const wasIndexed = await isIndexed(service, descriptor.digest)
  // Another server, or an earlier attempt, has read it for this caller since the image was checked.
  if (wasIndexed && (await source.visibility.maySee(descriptor.digest, 'layer')))
    return { readBytes: 0, decodedBytes: 0 }
  let bytesDone = 0
  const tell = () => {
    const layer = { layers: 1, layersDone: 0, layersReused: 0, bytes: descriptor.size, bytesDone }
    report({ ...layer, waitedMilliseconds: waiting.milliseconds })
  }
  const onBytes = (bytes: number) => {
    bytesDone = bytes
    tell()
  }
  const waiting = new SourceWait(tell)
  const open = () => waiting.for(source.blob(descriptor))
  const input = { again: open, onBytes, wait: waiting.for, signal, decode }
  try {
    const blob = await open()
    try {
      if (!wasIndexed) {
        const indexed = await index(service, descriptor, blob, input)
        await source.visibility.recordOrigin(descriptor.digest, 'layer')
        return { readBytes: descriptor.size, decodedBytes: indexed.uncompressedBytes, indexed }
      }
      await verify(blob, descriptor.digest, input)
      await source.visibility.recordOrigin(descriptor.digest, 'layer')
      // The upload that it was indexed from may have been deleted before this source was recorded, and the index with it.
      if (await isIndexed(service, descriptor.digest)) return { readBytes: descriptor.size, decodedBytes: 0 }
      const indexed = await index(service, descriptor, await open(), input)
      await source.visibility.requireSource(descriptor.digest)
      return { readBytes: 2 * descriptor.size, decodedBytes: indexed.uncompressedBytes, indexed }
    } catch (error) {
      // The digest matches, so the fault is in the bytes: everyone who may read them may know about it.
      if (error instanceof Problem && error.permanent)
        await source.visibility.recordOrigin(descriptor.digest, 'layer')
      else await source.visibility.requireSource(descriptor.digest)
      throw error
    }
  } finally {
    waiting.stop()
  }
}

async function isIndexed(service: Service, digest: string): Promise<boolean> {
  return (await readLayerFacts(service.host.store, digest)) !== undefined
}

type Reading = {
  /** Opens the blob again, for members that turn out to be needed only at the end of the layer. */
  readonly again: () => Promise<ReadableStream<Uint8Array>>
  readonly onBytes: (bytes: number) => void
  readonly wait: WaitForSource
  readonly signal: AbortSignal
  readonly decode: Decode | undefined
}

async function index(
  service: Service,
  descriptor: Descriptor,
  blob: ReadableStream<Uint8Array>,
  { again, onBytes, wait, signal, decode }: Reading,
): Promise<IndexedLayer> {
  const { store, wasm, configuration } = service.host
  const { limits } = configuration
  const { digest } = descriptor
  return indexLayer(
    store,
    digest,
    (sinks) => readLayer(blob, { descriptor, limits, wasm, onBytes, wait, decode, ...sinks }),
    async (archive, entries, { linksDatabases, linksExamined }) => {
      const room = MAX_DATABASE_BYTES - archive.bytes
      const databases = linksDatabases ? await findLinkedDatabases(entries, room) : []
      const ordinals = new Set(databases.map(({ ordinal }) => ordinal))
      const examined = linksExamined ? await findLinkedExamined(entries) : []
      const members = [...databases, ...examined.filter(({ ordinal }) => !ordinals.has(ordinal))]
      if (members.length === 0) return []
      members.sort((a, b) => a.ordinal - b.ordinal)
      const linked = new LinkedSink(archive, ordinals)
      try {
        await readMembers(await again(), linked, { members, limits, wasm, signal })
        return linked.warnings
      } finally {
        await linked.release()
      }
    },
  )
}

/** @throws Problem `invalid_image` */
async function verify(
  blob: ReadableStream<Uint8Array>,
  digest: string,
  { onBytes, wait, signal }: Pick<Reading, 'onBytes' | 'wait' | 'signal'>,
): Promise<void> {
  const hash = createHash('sha256')
  let bytes = 0
  const observe = (piece: Uint8Array) => {
    hash.update(piece)
    bytes += piece.byteLength
    onBytes(bytes)
  }
  await new BlobReader(blob, { observe, wait, signal }).drain()
  const got = `sha256:${hash.digest('hex')}`
  if (got !== digest)
    throw new Problem('invalid_image', `the source sent content with the digest ${got} instead of ${digest}`)
}
