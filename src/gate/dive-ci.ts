/**
 * A `.dive-ci` file as wagoodman/dive reads it: its rules' names, ratios from 0 to 1, its defaults, `disabled`, and
 * sizes as dustin/go-humanize has them.
 */
import { Problem } from '../problem.ts'
import { type Node, readDocument } from './document.ts'
import type { Policy } from './policy.ts'
import type { Rule } from './rules.ts'

/** dive holds an image against these where a file does not name them. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['lowestefficiency', '0.9'],
  ['highestwastedbytes', 'disabled'],
  ['highestuserwastedpercent', '0.1'],
])

const DISABLED: ReadonlySet<string> = new Set(['disabled', 'off', 'false'])

/**
 * @param text the file as it is
 * @throws Problem `invalid_parameter`: a file that is no YAML, an unknown key, a limit that cannot be read or is out of
 * dive's range, every rule disabled
 */
export function policyFromDiveCi(text: string): Policy {
  const document = readDocument(text, 'yaml', 'diveCi')
  const limits = new Map(DEFAULTS)
  for (const [key, value] of entriesOf(document, 'diveCi')) {
    if (key !== 'rules') throw refusal(`the key ${JSON.stringify(key)} is not known`)
    for (const [name, limit] of entriesOf(value, 'rules')) {
      // dive reads its file with viper, to which upper and lower case are one.
      const word = name.toLowerCase()
      if (!limits.has(word)) throw refusal(`the rule ${JSON.stringify(name)} is not known`)
      if (typeof limit !== 'string' || limit.trim() === '') throw refusal(`${name} has no value`)
      limits.set(word, limit.trim())
    }
  }
  const rules: Rule[] = []
  const limitOf = (word: string) => limits.get(word) ?? 'disabled'
  const isEnabled = (limit: string) => !DISABLED.has(limit.toLowerCase())
  const efficiency = limitOf('lowestefficiency')
  const wasted = limitOf('highestwastedbytes')
  const userWasted = limitOf('highestuserwastedpercent')
  if (isEnabled(efficiency)) {
    rules.push({ name: 'lowestEfficiency', ratio: ratio(efficiency, 'lowestEfficiency') })
  }
  if (isEnabled(wasted)) rules.push({ name: 'highestWastedBytes', bytes: humanBytes(wasted) })
  if (isEnabled(userWasted)) {
    rules.push({ name: 'highestUserWastedPercent', ratio: ratio(userWasted, 'highestUserWastedPercent') })
  }
  if (rules.length === 0) throw refusal('every rule is disabled')
  return { rules, ignore: [] }
}

function refusal(detail: string): Problem {
  return new Problem('invalid_parameter', `diveCi: ${detail}`, { parameter: 'diveCi' })
}

function entriesOf(node: Node, what: string): ReadonlyMap<string, Node> {
  if (node === null) return new Map()
  if (node instanceof Map) return node
  throw refusal(`${what} is not a mapping`)
}

/** As Go's `strconv.ParseFloat` reads it, within dive's range. */
function ratio(text: string, name: string): number {
  const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value >= 0 && value <= 1) return value
  throw refusal(`${name}: ${JSON.stringify(text.slice(0, 60))} is not a number from 0 to 1`)
}

const HUMAN_UNITS: ReadonlyMap<string, number> = new Map(
  ['', 'k', 'm', 'g', 't', 'p', 'e'].flatMap((prefix, power): [string, number][] =>
    prefix === ''
      ? [
          ['', 1],
          ['b', 1],
        ]
      : [
          [prefix, 1000 ** power],
          [`${prefix}b`, 1000 ** power],
          [`${prefix}i`, 1024 ** power],
          [`${prefix}ib`, 1024 ** power],
        ],
  ),
)

/** As humanize's `ParseBytes`: any case, `20MB`, `20 mb`, `20m`, `1,000`; the product of doubles, its fraction dropped. */
function humanBytes(text: string): number {
  const [, digits = '', unit = ''] = /^([\d.,]*)(.*)$/s.exec(text) ?? []
  const number = digits.replaceAll(',', '')
  const factor = HUMAN_UNITS.get(unit.trim().toLowerCase())
  const bytes = /^(?:\d+\.?\d*|\.\d+)$/.test(number) ? Number(number) * (factor ?? Number.NaN) : Number.NaN
  // dive goes on to 16 EiB; no image does.
  if (bytes <= Number.MAX_SAFE_INTEGER) return Math.trunc(bytes)
  throw refusal(`highestWastedBytes: ${JSON.stringify(text.slice(0, 60))} is not a size`)
}
