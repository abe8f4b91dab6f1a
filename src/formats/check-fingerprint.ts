/** Recognises a finding in the next build, so that GitHub and GitLab do not report it as new. */
import { createHash } from 'node:crypto'
import type { AdviceItem } from '../advice/advise.ts'
import type { RuleVerdict } from '../gate/verdict.ts'
import type { ImageIdentity } from '../image/report.ts'
import { globOf } from './check-values.ts'

type ImageName = Pick<ImageIdentity, 'registry' | 'repository' | 'transport'>

function nameOf({ registry, repository = '', transport }: ImageName): readonly string[] {
  return [registry ?? transport, repository]
}

/**
 * What identifies a failing rule across rebuilds: the rule, its glob, the repository and the file that is annotated; not the
 * tag, digest or figures.
 *
 * @returns 64 hexadecimal digits, different for each rule of a verdict
 */
export function fingerprintOf(rule: RuleVerdict, image: ImageName, file: string): string {
  return digest([rule.rule, globOf(rule) ?? '', ...nameOf(image), file])
}

/** The same for advice: what it is about and the step, whichever layer that makes; equal items are numbered. */
export function adviceFingerprints(
  items: readonly AdviceItem[],
  image: ImageName,
  file: string,
): readonly string[] {
  const met = new Map<string, number>()
  return items.map(({ rule, kind = '', createdBy = '' }) => {
    const what = JSON.stringify([rule, kind, createdBy])
    const number = met.get(what) ?? 0
    met.set(what, number + 1)
    return digest(['advice', what, number, ...nameOf(image), file])
  })
}

export function problemFingerprint(code: string, image: string, file: string): string {
  return digest(['problem', code, image, file])
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
