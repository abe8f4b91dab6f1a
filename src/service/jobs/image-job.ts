/** One image: indexes its layers, as many at once as the host allows, then merges them. */

import { inParallel } from '../../concurrency.ts'
import type { ObjectStore } from '../../host.ts'
import { writeFailure } from '../../image/write.ts'
import { tableIndexName, tocImageName } from '../../index/keys.ts'
import {
  type IndexedLayer,
  readLayerFacts,
  readTableFacts,
  type TabledLayer,
} from '../../index/layer-index.ts'
import { type ImageJob, isFinished, type JobProgress, type JobState, type LayerJob } from '../../job.ts'
import { tableDigest } from '../../layer/toc/vouched.ts'
import { parseConfig, requireDiffIds } from '../../oci/config.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import { parseManifest } from '../../oci/manifest.ts'
import { Problem } from '../../problem.ts'
import { placeOf } from '../../source/source.ts'
import { openSource } from '../open-source.ts'
import type { Service } from '../service.ts'
import type { Visibility } from '../visibility.ts'
import { type Merge, Totals } from './merge.ts'
import { follow } from './wait.ts'

/** How many layers of one image are read at the same time. */
const LAYERS_AT_ONCE = 4
/** The transport's own limits end a layer that makes no progress; this only bounds the waiting. */
const LAYER_MILLISECONDS = 6 * 3_600_000

/** The progress of one layer while it is read. */
type LayerProgress = {
  readonly bytes: number
  bytesDone: number
  /** Of its longest attempt: a layer that gave its place away starts again. */
  waitedMilliseconds: number
  done: boolean
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
    const config = parseConfig(await source.config(manifest.config))
    requireDiffIds(manifest, config)
    const { layers } = manifest
    const indexAndMerge = async () => {
      const indexes = await indexLayers(service, job, { visibility: source.visibility, layers }, run)
      const indexed = layers.map((descriptor) => ({
        descriptor,
        index: indexes.get(descriptor.digest) ?? descriptor.digest,
      }))
      await run.merge({ index: imageIndexOf(job), config, layers: indexed, source: job.source })
      await source.visibility.requireSource(job.digest)
    }
    try {
      await indexAndMerge()
    } catch (error) {
      // A layer's index can be missing or damaged: it then counts as not indexed, and is rebuilt.
      if (!(error instanceof Problem && error.code === 'store_error')) throw error
      await indexAndMerge()
    }
  } catch (error) {
    if (error instanceof Problem && error.lasting)
      await writeFailure(service.host.store, imageIndexOf(job), error.toDocument())
    await source.visibility.requireSource(job.digest)
    throw error
  }
}

/** The name of the index that the job writes. */
export function imageIndexOf({ digest, read }: ImageJob): string {
  return read === 'toc' ? tocImageName(digest) : digest
}

