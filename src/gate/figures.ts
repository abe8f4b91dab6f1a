/** The figures that rules are about, without what the policy excludes; each is computed once, and only on demand. */

import type { Efficiency, ImageFacts, LayerReport, SizedPath } from '../image/report.ts'
import { knownTarBytes } from '../image/tar-bytes.ts'
import type { ImageManifest } from '../oci/manifest.ts'
import { type Denied, type DeniedPath, findDenied } from './denied.ts'
import { type DuplicatesFound, findDuplicates, worstDuplicates } from './duplicated.ts'
import type { Evidence } from './evidence.ts'
import { type Exclusion, exclusionOf, findWaste, type WasteFound, worstWaste } from './exclusion.ts'
import type { EarlierImages, Pull, Subject } from './subject.ts'
import type { AdviceFigures, GateTables, Severity } from './tables.ts'
import { SHOWN, Worst } from './worst.ts'

/** What is known about a layer: the manifest's part always, the rest after an analysis. */
export type LayerFigures = Partial<LayerReport> & Pick<LayerReport, 'index' | 'compressedBytes'>

/** The value of a figure for one layer; undefined if the layer is not an offender. */
export type LayerMeasure = (layer: LayerFigures) => number | undefined

/** The parts of a policy that change the figures. */
export type FiguresScope = {
  /** Globs of paths that count as neither waste, duplicates, advice nor denied. */
  readonly ignore: readonly string[]
  /** The globs of the rules `deny`. */
  readonly deny: readonly string[]
  /** The globs of the rules `denyShown`. */
  readonly denyShown: readonly string[]
}

export class Figures {
  readonly #subject: Subject
  readonly #exclusion: Exclusion | undefined
  readonly #stored: DenyFinder
  readonly #shown: DenyFinder
  #waste: Promise<WasteFound> | undefined
  #duplicates: Promise<DuplicatesFound> | undefined
  #efficiency: Promise<Efficiency> | undefined
  #advice: Promise<AdviceFigures> | undefined

  constructor({ ignore, deny, denyShown }: FiguresScope, subject: Subject) {
    const { baseImage, image } = subject
    const base =
      baseImage === undefined
        ? undefined
        : { reference: baseImage.identity.reference, diffIds: baseImage.diffIds }
    this.#subject = subject
    this.#exclusion = exclusionOf(ignore, image.diffIds, base)
    const ignores = this.#exclusion?.ignores ?? (() => false)
    this.#stored = new DenyFinder(() => this.#tables.stored(), deny, ignores)
    this.#shown = new DenyFinder(() => this.#tables.files(), denyShown, ignores)
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

  get pull(): Pull {
    return present(this.#subject.pull)
  }

  worstPulledLayers(): readonly Evidence[] {
    const { layers } = this.pull
    return this.worstLayers(({ index, compressedBytes }) => (layers.has(index) ? compressedBytes : undefined))
  }

  get earlier(): EarlierImages {
    return present(this.#subject.earlier)
  }

  get layerCount(): number {
    return this.#subject.image.manifest.layers.length
  }

  get largestLayerBytes(): number {
    return this.facts.layers.reduce((largest, layer) => Math.max(largest, knownTarBytes(layer)), 0)
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

  advice(): Promise<AdviceFigures> {
    this.#advice ??= this.#tables.advice(this.#exclusion)
    return this.#advice
  }

  /** The ten largest paths of the items that satisfy `keeps`; those of errors come first, then values of the config. */
  async worstAdvised(
    keeps: (item: { readonly severity: Severity }) => boolean,
  ): Promise<readonly Evidence[]> {
    const { items } = await this.advice()
    const values = items
      .filter((item) => keeps(item) && item.paths.length === 0 && item.bytes === 0)
      .map(({ kind, name }) => ({
        ...(kind === undefined ? {} : { kind }),
        ...(name === undefined ? {} : { name }),
      }))
    const found = new Map<string, { readonly severity: Severity; readonly path: SizedPath }>()
    for (const { severity, paths } of items.filter(keeps)) {
      for (const path of paths) {
        const name = `${path.layer} ${path.pathBase64 ?? path.path}`
        if (found.get(name)?.severity !== 'error') found.set(name, { severity, path })
      }
    }
    const isError = ({ severity }: { readonly severity: Severity }) => Number(severity === 'error')
    const paths = [...found.values()].sort((a, b) => isError(b) - isError(a) || b.path.bytes - a.path.bytes)
    const errors = paths.filter((item) => isError(item) === 1).map(({ path }) => path)
    const rest = paths.filter((item) => isError(item) === 0).map(({ path }) => path)
    return [...errors, ...values, ...rest].slice(0, SHOWN)
  }

  /** What the layers store, even if a later one hides it. */
  deniedStored(glob: string): Promise<Denied> {
    return this.#stored.find(glob)
  }

  deniedShown(glob: string): Promise<Denied> {
    return this.#shown.find(glob)
  }

  async withHidden(paths: readonly DeniedPath[]): Promise<readonly Evidence[]> {
    const evidence: Evidence[] = []
    for (const { key, ...path } of paths) {
      evidence.push((await this.#tables.isShown(key)) ? path : { ...path, hidden: true })
    }
    return evidence
  }

  /** The ten layers with most of the files of the merged file system. */
  async filesByLayer(): Promise<readonly Evidence[]> {
    const files: number[] = []
    for await (const batch of this.#tables.files()) {
      for (const { type, layer } of batch) if (type === 'file') files[layer] = (files[layer] ?? 0) + 1
    }
    const worst = new Worst<Evidence>()
    files.forEach((count, layer) => {
      worst.offer(count, () => ({ files: count, layer }))
    })
    return worst.list()
  }

  /** The ten layers with the most of something, with these bytes. */
  worstLayers(weigh: LayerMeasure, bytes: LayerMeasure = weigh): readonly Evidence[] {
    return worstLayers(this.#layers(), weigh, bytes)
  }

  /** The same, without layers that the baseline or another image has, too. */
  worstNewLayers(
    weigh: LayerMeasure,
    diffIds: readonly string[] = this.#subject.baseline?.diffIds ?? [],
  ): readonly Evidence[] {
    const before = new Set(diffIds)
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

/** What a policy denies: all globs of one rule in one pass. */
class DenyFinder {
  readonly #candidates: () => Parameters<typeof findDenied>[0]
  readonly #globs: readonly string[]
  readonly #ignores: (path: string) => boolean
  #denied: Promise<readonly Denied[]> | undefined

  constructor(
    candidates: () => Parameters<typeof findDenied>[0],
    globs: readonly string[],
    ignores: (path: string) => boolean,
  ) {
    this.#candidates = candidates
    this.#globs = globs
    this.#ignores = ignores
  }

  async find(glob: string): Promise<Denied> {
    this.#denied ??= findDenied(this.#candidates(), this.#globs, this.#ignores)
    return present((await this.#denied)[this.#globs.indexOf(glob)])
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

/** What `needsOf` asks for must be present: its absence is the caller's fault. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('the policy needs more of the image than was given')
  return value
}
