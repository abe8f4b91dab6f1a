/** A verdict as GitHub's workflow commands, which become annotations: an error for each failing rule. */
import type { Checked } from '../service/images/check.ts'
import type { CheckStyle, ProblemWords } from './check-style.ts'
import { headline, showEvidence } from './check-values.ts'
import { terminalLine, terminalText, visible } from './escape.ts'

export function checkGithub({ verdict }: Checked, { file, page }: CheckStyle): string {
  const errors = verdict.rules
    .filter((rule) => !rule.pass)
    .map(({ rule, message, line, evidence = [] }) =>
      command({ file, title: rule, line }, [message, ...evidence.map(showEvidence)]),
    )
  const notices = [headline(verdict), ...(page === undefined ? [] : [`Report: ${page}`])].map((text) =>
    terminalLine(terminalText(text)),
  )
  return `${[...errors, ...notices].join('\n')}\n`
}

export function problemGithub({ title, detail }: ProblemWords, { file }: Pick<CheckStyle, 'file'>): string {
  return `${command({ file, title }, [detail])}\n`
}

type Annotation = { readonly file: string; readonly title: string; readonly line?: number | undefined }

function command({ file, title, line }: Annotation, text: readonly string[]): string {
  const properties = [
    `file=${commandProperty(visible(file))}`,
    ...(line === undefined ? [] : [`line=${line}`]),
    `title=${commandProperty(title)}`,
  ]
  // A line break can be written as `%0A`.
  return `::error ${properties.join(',')}::${text.map((one) => commandData(visible(one))).join('%0A')}`
}

/** As actions/toolkit escapes a command's message. */
function commandData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function commandProperty(text: string): string {
  return commandData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
