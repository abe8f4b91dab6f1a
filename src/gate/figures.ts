/** The figures that rules are about, without what the policy excludes; each is found once, and only where it is asked for. */
import type { Efficiency, ImageFacts, LayerReport } from '../image/report.ts'
import type { ImageManifest } from '../oci/manifest.ts'
import { type Denied, findDenied } from './denied.ts'
import { type DuplicatesFound, findDuplicates, worstDuplicates } from './duplicated.ts'
import type { Evidence } from './evidence.ts'
import { type Exclusion, exclusionOf, findWaste, type WasteFound, worstWaste } from './exclusion.ts'
import type { Subject } from './subject.ts'
import type { GateTables } from './tables.ts'
import { Worst } from './worst.ts'

/** What is known of a layer: the manifest's part always, the rest after an analysis. */
export type LayerFigures = Partial<LayerReport> & Pick<LayerReport, 'index' | 'compressedBytes'>

/** What of a layer a figure is about; undefined where it is no offender. */
export type LayerMeasure = (layer: LayerFigures) => number | undefined

/** What of a policy changes the figures. */
export type FiguresScope = {
  /** Globs of paths that count as neither waste, duplicates nor denied. */
  readonly ignore: readonly string[]
  /** The globs of the rules `deny`, in their order. */
  readonly denied: readonly string[]
}

export class Figures {
  readonly #subject: Subject
  readonly #exclusion: Exclusion | undefined
  readonly #globs: readonly string[]
  #waste: Promise<WasteFound> | undefined
  #duplicates: Promise<DuplicatesFound> | undefined
  #efficiency: Promise<Efficiency> | undefined
  #denied: Promise<readonly Denied[]> | undefined

  constructor({ ignore, denied }: FiguresScope, subject: Subject) {
    const { baseImage, image } = subject
    const base =
      baseImage === undefined
        ? undefined
        : { reference: baseImage.identity.reference, diffIds: baseImage.diffIds }
    this.#subject = subject
    this.#exclusion = exclusionOf(ignore, image.diffIds, base)
    this.#globs = denied
  }

  get facts(): ImageFacts {
    return present(this.#subject.image.facts)
  }

  get baselineFacts(): ImageFacts {
    return present(this.#subject.baseline?.facts)
  }

  get compressedBytes(): number {
    return compressedBytesOf(this.#subject.image.manifest)
  }

  get baselineCompressedBytes(): number {
    return compressedBytesOf(present(this.#subject.baseline).manifest)
  }

  get layerCount(): number {
    return this.#subject.image.manifest.layers.length
  }

  get largestLayerBytes(): number {
    return this.facts.layers.reduce((largest, layer) => Math.max(largest, layer.uncompressedBytes), 0)
  }

  async wastedBytes(): Promise<number> {
    return this.#exclusion === undefined
      ? this.facts.waste.bytes
      : (await this.#findWaste(this.#exclusion)).bytes
  }

  async worstWaste(): Promise<readonly Evidence[]> {
    return this.#exclusion === undefined
      ? worstWaste(this.#tables.waste())
      : (await this.#findWaste(this.#exclusion)).worst
  }

  async duplicatedBytes(): Promise<number> {
    return this.#exclusion === undefined
      ? this.facts.duplicates.wastedBytes
      : (await this.#findDuplicates(this.#exclusion)).wastedBytes
  }

  async worstDuplicates(): Promise<readonly Evidence[]> {
    return this.#exclusion === undefined
      ? worstDuplicates(this.#tables.duplicates())
      : (await this.#findDuplicates(this.#exclusion)).worst
  }

  efficiency(): Promise<Efficiency> {
    const exclusion = this.#exclusion
    this.#efficiency ??=
      exclusion === undefined ? Promise.resolve(this.facts.efficiency) : this.#tables.efficiency(exclusion)
    return this.#efficiency
  }

  async denied(glob: string): Promise<Denied> {
    const nothing = () => false
    this.#denied ??= findDenied(this.#tables.files(), this.#globs, this.#exclusion?.ignores ?? nothing)
    return present((await this.#denied)[this.#globs.indexOf(glob)])
  }

  /** The ten layers that have most of something, told with these bytes. */
  worstLayers(weigh: LayerMeasure, bytes: LayerMeasure = weigh): readonly Evidence[] {
    return worstLayers(this.#layers(), weigh, bytes)
  }

  /** Likewise, of those that the baseline does not have. */
  worstNewLayers(weigh: LayerMeasure): readonly Evidence[] {
    const before = new Set(this.#subject.baseline?.diffIds)
    const added = this.#layers().filter(({ diffId }) => diffId === undefined || !before.has(diffId))
    return worstLayers(added, weigh, weigh)
  }

  #layers(): readonly LayerFigures[] {
    const { manifest, diffIds, facts } = this.#subject.image
    return manifest.layers.map(({ size }, index) => {
      const diffId = diffIds[index]
      const known = { index, compressedBytes: size, ...(diffId === undefined ? {} : { diffId }) }
      return { ...facts?.layers[index], ...known }
    })
  }

  get #tables(): GateTables {
    return present(this.#subject.tables)
  }

  #findWaste(exclusion: Exclusion): Promise<WasteFound> {
    this.#waste ??= findWaste(this.#tables.waste(), exclusion)
    return this.#waste
  }

  #findDuplicates(exclusion: Exclusion): Promise<DuplicatesFound> {
    this.#duplicates ??= findDuplicates(this.#tables, exclusion)
    return this.#duplicates
  }
}

function compressedBytesOf(manifest: ImageManifest): number {
  return manifest.layers.reduce((sum, { size }) => sum + size, 0)
}

function worstLayers(
  layers: readonly LayerFigures[],
  weigh: LayerMeasure,
  bytesOf: LayerMeasure,
): readonly Evidence[] {
  const worst = new Worst<Evidence>()
  for (const layer of layers) {
    const weight = weigh(layer)
    if (weight === undefined) continue
    const bytes = bytesOf(layer)
    worst.offer(weight, () => ({ ...(bytes === undefined ? {} : { bytes }), layer: layer.index }))
  }
  return worst.list()
}

/** What `needsOf` says is needed is there: its absence is a fault of the caller's. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('the policy needs more of the image than was given')
  return value
}
