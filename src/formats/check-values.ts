/** A verdict's numbers and evidence in words, as several formats show them. None of it is escaped. */

import type { Evidence } from '../gate/evidence.ts'
import type { RuleVerdict } from '../gate/verdict.ts'
import { formatBytes, formatCount, formatFigure } from '../text/format.ts'

/** `240 MB`, `12.5%`, `0.98765`, `4`; a dash where there is nothing. */
export function showActual({ actual, unit }: RuleVerdict): string {
  return actual === null ? '–' : showValue(actual, unit)
}

export function showLimit({ limit, unit }: RuleVerdict): string {
  return typeof limit === 'string' ? limit : showValue(limit, unit)
}

function showValue(value: number, unit: RuleVerdict['unit']): string {
  switch (unit) {
    case 'bytes':
      return formatBytes(value)
    case 'percent':
      return `${formatFigure(value)}%`
    case 'count':
      return formatCount(value)
    case 'ratio':
      // Cut off, so that what is below a limit does not show as if it were at it.
      return String(Math.floor(value * 1e5) / 1e5)
  }
}

/** `usr/bin/node (98.1 MB, layer 3)`, `layer 3 (120 MB)` */
export function showEvidence({ path, bytes, layer }: Evidence): string {
  const size = bytes === undefined ? [] : [formatBytes(bytes)]
  const place = layer === undefined ? [] : [`layer ${layer}`]
  const [name, ...facts] = path === undefined ? [...place, ...size] : [path, ...size, ...place]
  return facts.length === 0 ? (name ?? '') : `${name} (${facts.join(', ')})`
}

/** `maxSize`; for `deny` with its glob, which tells one such rule from another. */
export function ruleTitle({ rule, limit }: RuleVerdict): string {
  return typeof limit === 'string' ? `${rule} ${limit}` : rule
}

/** `2 of 3 rules hold for docker.io/library/nginx:latest (linux/amd64)` */
export function headline(verdict: {
  readonly rules: readonly RuleVerdict[]
  readonly image: ImageName
}): string {
  const held = verdict.rules.filter((rule) => rule.pass).length
  const total = verdict.rules.length
  const { reference, platform } = verdict.image
  const count = held === total ? `All ${total} rules hold` : `${held} of ${total} rules hold`
  return `${total === 1 && held === 1 ? 'The rule holds' : count} for ${reference} (${platform})`
}

type ImageName = { readonly reference: string; readonly platform: string }
