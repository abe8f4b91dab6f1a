/** An image's facts on demand: from the index if the caller may see them, otherwise from an analysis. */

import { follow } from '../../follow-job.ts'
import { readStoredImage } from '../../image/image.ts'
import type { ImageFacts } from '../../image/report.ts'
import { imageKey, layerKey } from '../../index/keys.ts'
import type { ImageJob, JobState } from '../../job.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import { layerIndexName, maySeeLayer } from '../../open/layer-indexes.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import type { SeenImage } from '../../open/visibility.ts'
import { Problem, type ProblemDocument } from '../../problem.ts'

/** An index may be removed at any time, so an analysis can succeed in vain; hardly twice in a row. */
const ATTEMPTS = 3

export type Analysed =
  | { readonly done: true; readonly facts: ImageFacts }
  /** Not ready yet: the job's last known state. */
  | { readonly done: false; readonly state: JobState }

/** An image with the facts of its analysis. */
export type AnalysedImage = { readonly image: OpenedImage; readonly facts: ImageFacts }

export type WaitOptions = {
  /** How long to wait for a missing analysis, counted from the request; 0 only starts it. */
  readonly seconds: number
  readonly signal?: AbortSignal | undefined
}

export function imageJob(image: OpenedImage): ImageJob {
  const { source, identity, read } = image
  return {
    kind: 'image',
    source: source.ref,
    digest: identity.digest,
    ...(read === 'toc' ? { read } : {}),
  }
}

/**
 * The image's facts, if they are known and the caller may see them. Starts nothing.
 *
 * @throws Problem if the analysis is known to fail, because of the image's bytes
 */
export async function knownFacts(service: Service, image: OpenedImage): Promise<ImageFacts | undefined> {
  const { manifest, identity, source, index } = image
  const seen =
    image.read === 'toc' ? await seeTables(image) : await source.visibility.seeImage(index, manifest)
  const maySeeAll = seen.isWhole
  const { facts } = service.memory
  // An upload's facts must disappear when it is deleted, even by another process.
  const cached = source.isRemembered ? facts.get(index)?.facts : undefined
  if (maySeeAll && cached !== undefined) return (await maySeeAs(image, cached)) ? cached : undefined
  if (!maySeeAll && !(await knowsBadLayer(service, seen.layers, image.read))) return undefined
  const kept = await readStoredImage(service.host.store, index)
  if (kept === undefined) return undefined
  if ('failure' in kept) {
    if (!maySeeAll && !(await maySeeFailure(image, kept.failure))) return undefined
    throw Problem.from(kept.failure).with({ image: identity.reference })
  }
  if (!maySeeAll || !(await maySeeAs(image, kept.facts))) return undefined
  facts.set(index, kept)
  return kept.facts
}

/** Of which layers the caller may see an index. */
async function seeTables({ manifest, source }: OpenedImage): Promise<SeenImage> {
  const { visibility } = source
  const { config, layers } = manifest
  const [seesConfig, ...sees] = await Promise.all([
    visibility.maySee(config.digest, 'config'),
    ...layers.map((layer) => maySeeLayer(visibility, layer)),
  ])
  return { isWhole: seesConfig && sees.every(Boolean), layers: layers.filter((_, i) => sees[i]) }
}

/** Whether the caller may see the layer indexes that the image's index was made from. */
async function maySeeAs(image: OpenedImage, { layers }: ImageFacts): Promise<boolean> {
  if (image.read === 'full') return true
  const { visibility } = image.source
  return allHold(image.manifest.layers, async (layer) => {
    const isContent = layers.some(({ digest, verified }) => digest === layer.digest && verified === 'content')
    return !isContent || visibility.maySee(layer.digest, 'layer')
  })
}

async function allHold<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(items.map(holds))).every(Boolean)
}

/**
 * Whether one of these layers, which the caller may see, was read but could not be indexed. Reading stops at such a layer, so it
 * is unknown who could have given the others. This is checked before anything about the image is read: the time it takes then
 * depends only on layers that the caller may see.
 */
async function knowsBadLayer(
  { host }: Service,
  layers: readonly Descriptor[],
  read: OpenedImage['read'],
): Promise<boolean> {
  return !(await allHold(layers, (layer) => {
    const index = layerIndexName(layer, read === 'toc' ? 'contents-table' : 'content')
    return host.store.has(layerKey(index, 'entries.parquet'))
  }))
}

async function maySeeFailure(
  { manifest, source, read }: OpenedImage,
  failure: ProblemDocument,
): Promise<boolean> {
  const layer = manifest.layers[failure.layer ?? -1]
  if (layer === undefined) return false
  return read === 'toc'
    ? maySeeLayer(source.visibility, layer)
    : source.visibility.maySee(layer.digest, 'layer')
}

/**
 * Starts or joins the analysis of an image whose facts are not known ({@link knownFacts}), and waits for it.
 *
 * @throws Problem why the analysis failed; `layer_unavailable` if the caller may not see its layers
 */
export async function analyse(service: Service, image: OpenedImage, wait: WaitOptions): Promise<Analysed> {
  // Opening the image is part of the time that the caller waits.
  const until = image.askedAt + wait.seconds * 1000
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const state = await lastState(service, image, { until, signal: wait.signal })
    if (state.error !== undefined) throw Problem.from(state.error).with({ image: image.identity.reference })
    if (state.status !== 'succeeded') return { done: false, state }
    const made = await knownFacts(service, image)
    if (made !== undefined) return { done: true, facts: made }
    await image.source.visibility.requireSource(image.identity.digest)
    if (await isAnalysed(service, image)) {
      const detail = `these credentials cannot read the layers of ${image.identity.reference}`
      throw new Problem('layer_unavailable', detail, { image: image.identity.reference })
    }
    // Another source of the same bytes was deleted, and the index with it.
  }
  const detail = 'the index of the image was removed from the store; try again to rebuild it'
  throw new Problem('store_error', detail, { image: image.identity.reference, retryAfter: 5 })
}

type Until = { readonly until: number; readonly signal: AbortSignal | undefined }

async function lastState({ host }: Service, image: OpenedImage, { until, signal }: Until): Promise<JobState> {
  let last: JobState | undefined
  const milliseconds = Math.max(0, until - Date.now())
  for await (const state of follow(host.jobs, imageJob(image), milliseconds, signal)) last = state
  if (last === undefined) throw new Problem('internal_error', 'the analysis did not start')
  return last
}

function isAnalysed({ host }: Service, { index }: OpenedImage): Promise<boolean> {
  return host.store.has(imageKey(index, 'packages.parquet'))
}
