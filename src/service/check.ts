/** The images that a policy is about, each known as deeply as its rules need it. */

import { evaluate } from '../gate/evaluate.ts'
import { needsOf, type Policy } from '../gate/policy.ts'
import type { Depth } from '../gate/rules.ts'
import type { GateImage } from '../gate/subject.ts'
import type { Verdict } from '../gate/verdict.ts'
import type { ObjectStore } from '../host.ts'
import type { ImageFacts } from '../image/report.ts'
import { gateTables } from './gate-tables.ts'
import type { OpenedImage } from './open.ts'

/** How images are come by for somebody who asks. */
export type Source = {
  readonly open: (reference: string) => Promise<OpenedImage>
  /** @throws Problem `analysis_pending` where they are not there in time */
  readonly facts: (image: OpenedImage) => Promise<ImageFacts>
}

/** @throws Problem whatever stands between who asks and the images; `not_based_on` */
export async function judge(
  store: ObjectStore,
  source: Source,
  reference: string,
  policy: Policy,
): Promise<Verdict> {
  const { baseline, baseImage } = policy
  const needs = needsOf(policy)
  const [image, against, base] = await Promise.all([
    know(source, reference, needs.image),
    baseline === undefined ? undefined : know(source, baseline, needs.baseline ?? 'manifest'),
    baseImage === undefined ? undefined : know(source, baseImage, 'manifest'),
  ])
  return evaluate(policy, {
    image: image.known,
    ...(needs.image === 'analysis' ? { tables: gateTables(store, image.opened) } : {}),
    ...(against === undefined ? {} : { baseline: against.known }),
    ...(base === undefined ? {} : { baseImage: base.known }),
  })
}

async function know(
  source: Source,
  reference: string,
  depth: Depth,
): Promise<{ readonly opened: OpenedImage; readonly known: GateImage }> {
  const opened = await source.open(reference)
  const { identity, manifest, config } = opened
  const known = { identity, manifest, diffIds: config.diffIds }
  return {
    opened,
    known: depth === 'manifest' ? known : { ...known, facts: await source.facts(opened) },
  }
}
