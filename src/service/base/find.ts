/** Finds the image that another one stands on, from manifests and configs alone. */
import type { BaseWarning } from '../../base/base.ts'
import { chainIds, isBeginning, layersBeforePause } from '../../base/layers.ts'
import { inParallel } from '../../concurrency.ts'
import { basesPrefix, imageKey } from '../../index/keys.ts'
import {
  type BaseName,
  type BaseTarget,
  type Evidence,
  NAMING,
  type Naming,
  type TaggedRepository,
  targetOf,
} from '../../oci/base-names.ts'
import { requireDiffIds } from '../../oci/config.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import { namesOfBase } from './names.ts'
import type { OpenOnce } from './open-once.ts'

/** An image that is the base. */
export type BaseImage = {
  readonly image: OpenedImage
  /** As named, with the tag where there is one. */
  readonly reference: string
  readonly tagged?: TaggedRepository
}

export type FoundBase = {
  readonly evidence: readonly Evidence[]
  /** How many of the image's layers are the base's. */
  readonly layers: number
  /** Absent for a guess. */
  readonly named?: BaseImage
}

export type Findings = {
  readonly base?: FoundBase
  readonly warnings: readonly BaseWarning[]
}

export type BaseQuestion = {
  readonly image: OpenedImage
  readonly candidates: readonly string[]
  readonly images: OpenOnce
  readonly signal: AbortSignal
}

const NAMES_AT_ONCE = 4
const MAX_SHOWN = 256
/** How many beginnings are looked up in the store, the longest first. */
const MAX_BEGINNINGS = 64
const BEGINNINGS_AT_ONCE = 8
const MAX_KNOWN = 2

/** @throws Problem `invalid_image` if the config does not fit the manifest, `invalid_reference` for a candidate */
export async function findBase(service: Service, question: BaseQuestion): Promise<Findings> {
  const { base, warnings } = await findNamed(question)
  const found = base ?? (await findKnown(service, question)) ?? guess(question)
  return { ...(found === undefined ? {} : { base: found }), warnings }
}

/** The base that names lead to. */
export async function findNamed(question: BaseQuestion): Promise<Findings> {
  const { image, candidates, images, signal } = question
  requireDiffIds(image.manifest, image.config)
  for (const name of candidates) targetOf({ evidence: 'candidate', name })
  const names = await namesOfBase(image, candidates, signal)
  const opened = await inParallel(names, NAMES_AT_ONCE, (name) => openName(name, images))
  const fitting = opened.filter((one) => 'image' in one && standsOn(image, one.image))
  const best = fitting.reduce<Opened | undefined>((a, b) => (layersOf(b) > layersOf(a) ? b : a), undefined)
  const warnings = unique(opened.flatMap((one) => warningsOf(one, fitting.includes(one))))
  if (best === undefined || 'problem' in best) return { warnings }
  const layers = layersOf(best)
  const sayers = new Set(fitting.filter((one) => layersOf(one) === layers).map(({ name }) => name.evidence))
  const evidence = NAMING.filter((one) => sayers.has(one))
  const { image: found, target } = best
  return { base: { evidence, layers, named: { image: found, ...shownOf(target) } }, warnings }
}

type Opened = { readonly name: BaseName } & (
  | { readonly image: OpenedImage; readonly target: BaseTarget }
  | { readonly problem: Problem }
)

async function openName(name: BaseName, images: OpenOnce): Promise<Opened> {
  try {
    const target = targetOf(name)
    const { opened, otherwise } = target
    const first = await images.name(opened)
    const isGone = first instanceof Problem && first.code === 'image_not_found'
    const image = isGone && otherwise !== undefined ? await images.name(otherwise) : first
    return image instanceof Problem ? { name, problem: image } : { name, image, target }
  } catch (error) {
    if (error instanceof Problem) return { name, problem: error }
    throw error
  }
}

function standsOn({ identity, config }: OpenedImage, base: OpenedImage): boolean {
  return base.identity.digest !== identity.digest && isBeginning(base.config.diffIds, config.diffIds)
}

function layersOf(opened: Opened | undefined): number {
  return opened !== undefined && 'image' in opened ? opened.image.config.diffIds.length : 0
}

function shownOf({ reference, tagged }: BaseTarget): Omit<BaseImage, 'image'> {
  return { reference, ...(tagged === undefined ? {} : { tagged }) }
}

/** Candidates, and stages of a build, often do not fit. */
const EXPECTED: ReadonlySet<string> = new Set<Naming>(['annotation', 'label'])

function warningsOf(opened: Opened, fits: boolean): readonly BaseWarning[] {
  const { evidence, name } = opened.name
  const about = { evidence, reference: name.slice(0, MAX_SHOWN) }
  if ('problem' in opened) return [{ code: 'baseUnreadable', ...about, problem: opened.problem }]
  return fits || !EXPECTED.has(evidence) ? [] : [{ code: 'baseDoesNotMatch', ...about }]
}

/** A source may name an image more than once. */
function unique(warnings: readonly BaseWarning[]): readonly BaseWarning[] {
  const known = new Map<string, BaseWarning>()
  for (const warning of warnings) {
    const key = JSON.stringify([warning.code, warning.evidence, warning.reference])
    if (!known.has(key)) known.set(key, warning)
  }
  return [...known.values()]
}

/** An analysed public image with the longest proper beginning, if its registry still has it. */
async function findKnown(service: Service, question: BaseQuestion): Promise<FoundBase | undefined> {
  const { image, images } = question
  const { diffIds } = image.config
  const chains = chainIds(diffIds)
    .slice(0, -1)
    .map((chain, i) => ({ chain, layers: i + 1 }))
    .reverse()
    .slice(0, MAX_BEGINNINGS)
  let left = MAX_KNOWN
  for (let i = 0; i < chains.length; i += BEGINNINGS_AT_ONCE) {
    const some = chains.slice(i, i + BEGINNINGS_AT_ONCE)
    const known = await Promise.all(some.map(({ chain }) => readKnown(service, chain)))
    for (const [at, { layers }] of some.entries()) {
      const name = known[at]
      if (name === undefined || left === 0) continue
      left--
      const opened = await openName(name, images)
      if ('problem' in opened || layersOf(opened) !== layers || !standsOn(image, opened.image)) continue
      if (!(await isAnalysed(service, opened.image))) continue
      return { evidence: ['known'], layers, named: { image: opened.image, ...shownOf(opened.target) } }
    }
  }
  return undefined
}

/** The first of those that the store has. */
async function readKnown({ host }: Service, chain: string): Promise<BaseName | undefined> {
  const prefix = basesPrefix(chain)
  for await (const key of host.store.list(prefix)) {
    const [hex = '', name = ''] = key.slice(prefix.length).split('/')
    return { evidence: 'known', name: decodeURIComponent(name), digest: `sha256:${hex}` }
  }
  return undefined
}

function isAnalysed({ host }: Service, { index }: OpenedImage): Promise<boolean> {
  return host.store.has(imageKey(index, 'packages.parquet'))
}

function guess({ image }: BaseQuestion): FoundBase | undefined {
  const layers = layersBeforePause(image.config)
  return layers === undefined ? undefined : { evidence: ['history'], layers }
}
