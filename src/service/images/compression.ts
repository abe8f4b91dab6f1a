/** What the layers of an image have in other compressions: what is kept, and the rest measured. */
import type { CompressionSaving } from '../../advice/compression.ts'
import { inParallel } from '../../concurrency.ts'
import type { MeasureLayer } from '../../host.ts'
import { readMeasured } from '../../index/measured.ts'
import type { LayerMeasurement, MeasuredSetting } from '../../job.ts'
import type { Compression } from '../../oci/compression.ts'
import { type CompressionSetting, DEFAULT_SETTING } from '../../oci/compression-setting.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import { AskedWork } from './asked-work.ts'

export type CompressionQuestion = {
  /** In the order of the answer. */
  readonly settings: readonly CompressionSetting[]
  /** Indexes of layers, lowest first. */
  readonly layers: readonly number[]
  readonly seconds: number
  readonly signal: AbortSignal
  /** Called before something is measured. */
  readonly admit: () => Promise<void>
}

export type CompressionProgress = { readonly layers: number; readonly layersDone: number }

type Sizes = {
  readonly compressedBytes: number
  readonly uncompressedBytes: number
  readonly decompressSeconds: number
}

export type CompressedLayer = Sizes & {
  readonly index: number
  readonly digest: string
  readonly compression: Compression
  readonly measured: Readonly<Record<string, MeasuredSetting>>
}

export type CompressionReport = {
  readonly layers: readonly CompressedLayer[]
  /** A blob once. */
  readonly total: Sizes & {
    readonly layers: number
    /** `saved` is negative if the layers grow. */
    readonly measured: Readonly<Record<string, MeasuredSetting & { readonly saved: number }>>
  }
}

type Measurements = ReadonlyMap<string, LayerMeasurement>

/** What is measured, for those who ask for the same. */
export type Measuring = AskedWork<Measurements, CompressionProgress>

export function startMeasuring(): Measuring {
  return new AskedWork()
}

const READS_AT_ONCE = 8

/**
 * The measuring function of the host.
 *
 * @throws Problem `not_supported`
 */
export function encodersOf({ host }: Pick<Service, 'host'>): MeasureLayer {
  if (host.measureLayer !== undefined) return host.measureLayer
  throw new Problem(
    'not_supported',
    'this service cannot compress: ask a service on Node, or the command (lamina compression)',
  )
}

/** @throws Problem `not_supported`, `layer_not_found`; what reading a layer fails with */
export async function measureCompression(
  service: Service,
  measuring: Measuring,
  image: OpenedImage,
  question: CompressionQuestion,
): Promise<{ readonly report: CompressionReport } | { readonly progress: CompressionProgress }> {
  const measure = encodersOf(service)
  const { settings, layers, seconds, signal, admit } = question
  const blobs = new Map(
    layers.map((index): [string, Descriptor] => {
      const layer = layerOf(image, index)
      return [layer.digest, layer]
    }),
  )
  const { scope, ref } = image.source
  const key = JSON.stringify([scope, image.identity.digest, layers, settings])
  if (!measuring.has(key)) {
    const known = await knownOf(service, image, [...blobs.keys()], settings)
    if (known.size === blobs.size) return { report: reportOf(image, question, known) }
    await admit()
  }
  const asked = await measuring.ask(key, {
    progress: { layers: blobs.size, layersDone: 0 },
    seconds,
    signal,
    begin: async (cancelled, report) => {
      const measured = new Map<string, LayerMeasurement>()
      for (const [digest, descriptor] of blobs) {
        const job = { source: ref, image: image.identity.digest, descriptor, settings }
        measured.set(digest, await measure(job, cancelled))
        report({ layers: blobs.size, layersDone: measured.size })
      }
      return measured
    },
  })
  if ('progress' in asked) return asked
  return { report: reportOf(image, question, asked.result) }
}

