/** A verdict's failing rules as GitLab's code quality report: the part of Code Climate's format that GitLab reads. */
import type { AdviceItem } from '../advice/advise.ts'
import type { Severity } from '../gate/tables.ts'
import type { Checked } from '../service/images/check.ts'
import { formatBytes } from '../text/format.ts'
import { adviceFingerprints, fingerprintOf, problemFingerprint } from './check-fingerprint.ts'
import type { CheckStyle, ProblemWords } from './check-style.ts'
import { showEvidence } from './check-values.ts'
import { visible } from './escape.ts'

/** A description is one line in a merge request. */
const OFFENDERS = 3

const SEVERITIES: Readonly<Record<Severity, string>> = { error: 'critical', warning: 'minor', info: 'info' }

export function checkGitlab({ verdict, advice }: Checked, { file }: CheckStyle): string {
  const rules = verdict.rules
    .filter((rule) => !rule.pass)
    .map((rule) => {
      const worst = (rule.evidence ?? []).slice(0, OFFENDERS).map(showEvidence)
      const description = worst.length === 0 ? rule.message : `${rule.message} Worst: ${worst.join('; ')}.`
      return {
        description: visible(description),
        check_name: rule.rule,
        fingerprint: fingerprintOf(rule, verdict.image, file),
        severity: 'major',
        location: at(file, rule.line),
      }
    })
  const items = advice?.items ?? []
  const fingerprints = adviceFingerprints(items, verdict.image, file)
  const found = items.map((item, i) => ({
    description: visible(adviceText(item)),
    check_name: `advice/${item.rule}`,
    fingerprint: fingerprints[i],
    severity: SEVERITIES[item.severity],
    location: at(file, item.line),
  }))
  return JSON.stringify([...rules, ...found], undefined, 2)
}

/** `The cache of apt: 95.3 MB. Write …` */
export function adviceText({ title, bytes, fix }: AdviceItem): string {
  return `${title}: ${formatBytes(bytes)}. ${fix}`
}

export function problemGitlab(
  { code, title, detail, image = '' }: ProblemWords,
  { file }: Pick<CheckStyle, 'file'>,
): string {
  const issue = {
    description: visible(`${title}: ${detail}`),
    check_name: code,
    fingerprint: problemFingerprint(code, image, file),
    severity: 'blocker',
    location: at(file),
  }
  return JSON.stringify([issue], undefined, 2)
}

function at(file: string, line = 1) {
  return { path: file, lines: { begin: line } }
}
