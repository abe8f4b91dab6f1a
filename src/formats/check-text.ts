/** A verdict for a terminal and for a CI log. */
import type { Evidence } from '../gate/evidence.ts'
import type { RuleVerdict } from '../gate/verdict.ts'
import type { Checked } from '../service/images/check.ts'
import { excludedBase } from './base-view.ts'
import type { CheckStyle, ProblemWords } from './check-style.ts'
import { evidenceParts, headline, largestEvidence, ruleTitle } from './check-values.ts'
import { terminalLine, terminalText } from './escape.ts'
import { endFitted, fitted, lengthOf, plainText, wrapped } from './table.ts'

const RED = '\x1b[31m'
const GREEN = '\x1b[32m'
const RESET = '\x1b[0m'

const WIDTH = 80
/** A rule with a long glob is cut, to leave room for its explanation. */
const MOST_TITLE = 40
/** Minimum width of a rule's explanation. */
const LEAST_SAID = 24
const INDENT = 8
/** A shorter piece of a path says nothing. */
const LEAST_NAME = 16

export function checkText({ verdict }: Checked, { colour, width = WIDTH, page }: CheckStyle): string {
  const titles = verdict.rules.map((rule) => terminalText(ruleTitle(rule)))
  const most = Math.min(MOST_TITLE, width - LEAST_SAID - INDENT)
  const column = Math.min(Math.max(...titles.map(lengthOf)), most)
  const shownBy = new Map<string, string>()
  const lines = verdict.rules.flatMap((rule, i) => {
    const title = fitted(titles[i] ?? '', column)
    const indent = ' '.repeat(INDENT + column)
    const [first = '', ...rest] = wrapped(terminalText(rule.message), width, indent)
    const named = `${title}${' '.repeat(column - lengthOf(title))}  ${first.trimStart()}`
    return [
      `${word(rule.pass ? 'pass' : 'FAIL', rule.pass, colour)}  ${named}`,
      ...rest,
      ...evidenceLines(rule, shownBy, width - INDENT).map((line) => ' '.repeat(INDENT) + line),
    ]
  })
  return [
    `${word(verdict.pass ? 'PASS' : 'FAIL', verdict.pass, colour)}  ${fitted(terminalText(headline(verdict)), width - 6)}`,
    ...(verdict.base === undefined ? [] : wrapped(plainText(excludedBase(verdict.base)), width)),
    ...lines,
    ...(page === undefined ? [] : [`Report: ${terminalText(page)}`]),
  ]
    .map((line) => `${terminalLine(line)}\n`)
    .join('')
}

/** Evidence shown under an earlier rule is not repeated. @param shownBy which rule showed each item */
function evidenceLines(verdict: RuleVerdict, shownBy: Map<string, string>, width: number): readonly string[] {
  const { rule } = verdict
  const evidence = largestEvidence(verdict)
  const fresh: string[] = []
  const again = new Set<string>()
  for (const item of evidence) {
    const name = identityOf(item)
    const by = shownBy.get(name)
    if (by === undefined) {
      shownBy.set(name, rule)
      fresh.push(evidenceLine(item, width))
    } else again.add(by)
  }
  if (again.size === 0) return fresh
  const what = fresh.length === 0 ? 'the same' : `${evidence.length - fresh.length} more`
  return [...fresh, endFitted(`${what} as above, for ${[...again].join(' and ')}`, width)]
}

/** A long path is cut in the middle, so that what follows it stays. */
function evidenceLine(item: Evidence, width: number): string {
  const [name, rest] = evidenceParts(item).map(terminalText)
  if (name === undefined || rest === undefined) return ''
  if (item.path === undefined) return endFitted(name + rest, width)
  return endFitted(fitted(name, Math.max(width - lengthOf(rest), LEAST_NAME)) + rest, width)
}

function identityOf({ path, pathBase64, layer, bytes, files }: Evidence): string {
  return JSON.stringify([path, pathBase64, layer, bytes, files])
}

function word(text: string, isGood: boolean, colour: boolean): string {
  return colour ? `${isGood ? GREEN : RED}${text}${RESET}` : text
}

export function problemText({ title, detail }: ProblemWords, { colour }: Pick<CheckStyle, 'colour'>): string {
  return `${terminalLine(`${word('ERROR', false, colour)}  ${terminalText(title)}: ${terminalText(detail)}`)}\n`
}
