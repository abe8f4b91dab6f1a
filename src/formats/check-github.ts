/** A verdict as GitHub's workflow commands, which become annotations: an error for each failing rule. */
import type { Verdict } from '../gate/verdict.ts'
import { headline, showEvidence } from './check-values.ts'
import { terminalLine, terminalText, visible } from './escape.ts'

/** @param file path in the repository that the annotations stand at */
export function checkGithub(verdict: Verdict, file: string): string {
  const errors = verdict.rules
    .filter((rule) => !rule.pass)
    .map(({ rule, message, evidence = [] }) => {
      const lines = [message, ...evidence.map(showEvidence)].map((line) => commandData(visible(line)))
      return `::error file=${commandProperty(visible(file))},title=${commandProperty(rule)}::${lines.join('%0A')}`
    })
  return `${[...errors, terminalLine(terminalText(headline(verdict)))].join('\n')}\n`
}

/** As actions/toolkit escapes a command's message; a line break can then be put in as `%0A`. */
function commandData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function commandProperty(text: string): string {
  return commandData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
