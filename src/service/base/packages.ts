/** What the packages say about a base: how many are whose, what an update changes, what an alternative lacks. */
import type { Alternative, BaseReport, PartOfImage } from '../../base/base.ts'
import { diffPackages, type PackageDiff } from '../../diff/packages.ts'
import type { ObjectStore } from '../../host.ts'
import type { LayerReport, Package } from '../../image/report.ts'
import { compareText } from '../../text/bytes.ts'
import type { AnalysedImage } from '../images/analyse.ts'
import { packagesOf } from '../images/image-tables.ts'

export type AnalysedBase = {
  readonly image: AnalysedImage
  readonly base?: AnalysedImage | undefined
  /** What the tag names now, if that is another image. */
  readonly update?: AnalysedImage | undefined
  /** In the order of the report; undefined for one that cannot be analysed. */
  readonly alternatives: readonly (AnalysedImage | undefined)[]
}

/** @throws LostTable */
export async function withPackages(
  store: ObjectStore,
  report: BaseReport,
  { image, base, update, alternatives }: AnalysedBase,
): Promise<BaseReport> {
  const { layers } = image.facts
  const below = report.base?.layers ?? 0
  const mine = await allPackages(store, image)
  const theirs = base === undefined ? [] : await allPackages(store, base)
  const known = new Set(theirs.map(nameOf))
  const isGuess = report.base !== undefined && base === undefined
  const owned = new Set(mine.map(nameOf).filter((name) => !known.has(name))).size
  const inBaseVersion = sameVersions(mine, theirs)
  const shown = []
  for (const [i, alternative] of (report.alternatives ?? []).entries())
    shown.push(await describe(store, alternative, { analysed: alternatives[i], inBaseVersion }))
  const changes = base === undefined ? undefined : await changesOf(store, base, update)
  return {
    ...report,
    ...(report.base === undefined
      ? {}
      : {
          base: {
            ...report.base,
            ...bytesOf(layers.slice(0, below)),
            ...(isGuess ? {} : { packages: theirs.length }),
          },
        }),
    own: { ...report.own, ...bytesOf(layers.slice(below)), ...(isGuess ? {} : { packages: owned }) },
    ...(report.update === undefined
      ? {}
      : { update: { ...report.update, ...(hasPackages(report) && changes ? { packages: changes } : {}) } }),
    ...(report.alternatives === undefined ? {} : { alternatives: shown }),
  }
}

function hasPackages({ update }: BaseReport): boolean {
  return update !== undefined && update.state !== 'unknown'
}

async function changesOf(
  store: ObjectStore,
  base: AnalysedImage,
  update: AnalysedImage | undefined,
): Promise<PackageDiff> {
  if (update === undefined) return { added: [], removed: [], changed: [] }
  const [from, to] = await Promise.all([packagesOf(store, base.image), packagesOf(store, update.image)])
  return diffPackages(from(0), to(0))
}

/** Absent if a layer's is not known. */
function bytesOf(layers: readonly LayerReport[]): Pick<PartOfImage, 'uncompressedBytes'> {
  let sum = 0
  for (const { uncompressedBytes } of layers) {
    if (uncompressedBytes === undefined) return {}
    sum += uncompressedBytes
  }
  return { uncompressedBytes: sum }
}

async function allPackages(store: ObjectStore, { image }: AnalysedImage): Promise<readonly Package[]> {
  const rows = await packagesOf(store, image)
  const all: Package[] = []
  for await (const batch of rows(0)) all.push(...batch)
  return all
}

function nameOf({ type, name }: Package): string {
  return `${type}\0${name}`
}

/** Names of packages that both have in one version. */
function sameVersions(mine: readonly Package[], theirs: readonly Package[]): readonly string[] {
  const versionOf = (found: Package) => `${nameOf(found)}\0${found.version ?? ''}`
  const had = new Set(mine.map(versionOf))
  const names = new Set(theirs.filter((found) => had.has(versionOf(found))).map(({ name }) => name))
  return [...names].sort(compareText)
}

async function describe(
  store: ObjectStore,
  alternative: Alternative,
  {
    analysed,
    inBaseVersion,
  }: { readonly analysed: AnalysedImage | undefined; readonly inBaseVersion: readonly string[] },
): Promise<Alternative> {
  if (analysed === undefined) return alternative
  const packages = await allPackages(store, analysed)
  const has = new Set(packages.map(({ name }) => name))
  return {
    ...alternative,
    packages: packages.length,
    missing: inBaseVersion.filter((name) => !has.has(name)),
  }
}
