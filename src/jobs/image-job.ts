/**
 * The work itself, once at a time, queued and cancelled: index a layer, analyse an image. This file analyses one image: it indexes
 * the layers, as many at once as the host allows, then merges them.
 */

import { allOf, inParallel } from '../concurrency.ts'
import { follow, LAYER_MILLISECONDS } from '../follow-job.ts'
import type { ObjectStore } from '../host.ts'
import { writeFailure } from '../image/image.ts'
import { tableIndexName, tocImageName } from '../index/keys.ts'
import { readLayerFacts, readTocFacts } from '../index/layer-index.ts'
import { type ImageJob, isFinished, type JobProgress, type JobState, type LayerJob } from '../job.ts'
import { tableDigest } from '../layer/toc/verified-toc.ts'
import { parseConfig, requireDiffIds } from '../oci/config.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { parseManifest } from '../oci/manifest.ts'
import { locationOf } from '../oci/source-ref.ts'
import type { Memory } from '../open/caches.ts'
import { openSource } from '../open/open-source.ts'
import type { Service } from '../open/service.ts'
import type { Visibility } from '../open/visibility.ts'
import { Problem } from '../problem.ts'
import { type IndexedDescriptor, type KnownLayer, type Merge, Totals } from './merge-job.ts'

/** How many layers of one image are read at the same time. */
const LAYERS_AT_ONCE = 4
/** Layers that the store is asked about at the same time. */
const LOOKS_AT_ONCE = 16
/** Packed, what takes no time worth mentioning to read. */
const SMALL_BYTES = 64 * 1024

/** How far one layer is that was not indexed when the analysis began. */
type Reading = {
  readonly bytes: number
  bytesDone: number
  /** Of its longest attempt: a layer that gave its place away starts again. */
  waitedMilliseconds: number
  status: 'waiting' | 'reading' | 'done'
}

export type ImageRun = {
  readonly report: (progress: JobProgress) => void
  readonly signal: AbortSignal
  /** Merges the layers, here or in another thread. */
  readonly merge: (merge: Merge) => Promise<void>
}

export async function runImageJob(service: Service, job: ImageJob, run: ImageRun): Promise<void> {
  const source = openSource(service, job.source, run.signal)
  try {
    const manifest = parseManifest(await source.manifest(job.digest))
    if (manifest.kind === 'index')
      throw new Problem('not_an_image', 'an index has no layers; choose one of its images')
    const { layers } = manifest
    const indexes = new LayerIndexes(service, source.visibility, job.read)
    const [configBytes] = await allOf([source.config(manifest.config), indexes.lookFirst(layers)])
    const config = parseConfig(configBytes)
    requireDiffIds(manifest, config)
    const indexAndMerge = async () => {
      const indexed = await indexLayers(service, job, { layers, indexes }, run)
      const { source: from, read = 'full' } = job
      await run.merge({ index: imageIndexOf(job), config, layers: indexed, read, source: from })
      await source.visibility.requireSource(job.digest)
    }
    try {
      await indexAndMerge()
    } catch (error) {
      // A layer's index can be missing or damaged: it then counts as not indexed, and is rebuilt.
      if (!(error instanceof Problem && error.code === 'store_error')) throw error
      await indexes.look(layers)
      await indexAndMerge()
    }
  } catch (error) {
    if (error instanceof Problem && error.permanent)
      await writeFailure(service.host.store, imageIndexOf(job), error.toDocument())
    await source.visibility.requireSource(job.digest)
    throw error
  }
}

/** The name of the index that the job writes. */
export function imageIndexOf({ digest, read }: ImageJob): string {
  return read === 'toc' ? tocImageName(digest) : digest
}

/** The layers of an image that the caller may see indexes of. */
class LayerIndexes {
  readonly #store: ObjectStore
  readonly #memory: Memory
  readonly #visibility: Visibility
  readonly #read: ImageJob['read']
  /** By the layers' digests. */
  readonly #known = new Map<string, KnownLayer>()

