/** A verdict's failing rules as GitLab's code quality report: what it reads of Code Climate's format. */
import type { Verdict } from '../gate/verdict.ts'
import { fingerprintOf } from './check-fingerprint.ts'
import { showEvidence } from './check-values.ts'
import { visible } from './escape.ts'

/** A description is one line in a merge request. */
const OFFENDERS = 3

/** @param file path in the repository that issues point at */
export function checkGitlab(verdict: Verdict, file: string): string {
  const issues = verdict.rules
    .filter((rule) => !rule.pass)
    .map((rule) => {
      const worst = (rule.evidence ?? []).slice(0, OFFENDERS).map(showEvidence)
      const description = worst.length === 0 ? rule.message : `${rule.message} Worst: ${worst.join('; ')}.`
      return {
        description: visible(description),
        check_name: rule.rule,
        fingerprint: fingerprintOf(rule, verdict.image, file),
        severity: 'major',
        location: { path: file, lines: { begin: 1 } },
      }
    })
  return JSON.stringify(issues, undefined, 2)
}
