/** The second half of an image's analysis: its indexed layers become the image's own tables and report. */
import { inParallel } from '../../concurrency.ts'
import type { Limits } from '../../configuration.ts'
import type { Host } from '../../host.ts'
import type { ImageLayer } from '../../image/facts.ts'
import { writeImage } from '../../image/write.ts'
import { readLayerFacts } from '../../index/layer-index.ts'
import type { LayerFacts } from '../../layer/read.ts'
import type { ImageConfig } from '../../oci/config.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import { Problem } from '../../problem.ts'

/** Plain data, so that a host can do this in another thread. */
export type Merge = {
  /** Of the manifest. */
  readonly digest: string
  readonly config: ImageConfig
  /** From the lowest; all are indexed. */
  readonly layers: readonly Descriptor[]
}

/** Layers of which the facts are read at the same time. */
const FACTS_AT_ONCE = 16

/** @throws Problem `invalid_image` where a layer is not what manifest and config say; `too_large`; `store_error` */
export async function mergeImage(host: Host, { digest, config, layers }: Merge): Promise<void> {
  const { store, configuration } = host
  const stored = await inParallel(layers, FACTS_AT_ONCE, (layer) => readLayerFacts(store, layer.digest))
  const totals = new Totals(configuration.limits)
  const indexed: ImageLayer[] = []
  for (const [layer, descriptor] of layers.entries()) {
    const facts = stored[layer]
    if (facts === undefined)
      throw new Problem(
        'store_error',
        `the index of layer ${layer} is missing from the store; ask again to rebuild it`,
        { layer },
      )
    requireAsTold(facts, { layer, descriptor, diffId: config.diffIds[layer] })
    totals.add(facts)
    indexed.push({ descriptor, facts })
  }
  await writeImage(store, { digest, config, layers: indexed })
}

type Told = { readonly layer: number; readonly descriptor: Descriptor; readonly diffId: string | undefined }

function requireAsTold(facts: LayerFacts, { layer, descriptor, diffId }: Told): void {
  if (facts.compressedBytes !== descriptor.size) {
    const detail = `layer ${layer} has ${facts.compressedBytes} bytes, but the manifest says ${descriptor.size}`
    throw new Problem('invalid_image', detail, { layer, lasting: true })
  }
  if (facts.diffId !== diffId) {
    const detail = `layer ${layer} has the diffId ${facts.diffId}, but the config says ${diffId ?? 'nothing'}`
    throw new Problem('invalid_image', detail, { layer, lasting: true })
  }
}

/** What an image's layers have together, held against the limits of an image as each becomes known. */
export class Totals {
  readonly #limits: Limits
  #bytes = 0
  #entries = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** @throws Problem `too_large` */
  add({ uncompressedBytes, entries }: Pick<LayerFacts, 'uncompressedBytes' | 'entries'>): void {
    this.#bytes += uncompressedBytes
    this.#entries += entries
    const { imageBytes, entries: members } = this.#limits
    if (this.#bytes > imageBytes) throw tooLarge('LAMINA_MAX_IMAGE_BYTES', imageBytes, 'bytes')
    if (this.#entries > members) throw tooLarge('LAMINA_MAX_ENTRIES', members, 'members')
  }
}

function tooLarge(setting: string, limit: number, what: string): Problem {
  return new Problem('too_large', `the image has more than ${limit} ${what} (${setting})`)
}