/** @returns the names of the layers' indexes, by layer digest */
async function indexLayers(
  service: Service,
  job: ImageJob,
  { visibility, layers }: { readonly visibility: Visibility; readonly layers: readonly Descriptor[] },
  { report, signal }: ImageRun,
): Promise<ReadonlyMap<string, string>> {
  const { store, configuration } = service.host
  const totals = new Totals(configuration.limits)
  const indexes = new Map<string, string>()
  const count = ({ index, facts }: KnownLayer) => {
    indexes.set(facts.digest, index)
    for (const { digest } of layers) if (digest === facts.digest) totals.add(facts)
  }
  const known = (layer: Descriptor) => knownLayer(store, visibility, layer, job.read)
  const unique = new Map(layers.map((layer, index) => [layer.digest, { layer, index }]))
  const missing: { layer: Descriptor; index: number }[] = []
  await inParallel([...unique.values()], LAYERS_AT_ONCE, async (one) => {
    const found = await known(one.layer)
    if (found === undefined) missing.push(one)
    else count(found)
  })
  missing.sort((a, b) => b.layer.size - a.layer.size)
  const progress = new Map(
    missing.map(({ layer }): [string, LayerProgress] => [
      layer.digest,
      { bytes: layer.size, bytesDone: 0, waitedMilliseconds: 0, done: false },
    ]),
  )
  const tell = () => report(sum(layers.length, [...progress.values()]))
  tell()
  // One bad layer fails the image, so the jobs of the other layers are cancelled.
  const failed = new AbortController()
  const stopped = AbortSignal.any([signal, failed.signal])
  await inParallel(missing, LAYERS_AT_ONCE, async ({ layer, index }) => {
    const one = progress.get(layer.digest)
    if (one === undefined) return
    const onProgress = ({ bytesDone, waitedMilliseconds = 0 }: JobProgress) => {
      one.bytesDone = bytesDone
      one.waitedMilliseconds = Math.max(one.waitedMilliseconds, waitedMilliseconds)
      tell()
    }
    try {
      await inLayer(index, () => indexOne(service, { job, descriptor: layer }, onProgress, stopped))
      const found = await known(layer)
      if (found !== undefined) count(found)
    } catch (error) {
      failed.abort()
      throw error
    }
    one.bytesDone = one.bytes
    one.done = true
    tell()
  })
  return indexes
}

type KnownLayer = { readonly index: string; readonly facts: IndexedLayer | TabledLayer }

/**
 * The index of a layer that the caller may see: the one of its content, or, if that is enough, the one of its table of
 * contents.
 */
async function knownLayer(
  store: ObjectStore,
  visibility: Visibility,
  layer: Descriptor,
  read: ImageJob['read'],
): Promise<KnownLayer | undefined> {
  const { digest } = layer
  const facts = (await visibility.maySee(digest, 'layer')) ? await readLayerFacts(store, digest) : undefined
  if (facts !== undefined) return { index: digest, facts }
  const table = read === 'toc' ? tableDigest(layer) : undefined
  if (table === undefined || !(await visibility.maySeeTable({ table, blob: digest }))) return undefined
  const index = tableIndexName(digest, table)
  const told = await readTableFacts(store, index)
  return told && { index, facts: told }
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
  onProgress: (progress: JobProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const { source } = job
  const read = job.read === 'toc' && tableDigest(descriptor) !== undefined ? { read: job.read } : {}
  const shared: LayerJob = { kind: 'layer', source, image: job.digest, descriptor, ...read }
  const first = await runToEnd(service, shared, onProgress, signal)
  const others = first.place !== placeOf(source) && first.error !== undefined && !first.error.lasting
  const last = others ? await runToEnd(service, { ...shared, alone: true }, onProgress, signal) : first
  if (last.error !== undefined) throw Problem.from(last.error)
}

async function runToEnd(
  service: Service,
  job: LayerJob,
  onProgress: (progress: JobProgress) => void,
  signal: AbortSignal,
): Promise<JobState> {
  for await (const state of follow(service.host.jobs, job, LAYER_MILLISECONDS, signal)) {
    onProgress(state.progress)
    if (isFinished(state)) return state
  }
  throw new Problem('registry_timeout', `reading the layer ${job.descriptor.digest} took too long`)
}

function sum(layers: number, missing: readonly LayerProgress[]): JobProgress {
  const total = (of: (one: LayerProgress) => number) => missing.reduce((all, one) => all + of(one), 0)
  const longest = missing.reduce((most, one) => Math.max(most, one.waitedMilliseconds), 0)
  return {
    layers,
    layersDone: layers - missing.filter((one) => !one.done).length,
    layersReused: layers - missing.length,
    bytes: total((one) => one.bytes),
    bytesDone: total((one) => one.bytesDone),
    // At the least: so many layers wait at the same time.
    waitedMilliseconds: Math.max(longest, total((one) => one.waitedMilliseconds) / LAYERS_AT_ONCE),
  }
}
