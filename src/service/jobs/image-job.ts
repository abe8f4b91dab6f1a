/** One image: its layers into the index, all at once as far as the host allows, then their merge. */

import { inParallel } from '../../concurrency.ts'
import { writeFailure, writeImage } from '../../image/write.ts'
import { layerKey } from '../../index/keys.ts'
import { readLayerFacts } from '../../index/layer-index.ts'
import { type ImageJob, isFinished, type JobState, type LayerJob, type Progress } from '../../job.ts'
import type { LayerFacts } from '../../layer/read.ts'
import { parseConfig, requireDiffIds } from '../../oci/config.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import { parseManifest } from '../../oci/manifest.ts'
import { Problem } from '../../problem.ts'
import { placeOf } from '../../source/source.ts'
import { openSource } from '../open-source.ts'
import type { Service } from '../service.ts'
import type { Visibility } from '../visibility.ts'
import { follow } from './wait.ts'

/** Layers of one image that are read at the same time. */
const LAYERS_AT_ONCE = 4
/** Layers of which the facts are read at the same time. */
const FACTS_AT_ONCE = 16
/** A layer that makes no progress is given up by the transport's own limits; this is only a bound on waiting. */
const LAYER_MILLISECONDS = 6 * 3_600_000

/** Of one layer, while it is read. */
type LayerProgress = { readonly bytes: number; bytesDone: number; done: boolean }

export async function runImageJob(
  service: Service,
  job: ImageJob,
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  const { store, wasm, merges } = service.host
  const source = openSource(service, job.source, signal)
  try {
    const manifest = parseManifest(await source.manifest(job.digest))
    if (manifest.kind === 'index') throw new Problem('not_an_image', 'an index has no layers of its own')
    const config = parseConfig(await source.config(manifest.config))
    requireDiffIds(manifest, config)
    await indexLayers(service, job, source.visibility, manifest.layers, report, signal)
    const layers = await collect(service, manifest.layers, config.diffIds)
    const leave = await merges?.enter(signal)
    try {
      await writeImage(store, { digest: job.digest, config, layers, wasm })
    } finally {
      leave?.()
    }
  } catch (error) {
    if (error instanceof Problem && error.lasting) await writeFailure(store, job.digest, error.toDocument())
    throw error
  }
}

async function indexLayers(
  service: Service,
  job: ImageJob,
  visibility: Visibility,
  layers: readonly Descriptor[],
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  const { store } = service.host
  const unique = new Map(layers.map((layer, index) => [layer.digest, { layer, index }]))
  const missing: { layer: Descriptor; index: number }[] = []
  await inParallel([...unique.values()], LAYERS_AT_ONCE, async (one) => {
    const usable =
      (await visibility.maySee(one.layer.digest, 'blob')) &&
      (await store.has(layerKey(one.layer.digest, 'layer.json')))
    if (!usable) missing.push(one)
  })
  missing.sort((a, b) => b.layer.size - a.layer.size)
  const progress = new Map(
    missing.map(({ layer }): [string, LayerProgress] => [
      layer.digest,
      { bytes: layer.size, bytesDone: 0, done: false },
    ]),
  )
  const tell = () => report(sum(layers.length, [...progress.values()]))
  tell()
  // One bad layer is enough: nobody waits for the others then, and their jobs are given up.
  const failed = new AbortController()
  const stopped = AbortSignal.any([signal, failed.signal])
  await inParallel(missing, LAYERS_AT_ONCE, async ({ layer, index }) => {
    const one = progress.get(layer.digest)
    if (one === undefined) return
    const onBytes = (bytesDone: number) => {
      one.bytesDone = bytesDone
      tell()
    }
    try {
      await indexOne(service, job, layer, onBytes, stopped)
    } catch (error) {
      failed.abort()
      throw error instanceof Problem ? error.with({ layer: index }) : error
    }
    one.bytesDone = one.bytes
    one.done = true
    tell()
  })
}

/** Shared with every image of the registry that has this layer; alone where the shared one failed for another repository. */
async function indexOne(
  service: Service,
  job: ImageJob,
  descriptor: Descriptor,
  onBytes: (bytesDone: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { source } = job
  const shared: LayerJob = { kind: 'layer', source, descriptor }
  const first = await runToEnd(service, shared, onBytes, signal)
  const others = first.place !== placeOf(source) && first.error !== undefined && !first.error.lasting
  const last = others ? await runToEnd(service, { ...shared, alone: true }, onBytes, signal) : first
  if (last.error !== undefined) throw Problem.from(last.error)
}

async function runToEnd(
  service: Service,
  job: LayerJob,
  onBytes: (bytesDone: number) => void,
  signal: AbortSignal,
): Promise<JobState> {
  for await (const state of follow(service.host.jobs, job, LAYER_MILLISECONDS, signal)) {
    onBytes(state.progress.bytesDone)
    if (isFinished(state)) return state
  }
  throw new Problem('registry_timeout', `the layer ${job.descriptor.digest} took too long`)
}

/** The facts of each layer in order, held against what manifest and config say of it. */
async function collect(
  service: Service,
  descriptors: readonly Descriptor[],
  diffIds: readonly string[],
): Promise<{ descriptor: Descriptor; facts: LayerFacts }[]> {
  const { store, configuration } = service.host
  const { limits } = configuration
  const layers: { descriptor: Descriptor; facts: LayerFacts }[] = []
  let bytes = 0
  let entries = 0
  const stored = await inParallel(descriptors, FACTS_AT_ONCE, ({ digest }) => readLayerFacts(store, digest))
  for (const [layer, descriptor] of descriptors.entries()) {
    const facts = stored[layer]
    if (facts === undefined)
      throw new Problem('store_error', `the index of layer ${layer} is gone`, { layer })
    if (facts.compressedBytes !== descriptor.size) {
      const detail = `layer ${layer} has ${facts.compressedBytes} bytes, the manifest says ${descriptor.size}`
      throw new Problem('invalid_image', detail, { layer, lasting: true })
    }
    const diffId = diffIds[layer]
    if (facts.diffId !== diffId) {
      const detail = `layer ${layer} has the diffId ${facts.diffId}, the config says ${diffId ?? 'nothing'}`
      throw new Problem('invalid_image', detail, { layer, lasting: true })
    }
    bytes += facts.uncompressedBytes
    entries += facts.entries
    if (bytes > limits.imageBytes) throw tooLarge('LAMINA_MAX_IMAGE_BYTES', limits.imageBytes, 'bytes')
    if (entries > limits.entries) throw tooLarge('LAMINA_MAX_ENTRIES', limits.entries, 'members')
    layers.push({ descriptor, facts })
  }
  return layers
}

function tooLarge(setting: string, limit: number, what: string): Problem {
  return new Problem('too_large', `the image has more than ${limit} ${what} (${setting})`)
}

function sum(layers: number, missing: readonly LayerProgress[]): Progress {
  const total = (of: (one: LayerProgress) => number) => missing.reduce((all, one) => all + of(one), 0)
  return {
    layers,
    layersDone: layers - missing.filter((one) => !one.done).length,
    layersReused: layers - missing.length,
    bytes: total((one) => one.bytes),
    bytesDone: total((one) => one.bytesDone),
  }
}
