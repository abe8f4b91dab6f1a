/** Checks an image against a policy: finds out about each image only as much as the rules need. */
import type { Advice } from '../../advice/advise.ts'
import { allOf } from '../../concurrency.ts'
import { evaluate } from '../../gate/evaluate.ts'
import type { Evidence } from '../../gate/evidence.ts'
import { exclusionOf } from '../../gate/exclusion.ts'
import { needsOf, type Policy } from '../../gate/policy.ts'
import { AUTO_BASE, type Depth, type RuleName } from '../../gate/rules.ts'
import type { AutoBase, EarlierImages, GateImage, Pull } from '../../gate/subject.ts'
import type { RuleVerdict, Verdict } from '../../gate/verdict.ts'
import type { ObjectStore } from '../../host.ts'
import type { ImageFacts } from '../../image/report.ts'
import { verifiedImage } from '../../open/layer-indexes.ts'
import { type OpenedImage, requireCompressed } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import { adviceOf, withLines } from './advice.ts'
import type { Images } from './caller-images.ts'
import { gateTables } from './gate-tables.ts'
import { type LayerStep, layerSteps } from './layer-steps.ts'
import { comparePulls } from './update.ts'

export type CheckQuestion = {
  readonly image: string
  readonly policy: Policy
  /** The text of the image's Dockerfile: findings then name its lines. */
  readonly dockerfile?: string | undefined
  /** Whether to add advice to the verdict. */
  readonly advice?: boolean | undefined
}

export type Checked = { readonly verdict: Verdict; readonly advice?: Advice }

/** @throws Problem what opening or analysing the images fails with; `not_based_on` */
export async function judge(
  store: ObjectStore,
  images: Images,
  { image: reference, policy, dockerfile, advice = false }: CheckQuestion,
): Promise<Checked> {
  const { baseline, baseImage } = policy
  const needs = needsOf(policy)
  const depth = advice ? 'analysis' : needs.image
  const subject = images.open(reference)
  const [image, against, base] = await allOf([
    know(images, subject, {
      depth,
      compressed: asksFor(policy, 'maxCompressed', 'maxCompressedGrowth', 'maxGrowthOver', 'maxPull'),
    }),
    baseline === undefined
      ? undefined
      : know(images, images.open(baseline), {
          depth: needs.baseline ?? 'manifest',
          compressed: asksFor(policy, 'maxCompressedGrowth'),
        }),
    baseImage === undefined ? undefined : knowBase(images, subject, baseImage),
  ])
  const { opened, facts } = image
  const earlier = await earlierOf(images, policy, { image: opened, baseline: against?.opened })
  const steps = layerSteps(opened.config, dockerfile)
  const verdict = await evaluate(policy, {
    image: image.known,
    ...(facts === undefined
      ? {}
      : { tables: gateTables(store, { image: opened, facts, base: base?.opened }) }),
    ...(against === undefined ? {} : { baseline: against.known }),
    ...(against === undefined || !asksFor(policy, 'maxPull') ? {} : { pull: pullOf(against.opened, opened) }),
    ...(earlier === undefined ? {} : { earlier }),
    ...(base === undefined ? {} : { baseImage: base.known }),
    ...(base?.shown === undefined ? {} : { autoBase: base.shown }),
  })
  const judged = { verdict: withSteps(verdict, steps) }
  if (!advice || facts === undefined) return judged
  const exclusion = exclusionOf(policy.ignore, opened.config.diffIds, base && baseOf(base.known))
  const found = await adviceOf(store, { image: opened, facts }, exclusion, base?.opened)
  return { ...judged, advice: withLines(found, steps) }
}

type Compared = { readonly image: OpenedImage; readonly baseline: OpenedImage | undefined }

/**
 * Of the baseline's repository, or else of the image's; undefined if no rule is about them.
 *
 * @throws Problem `invalid_parameter` if neither is in a registry
 */
