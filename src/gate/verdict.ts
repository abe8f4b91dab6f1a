/** What a check comes to: the shape of `/v1/check`. */
import type { ImageIdentity } from '../image/report.ts'
import type { Evidence, Unit } from './evidence.ts'
import type { RuleName } from './rules.ts'

export type RuleVerdict = {
  readonly rule: RuleName
  readonly unit: Unit
  /** For `deny` the glob. */
  readonly limit: number | string
  /** For `deny` the number of paths that match; null where there is nothing to compare. */
  readonly actual: number | null
  readonly pass: boolean
  /** A sentence. It can hold what the caller or the image's author wrote. */
  readonly message: string
  /** Where the rule does not hold: the ten worst, worst first. */
  readonly evidence?: readonly Evidence[]
}

export type Verdict = {
  /** Whether every rule holds. */
  readonly pass: boolean
  readonly image: ImageIdentity
  readonly baseline?: ImageIdentity
  readonly rules: readonly RuleVerdict[]
}
