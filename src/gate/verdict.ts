/** The result of a check: the shape of `/v1/check`. */
import type { ImageIdentity } from '../image/report.ts'
import type { Evidence, Unit } from './evidence.ts'
import type { RuleName } from './rules.ts'
import type { AutoBase } from './subject.ts'

export type RuleVerdict = {
  readonly rule: RuleName
  readonly unit: Unit
  /** For a glob the glob, for `maxSeverity` the severity. */
  readonly limit: number | string
  /**
   * For a glob the number of matching paths, for `maxSeverity` the worst severity; null if there is nothing to compare with.
   */
  readonly actual: number | string | null
  readonly pass: boolean
  /** A sentence. It can contain text of the caller or the image's author. */
  readonly message: string
  /** For a broken rule: the ten worst offenders, worst first. */
  readonly evidence?: readonly Evidence[]
  /** The line of the step that the first offender is about, in the given Dockerfile, from 1. */
  readonly line?: number
}

export type Verdict = {
  /** Whether every rule holds. */
  readonly pass: boolean
  readonly image: ImageIdentity
  readonly baseline?: ImageIdentity
  readonly base?: AutoBase
  readonly rules: readonly RuleVerdict[]
}