function layerOf({ manifest }: OpenedImage, index: number): Descriptor {
  const layer = manifest.layers[index]
  if (layer !== undefined) return layer
  const { length } = manifest.layers
  const range = length === 0 ? 'none' : `${length} layers (0 to ${length - 1})`
  throw new Problem('layer_not_found', `layer ${index} does not exist; the image has ${range}`)
}

/**
 * What the setting that is measured by default saves, if all layers were measured with it; measures nothing. For answers about the
 * analysed image, which are shown only to those who may see its layers.
 */
export async function measuredSaving(
  { host, memory }: Pick<Service, 'host' | 'memory'>,
  { manifest, identity }: OpenedImage,
): Promise<CompressionSaving | undefined> {
  if (!host.keepsMeasurements) return undefined
  const known = memory.compressionSavings.get(identity.digest)
  if (known !== undefined) return known
  const [first, ...others] = new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()
  const savedBy = async ({ digest, size }: Descriptor): Promise<number | undefined> => {
    const found = await readMeasured(host.store, digest, [DEFAULT_SETTING])
    const measured = found?.measured[DEFAULT_SETTING]
    return measured && size - measured.bytes
  }
  // Most images were never measured: one look tells.
  const start = first && (await savedBy(first))
  if (start === undefined) return undefined
  let bytes = start
  for (const saved of await inParallel(others, READS_AT_ONCE, savedBy)) {
    if (saved === undefined) return undefined
    bytes += saved
  }
  const saving = { setting: DEFAULT_SETTING, bytes }
  memory.compressionSavings.set(identity.digest, saving)
  return saving
}

/** What is kept of the layers that the caller may see. */
async function knownOf(
  { host }: Service,
  { source }: OpenedImage,
  digests: readonly string[],
  settings: readonly CompressionSetting[],
): Promise<Measurements> {
  const known = await inParallel(
    digests,
    READS_AT_ONCE,
    async (digest): Promise<[string, LayerMeasurement][]> => {
      const found = await readMeasured(host.store, digest, settings)
      const isWhole =
        found !== undefined && settings.every((setting) => found.measured[setting] !== undefined)
      return isWhole && (await source.visibility.maySee(digest, 'layer')) ? [[digest, found]] : []
    },
  )
  return new Map(known.flat())
}

function reportOf(
  image: OpenedImage,
  { layers, settings }: CompressionQuestion,
  found: Measurements,
): CompressionReport {
  const rows = layers.map((index): CompressedLayer => {
    const { digest, size } = layerOf(image, index)
    const measurement = found.get(digest)
    if (measurement === undefined) throw new Error(`the layer ${digest} is not measured`)
    const { compression, uncompressedBytes, decompressSeconds } = measurement
    const measured = settings.map((setting) => [setting, measuredOf(measurement.measured, setting)])
    return {
      index,
      digest,
      compression,
      compressedBytes: size,
      uncompressedBytes,
      decompressSeconds,
      measured: Object.fromEntries(measured),
    }
  })
  const blobs = [...new Map(rows.map((row) => [row.digest, row])).values()]
  const compressedBytes = sumOf(blobs, (row) => row.compressedBytes)
  const totals = settings.map((setting) => {
    const of = (field: keyof MeasuredSetting) =>
      sumOf(blobs, ({ measured }) => measuredOf(measured, setting)[field])
    const bytes = of('bytes')
    const seconds = { compressSeconds: of('compressSeconds'), decompressSeconds: of('decompressSeconds') }
    return [setting, { bytes, saved: compressedBytes - bytes, ...seconds }]
  })
  return {
    layers: rows,
    total: {
      layers: blobs.length,
      compressedBytes,
      uncompressedBytes: sumOf(blobs, (row) => row.uncompressedBytes),
      decompressSeconds: sumOf(blobs, (row) => row.decompressSeconds),
      measured: Object.fromEntries(totals),
    },
  }
}

function measuredOf(measured: LayerMeasurement['measured'], setting: string): MeasuredSetting {
  const one = measured[setting]
  if (one === undefined) throw new Error(`nothing is known of ${setting}`)
  return one
}

function sumOf<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((sum, item) => sum + figure(item), 0)
}
