/** Limits in a `.dive-ci` file: ratios within dive's range, sizes as dustin/go-humanize reads them. */
import { Problem } from '../problem.ts'

function refusal(rule: string, text: string, wanted: string): Problem {
  const shown = JSON.stringify(text.slice(0, 60))
  return new Problem('invalid_parameter', `diveCi: ${rule}: ${shown} is not ${wanted}`, {
    parameter: 'diveCi',
  })
}

/**
 * As Go's `strconv.ParseFloat` reads it, from 0 to 1.
 *
 * @throws Problem `invalid_parameter`
 */
export function diveRatio(text: string, rule: string): number {
  const value = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value >= 0 && value <= 1) return value
  throw refusal(rule, text, 'a number from 0 to 1')
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

/**
 * Like humanize's `ParseBytes`: any case, `20MB`, `20 mb`, `20m`, `1,000`; the product of doubles, with its fraction dropped.
 *
 * @throws Problem `invalid_parameter`
 */
export function diveBytes(text: string, rule: string): number {
  const [, digits = '', unit = ''] = /^([\d.,]*)(.*)$/s.exec(text) ?? []
  const number = digits.replaceAll(',', '')
  const factor = HUMAN_UNITS.get(unit.trim().toLowerCase())
  const bytes = /^(?:\d+(?:\.\d*)?|\.\d+)$/.test(number)
    ? Number(number) * (factor ?? Number.NaN)
    : Number.NaN
  // dive allows up to 16 EiB; no image is that large.
  if (bytes <= Number.MAX_SAFE_INTEGER) return Math.trunc(bytes)
  throw refusal(rule, text, 'a size')
}
