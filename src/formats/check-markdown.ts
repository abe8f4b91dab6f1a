/** A verdict as GitHub Flavored Markdown: for a job's summary and a comment on a pull request. */

import type { Evidence } from '../gate/evidence.ts'
import type { RuleVerdict } from '../gate/verdict.ts'
import type { Checked } from '../service/images/check.ts'
import { formatCount } from '../text/format.ts'
import { excludedBase } from './base-view.ts'
import type { CheckStyle, ProblemWords } from './check-style.ts'
import {
  globOf,
  largestEvidence,
  oneLine,
  outcome,
  ruleTitle,
  showActual,
  showAmount,
  showLimit,
} from './check-values.ts'
import { markdownCode, markdownText } from './escape.ts'
import { markdownPieces } from './table.ts'

export function checkMarkdown({ verdict }: Checked, { page }: Pick<CheckStyle, 'page'>): string {
  const { image, baseline, base, pass, rules } = verdict
  const against = baseline === undefined ? '' : `, against ${markdownCode(baseline.reference)}`
  const lines = [
    `### ${pass ? '✅' : '❌'} ${outcome(rules)} for ${markdownCode(image.reference)}`,
    '',
    `${markdownCode(image.digest)}, ${markdownCode(image.platform)}${against}`,
    '',
    ...(base === undefined ? [] : [`${markdownPieces(excludedBase(base))}.`, '']),
    ...rulesMarkdown(rules),
    ...(page === undefined ? [] : ['', `Report: <${page}>`]),
  ]
  return `${lines.join('\n')}\n`
}

/** A table of all rules, and folded below it what breaks each. */
export function rulesMarkdown(rules: readonly RuleVerdict[]): readonly string[] {
  return [
    '| | Rule | Actual | Limit |',
    '| --- | --- | ---: | ---: |',
    ...rules.map(row),
    ...rules.filter((rule) => !rule.pass).flatMap(details),
  ]
}

/** The detail repeats text of callers and registries: as code, none of it is syntax. */
export function problemMarkdown({ title, detail }: ProblemWords): string {
  return `### ❌ ${title}\n\n${markdownCode(detail)}\n`
}

function row(rule: RuleVerdict): string {
  const hasGlob = globOf(rule) !== undefined
  const limit = hasGlob ? 'none' : markdownText(showLimit(rule))
  const figure = markdownText(showActual(rule))
  const actual = hasGlob ? `${figure} ${rule.actual === 1 ? 'path' : 'paths'}` : figure
  return `| ${rule.pass ? '✅' : '❌'} | ${markdownCode(ruleTitle(rule))} | ${actual} | ${limit} |`
}

function details(rule: RuleVerdict): readonly string[] {
  const { message } = rule
  const evidence = largestEvidence(rule)
  if (evidence.length === 0) return ['', markdownText(message)]
  return [
    '',
    `<details><summary>${markdownText(message)}</summary>`,
    '',
    evidence.some(({ path }) => path !== undefined) ? '| Path | Size | Layer |' : '| Step | Size | Layer |',
    '| --- | ---: | ---: |',
    ...evidence.map(evidenceRow),
    '',
    '</details>',
  ]
}

function evidenceRow(evidence: Evidence): string {
  const { path, layer, hidden, createdBy } = evidence
  const step = createdBy === undefined ? 'the whole layer' : markdownCode(oneLine(createdBy))
  const name = path === undefined ? step : `${markdownCode(path)}${hidden === true ? ', hidden' : ''}`
  return `| ${name} | ${showAmount(evidence) ?? ''} | ${layer === undefined ? '' : formatCount(layer)} |`
}
