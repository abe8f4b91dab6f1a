/** A verdict for a terminal and for a CI's log. */
import type { Verdict } from '../gate/verdict.ts'
import { headline, ruleTitle, showEvidence } from './check-values.ts'
import { terminalLine, terminalText } from './escape.ts'

export function checkText(verdict: Verdict): string {
  const titles = verdict.rules.map((rule) => terminalText(ruleTitle(rule)))
  const width = Math.min(Math.max(...titles.map((title) => title.length)), 40)
  const lines = verdict.rules.flatMap(({ pass, message, evidence = [] }, i) => [
    `${pass ? 'pass' : 'FAIL'}  ${titles[i]?.padEnd(width)}  ${terminalText(message)}`,
    ...evidence.map((item) => `        ${terminalText(showEvidence(item))}`),
  ])
  return [`${verdict.pass ? 'PASS' : 'FAIL'}  ${terminalText(headline(verdict))}`, ...lines]
    .map((line) => `${terminalLine(line)}\n`)
    .join('')
}
