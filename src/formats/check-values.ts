/** A verdict's numbers and evidence in words, shared by several formats. None of it is escaped. */

import type { Evidence } from '../gate/evidence.ts'
import { RULES } from '../gate/rules.ts'
import type { RuleVerdict } from '../gate/verdict.ts'
import { buildStep } from '../oci/build-step.ts'
import { formatBytes, formatCount, formatPercent } from '../text/format.ts'

/** `240 MB`, `12.5%`, `0.98765`, `4`; a dash for a missing value. */
export function showActual({ actual, unit }: RuleVerdict): string {
  return actual === null ? '–' : showValue(actual, unit)
}

export function showLimit({ limit, unit }: RuleVerdict): string {
  return showValue(limit, unit)
}

function showValue(value: number | string, unit: RuleVerdict['unit']): string {
  if (typeof value === 'string') return value
  switch (unit) {
    case 'bytes':
      return formatBytes(value)
    case 'percent':
      return `${formatPercent(value)}`
    case 'count':
      return formatCount(value)
    case 'ratio':
      // Rounded down, so that what is below a limit never looks equal to it.
      return String(Math.floor(value * 1e5) / 1e5)
    case 'severity':
      return String(value)
  }
}

/** The glob of a rule that has one. */
export function globOf({ rule, limit }: RuleVerdict): string | undefined {
  return RULES[rule].glob && typeof limit === 'string' ? limit : undefined
}

/** `98.1 MB`, `1,204 files` */
export function showAmount({ bytes, files }: Evidence): string | undefined {
  if (files !== undefined) return `${formatCount(files)} ${files === 1 ? 'file' : 'files'}`
  return bytes === undefined ? undefined : formatBytes(bytes)
}

/** Smaller layers say little about why an image is too large. */
const MAX_LAYERS = 5

/** The worst offenders as people need them: of whole layers only the first. */
export function largestEvidence({ evidence = [] }: RuleVerdict): readonly Evidence[] {
  const layers = evidence.filter(({ path, kind }) => path === undefined && kind === undefined)
  const left = new Set(layers.slice(MAX_LAYERS))
  return evidence.filter((item) => !left.has(item))
}

/** `usr/bin/node (98.1 MB, layer 3)`, `layer 3 (120 MB): RUN make` */
export function showEvidence(evidence: Evidence): string {
  const [name, rest] = evidenceParts(evidence)
  return name + rest
}

/** The name, and what is said about it. */
export function evidenceParts(evidence: Evidence): readonly [name: string, rest: string] {
  const { path, layer, hidden, createdBy, kind, name: value } = evidence
  if (kind !== undefined) return [value ?? 'a value', ` (${kind})`]
  const amount = showAmount(evidence) ?? []
  const place = layer === undefined ? [] : `layer ${layer}`
  const [name = '', ...facts] = [
    path === undefined ? [place, amount] : [path, amount, place, hidden === true ? 'hidden' : []],
  ].flat(2)
  const step = createdBy === undefined ? '' : `: ${oneLine(createdBy)}`
  return [name, `${facts.length === 0 ? '' : ` (${facts.join(', ')})`}${step}`]
}

const MAX_STEP = 100

/** The beginning of a step. */
export function oneLine(createdBy: string): string {
  const step = Array.from(buildStep(createdBy).replace(/\s+/g, ' '))
  return step.length > MAX_STEP ? `${step.slice(0, MAX_STEP - 1).join('')}…` : step.join('')
}

/** `maxSize`; with its glob if it has one, to tell such rules apart. */
export function ruleTitle(verdict: RuleVerdict): string {
  const glob = globOf(verdict)
  return glob === undefined ? verdict.rule : `${verdict.rule} ${glob}`
}

/** `1 of 3 rules broken`, `All 3 rules hold` */
export function outcome(rules: readonly Pick<RuleVerdict, 'pass'>[]): string {
  const total = rules.length
  const broken = rules.filter((rule) => !rule.pass).length
  if (broken === 0) return total === 1 ? 'The rule holds' : `All ${total} rules hold`
  return `${broken} of ${total} ${total === 1 ? 'rule' : 'rules'} broken`
}

/** `1 of 3 rules broken for docker.io/library/nginx:latest (linux/amd64)` */
export function headline({
  rules,
  image,
}: {
  readonly rules: readonly RuleVerdict[]
  readonly image: { readonly reference: string; readonly platform: string }
}): string {
  return `${outcome(rules)} for ${image.reference} (${image.platform})`
}