async function earlierOf(
  images: Images,
  { rules, historyTags }: Policy,
  { image, baseline }: Compared,
): Promise<EarlierImages | undefined> {
  const rule = rules.find(({ name }) => name === 'maxGrowthOver')
  if (typeof rule?.limit !== 'object' || !('last' in rule.limit)) return undefined
  const { reference } = baseline ?? image
  if (reference.transport !== 'docker')
    throw new Problem(
      'invalid_parameter',
      'maxGrowthOver compares with the tags of a repository: give a baseline in a registry',
      { parameter: 'baseline' },
    )
  const { registry, repository } = reference
  const { digest, platform } = image.identity
  return images.earlier({
    repository: { registry, repository },
    platform,
    tags: historyTags,
    last: rule.limit.last,
    digest,
  })
}

function pullOf(from: OpenedImage, to: OpenedImage): Pull {
  const { pull, total, states } = comparePulls({ from, to })
  const pulled = states.flatMap((state, index) => (state === 'shared' ? [] : [index]))
  return { bytes: pull.bytes, totalBytes: total.bytes, layers: new Set(pulled) }
}

export function baseOf({ identity, diffIds }: Pick<GateImage, 'identity' | 'diffIds'>): {
  readonly reference: string
  readonly diffIds: readonly string[]
} {
  return { reference: identity.reference, diffIds }
}

/** An image and its facts. */
type Known = { readonly opened: OpenedImage; readonly known: GateImage; readonly facts?: ImageFacts }

/** How much a policy needs to know about an image. */
type Needs = { readonly depth: Depth; readonly compressed: boolean }

async function know(
  images: Images,
  opening: Promise<OpenedImage>,
  { depth, compressed }: Needs,
): Promise<Known> {
  const opened = await opening
  if (compressed) requireCompressed(opened.identity.reference, opened)
  const known = gateImage(opened)
  if (depth === 'manifest') return { opened, known }
  const facts = await images.facts(opened)
  const verified = verifiedImage(opened, facts)
  return { opened: verified, known: { ...known, identity: verified.identity, facts }, facts }
}

/** Undefined if no name of a base fits. */
async function knowBase(
  images: Images,
  subject: Promise<OpenedImage>,
  name: string,
): Promise<(Known & { readonly shown?: AutoBase }) | undefined> {
  if (name !== AUTO_BASE) return know(images, images.open(name), { depth: 'manifest', compressed: false })
  const { base } = await images.autoBase(await subject)
  return base && { opened: base.image, known: gateImage(base.image), shown: base.shown }
}

function gateImage({ identity, manifest, config }: OpenedImage): GateImage {
  return { identity, manifest, diffIds: config.diffIds }
}

function withSteps(verdict: Verdict, steps: readonly LayerStep[]): Verdict {
  if (steps.length === 0) return verdict
  return { ...verdict, rules: verdict.rules.map((rule) => ruleWithSteps(rule, steps)) }
}

function ruleWithSteps(rule: RuleVerdict, steps: readonly LayerStep[]): RuleVerdict {
  if (rule.evidence === undefined) return rule
  const evidence = rule.evidence.map((one) => evidenceWithStep(one, steps))
  const line = evidence.find((one) => one.line !== undefined)?.line
  return { ...rule, evidence, ...(line === undefined ? {} : { line }) }
}

/** A layer's number alone says little, so its step is added. */
function evidenceWithStep(evidence: Evidence, steps: readonly LayerStep[]): Evidence {
  const { createdBy, line } = evidence.layer === undefined ? {} : (steps[evidence.layer] ?? {})
  return {
    ...evidence,
    ...(evidence.path !== undefined || createdBy === undefined ? {} : { createdBy }),
    ...(line === undefined ? {} : { line }),
  }
}

function asksFor({ rules }: Policy, ...names: readonly RuleName[]): boolean {
  return rules.some((rule) => names.includes(rule.name))
}
