/** What a check comes to: the shape of `/v1/check`. */
import type { ImageIdentity } from '../image/report.ts'
import type { Evidence, Unit } from './evidence.ts'
import type { RuleName } from './rules.ts'

export type RuleVerdict = {
  readonly rule: RuleName
  readonly unit: Unit
  /** Of a glob the glob, of `maxSeverity` the severity. */
  readonly limit: number | string
  /** Of a glob the number of paths that match, of `maxSeverity` the worst severity; null if there is nothing to compare. */
  readonly actual: number | string | null
  readonly pass: boolean
  /** A sentence. It can hold what the caller or the image's author wrote. */
  readonly message: string
  /** Where the rule does not hold: the ten worst, worst first. */
  readonly evidence?: readonly Evidence[]
  /** Of the step that the first of them is about, in the Dockerfile that was given, from 1. */
  readonly line?: number
}

export type Verdict = {
  /** Whether every rule holds. */
  readonly pass: boolean
  readonly image: ImageIdentity
  readonly baseline?: ImageIdentity
  readonly rules: readonly RuleVerdict[]
}
