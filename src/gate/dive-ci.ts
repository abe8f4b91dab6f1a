/** A `.dive-ci` file as wagoodman/dive reads it: its rules' names, its defaults, `disabled`. */
import { Problem } from '../problem.ts'
import { type PlainData, readDocument } from './document.ts'
import type { Policy } from './policy.ts'
import { DIVE_RULES, RULES, readRule } from './rules.ts'

const DISABLED: ReadonlySet<string> = new Set(['disabled', 'off', 'false'])

/**
 * @param text the file's content
 * @throws Problem `invalid_parameter`: if the file is not YAML, a key is unknown, a limit cannot be read or is out of dive's
 *   range, or every rule is disabled
 */
export function policyFromDiveCi(text: string): Policy {
  const document = readDocument(text, 'yaml', 'diveCi')
  const limits = new Map(DIVE_RULES.map((name) => [name, RULES[name].diveDefault ?? 'disabled']))
  for (const [key, value] of entriesOf(document, 'diveCi')) {
    if (key !== 'rules') throw refusal(`unknown key ${JSON.stringify(key)}`)
    for (const [word, limit] of entriesOf(value, 'rules')) {
      // dive reads its file with viper, which ignores case.
      const name = DIVE_RULES.find((known) => known.toLowerCase() === word.toLowerCase())
      if (name === undefined) throw refusal(`unknown rule ${JSON.stringify(word)}`)
      if (typeof limit !== 'string' || limit.trim() === '') throw refusal(`${word} has no value`)
      limits.set(name, limit.trim())
    }
  }
  const rules = [...limits]
    .filter(([, limit]) => !DISABLED.has(limit.toLowerCase()))
    .map(([name, limit]) => readRule(name, limit))
  if (rules.length === 0) throw refusal('every rule is disabled')
  return { rules, ignore: [], historyTags: [] }
}

function refusal(detail: string): Problem {
  return new Problem('invalid_parameter', `diveCi: ${detail}`, { parameter: 'diveCi' })
}

function entriesOf(node: PlainData, what: string): ReadonlyMap<string, PlainData> {
  if (node === null) return new Map()
  if (node instanceof Map) return node
  throw refusal(`${what} is not a mapping`)
}