  constructor({ host, memory }: Service, visibility: Visibility, read: ImageJob['read']) {
    this.#store = host.store
    this.#memory = memory
    this.#visibility = visibility
    this.#read = read
  }

  get(layer: Descriptor): KnownLayer | undefined {
    return this.#known.get(layer.digest)
  }

  /** Looks which of these layers are indexed. */
  async look(layers: readonly Descriptor[]): Promise<void> {
    const unique = new Map(layers.map((layer) => [layer.digest, layer]))
    await inParallel([...unique.values()], LOOKS_AT_ONCE, async (layer) => {
      const found = await this.#find(layer)
      if (found === undefined) this.#known.delete(layer.digest)
      else this.#known.set(layer.digest, found)
    })
  }

  /** The same when the analysis begins: its request has just looked for most layers that are not indexed. */
  async lookFirst(layers: readonly Descriptor[]): Promise<void> {
    const wasSeen = ({ digest }: Descriptor) => this.#read === 'toc' || !this.#visibility.takeUnseen(digest)
    await this.look(layers.filter(wasSeen))
  }

  /** The same after a layer's job: what it found is usually still in memory. */
  async lookAfter(layer: Descriptor): Promise<void> {
    const { digest } = layer
    this.#visibility.takeUnseen(digest)
    const facts = this.#memory.indexed.take(digest)
    if (facts !== undefined && (await this.#visibility.maySee(digest, 'layer')))
      this.#known.set(digest, { index: digest, verified: 'content', facts })
    else await this.look([layer])
  }

  /** The index of the layer's content, else where that is enough the one of its table. */
  async #find(layer: Descriptor): Promise<KnownLayer | undefined> {
    const { digest } = layer
    const facts = (await this.#visibility.maySee(digest, 'layer'))
      ? await readLayerFacts(this.#store, digest)
      : undefined
    if (facts !== undefined) return { index: digest, verified: 'content', facts }
    const table = this.#read === 'toc' ? tableDigest(layer) : undefined
    if (table === undefined || !(await this.#visibility.maySeeToc({ table, blob: digest }))) return undefined
    const index = tableIndexName(digest, table)
    const tocFacts = await readTocFacts(this.#store, index)
    return tocFacts && { index, verified: 'contents-table', facts: tocFacts }
  }
}

/** A layer that is not indexed yet, and its place in the image. */
type MissingLayer = { readonly layer: Descriptor; readonly place: number }

/**
 * Largest first, so that the last one to end began early. Small ones mostly wait for their source and the store, so they come
 * right after those that all places are for, and wait while these compute.
 */
function inTurn(missing: readonly MissingLayer[]): readonly MissingLayer[] {
  const sorted = missing.toSorted((a, b) => b.layer.size - a.layer.size)
  const isSmall = ({ layer }: MissingLayer) => layer.size < SMALL_BYTES
  const large = sorted.filter((one) => !isSmall(one))
  return [...large.slice(0, 2), ...sorted.filter(isSmall), ...large.slice(2)]
}

/** @returns all layers, from the lowest */
async function indexLayers(
  service: Service,
  job: ImageJob,
  { layers, indexes }: { readonly layers: readonly Descriptor[]; readonly indexes: LayerIndexes },
  { report, signal }: ImageRun,
): Promise<readonly IndexedDescriptor[]> {
  const totals = new Totals(service.host.configuration.limits)
  const count = ({ digest }: Descriptor) => {
    for (const layer of layers) {
      const facts = layer.digest === digest ? indexes.get(layer)?.facts : undefined
      if (facts !== undefined) totals.add(facts)
    }
  }
  const places = new Map(layers.map((layer, place) => [layer.digest, { layer, place }]))
  for (const { layer } of places.values()) count(layer)
  const missing = inTurn([...places.values()].filter(({ layer }) => indexes.get(layer) === undefined))
  const progress = new Map(
    missing.map(({ layer }): [string, Reading] => [
      layer.digest,
      { bytes: layer.size, bytesDone: 0, waitedMilliseconds: 0, status: 'waiting' },
    ]),
  )
  const tell = () => report(sum(layers, progress))
  tell()
  // One bad layer fails the image, so the jobs of the other layers are cancelled.
  const failed = new AbortController()
  const stopped = AbortSignal.any([signal, failed.signal])
  await inParallel(missing, LAYERS_AT_ONCE, async ({ layer, place }) => {
    const one = progress.get(layer.digest)
    if (one === undefined) return
    const onState = ({ status, progress: { bytesDone, waitedMilliseconds = 0 } }: JobState) => {
      one.status = status === 'queued' ? 'waiting' : 'reading'
      one.bytesDone = bytesDone
      one.waitedMilliseconds = Math.max(one.waitedMilliseconds, waitedMilliseconds)
      tell()
    }
    try {
      await inLayer(place, () => indexOne(service, { job, descriptor: layer }, onState, stopped))
      await indexes.lookAfter(layer)
      count(layer)
    } catch (error) {
      failed.abort()
      throw error
    }
    one.bytesDone = one.bytes
    one.status = 'done'
    tell()
  })
  return layers.map((descriptor, place) => {
    const known = indexes.get(descriptor)
    if (known !== undefined) return { ...known, descriptor }
    throw new Problem(
      'store_error',
      `the index of layer ${place} is missing from the store; try again to rebuild it`,
      { layer: place },
    )
  })
}

/** Adds to each problem which layer it is about. */
async function inLayer<T>(layer: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof Problem ? error.with({ layer }) : error
  }
}

/**
 * The job is shared by all images of the registry that have this layer; if the shared job failed for another repository, this
 * image gets a job of its own.
 */
async function indexOne(
  service: Service,
  { job, descriptor }: { readonly job: ImageJob; readonly descriptor: Descriptor },
  onState: (state: JobState) => void,
  signal: AbortSignal,
): Promise<void> {
  const { source } = job
  const read = job.read === 'toc' && tableDigest(descriptor) !== undefined ? { read: job.read } : {}
  const shared: LayerJob = { kind: 'layer', source, image: job.digest, descriptor, ...read }
  const first = await runToEnd(service, shared, onState, signal)
  const others = first.place !== locationOf(source) && first.error !== undefined && !first.error.permanent
  const last = others ? await runToEnd(service, { ...shared, alone: true }, onState, signal) : first
  if (last.error !== undefined) throw Problem.from(last.error)
}

async function runToEnd(
  service: Service,
  job: LayerJob,
  onState: (state: JobState) => void,
  signal: AbortSignal,
): Promise<JobState> {
  for await (const state of follow(service.host.jobs, job, LAYER_MILLISECONDS, signal)) {
    onState(state)
    if (isFinished(state)) return state
  }
  throw new Problem('registry_timeout', `reading the layer ${job.descriptor.digest} took too long`)
}

/** @param progress by the digests of the layers that are not indexed yet */
function sum(layers: readonly Descriptor[], progress: ReadonlyMap<string, Reading>): JobProgress {
  const missing = [...progress.values()]
  const total = (of: (one: Reading) => number) => missing.reduce((all, one) => all + of(one), 0)
  const longest = missing.reduce((most, one) => Math.max(most, one.waitedMilliseconds), 0)
  const inState = (status: Reading['status']) =>
    layers.flatMap(({ digest }, layer) => {
      const one = progress.get(digest)
      return one?.status === status ? [{ layer, bytes: one.bytes, bytesDone: one.bytesDone }] : []
    })
  return {
    layers: layers.length,
    layersDone: layers.length - missing.filter(({ status }) => status !== 'done').length,
    layersReused: layers.length - missing.length,
    bytes: total((one) => one.bytes),
    bytesDone: total((one) => one.bytesDone),
    reading: inState('reading'),
    waiting: inState('waiting').map(({ layer }) => layer),
    // A lower bound, since several layers wait at the same time.
    waitedMilliseconds: Math.max(longest, total((one) => one.waitedMilliseconds) / LAYERS_AT_ONCE),
  }
}
