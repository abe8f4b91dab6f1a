/** A verdict as GitHub Flavored Markdown: for a step's summary and a comment of a pull request. */

import type { Evidence } from '../gate/evidence.ts'
import type { RuleVerdict, Verdict } from '../gate/verdict.ts'
import { formatBytes } from '../text/format.ts'
import { ruleTitle, showActual, showLimit } from './check-values.ts'
import { markdownCode, markdownText } from './escape.ts'

export function checkMarkdown(verdict: Verdict): string {
  const { image, baseline, pass, rules } = verdict
  const failing = rules.filter((rule) => !rule.pass)
  const count = pass
    ? `${rules.length === 1 ? 'The rule holds' : `All ${rules.length} rules hold`}`
    : `${failing.length} of ${rules.length} ${rules.length === 1 ? 'rule does' : 'rules do'} not hold`
  const against = baseline === undefined ? '' : `, against ${markdownCode(baseline.reference)}`
  const lines = [
    `### ${pass ? '✅' : '❌'} ${count} for ${markdownCode(image.reference)}`,
    '',
    `${markdownCode(image.digest)}, ${markdownCode(image.platform)}${against}`,
    '',
    '| | Rule | Actual | Limit |',
    '| --- | --- | ---: | ---: |',
    ...rules.map(row),
    ...failing.flatMap(details),
  ]
  return `${lines.join('\n')}\n`
}

function row(rule: RuleVerdict): string {
  const limit = typeof rule.limit === 'string' ? 'none' : markdownText(showLimit(rule))
  const actual =
    typeof rule.limit === 'string'
      ? `${showActual(rule)} ${rule.actual === 1 ? 'path' : 'paths'}`
      : showActual(rule)
  return `| ${rule.pass ? '✅' : '❌'} | ${markdownCode(ruleTitle(rule))} | ${actual} | ${limit} |`
}

function details({ message, evidence = [] }: RuleVerdict): readonly string[] {
  if (evidence.length === 0) return ['', markdownText(message)]
  return [
    '',
    `<details><summary>${markdownText(message)}</summary>`,
    '',
    '| Path | Size | Layer |',
    '| --- | ---: | ---: |',
    ...evidence.map(evidenceRow),
    '',
    '</details>',
  ]
}

function evidenceRow({ path, bytes, layer }: Evidence): string {
  const name = path === undefined ? 'the whole layer' : markdownCode(path)
  return `| ${name} | ${bytes === undefined ? '' : formatBytes(bytes)} | ${layer ?? ''} |`
}
