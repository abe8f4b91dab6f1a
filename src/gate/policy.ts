/** The policy for an image, read from a request's keys so that nothing passes by mistake. */

import { Problem } from '../problem.ts'
import { compileGlobSet } from '../text/glob.ts'
import { parseBytesLimit } from '../text/limit.ts'
import { type Depth, POLICY_KEYS, POLICY_RULES, RULES, type Rule, readRule } from './rules.ts'

export type Policy = {
  /** At least one, in the order of their verdicts. */
  readonly rules: readonly Rule[]
  /** Reference of the image that growth is measured against. */
  readonly baseline?: string
  /** Globs of the tags of earlier images; none: all. */
  readonly historyTags: readonly string[]
  /** Reference of the image whose layers are not counted against this image, or `auto`. */
  readonly baseImage?: string
  /** Globs of paths that count as neither waste, duplicates nor denied. */
  readonly ignore: readonly string[]
  /** In bytes; if less is wasted, the rules about shares of waste hold. */
  readonly minWasteBytes?: number
}

/**
 * @param query of a request; `besides` are parameters that are read elsewhere
 * @throws Problem `invalid_parameter`: for an unknown key, an invalid limit, a repeated key, or no rule
 */
export function policyFromQuery(query: URLSearchParams, besides: readonly string[]): Policy {
  const keys = new Map<string, string[]>()
  for (const [key, value] of query) {
    if (besides.includes(key)) continue
    const values = keys.get(key)
    if (values === undefined) keys.set(key, [value])
    else values.push(value)
  }
  return policyFromKeys(keys)
}

/**
 * @param keys each key with its values as text, in the order given
 * @throws Problem `invalid_parameter`: for an unknown key, an invalid limit, a repeated key, or no rule
 */
export function policyFromKeys(keys: ReadonlyMap<string, readonly string[]>): Policy {
  for (const [key, values] of keys) checkKey(key, values)
  // A repeated glob counts as one rule.
  const rules = POLICY_RULES.flatMap((name) =>
    [...new Set(keys.get(name))].map((text) => readRule(name, text)),
  )
  const [baseline] = keys.get('baseline') ?? []
  const [baseImage] = keys.get('baseImage') ?? []
  const [minWasteBytes] = keys.get('minWasteBytes') ?? []
  const ignore = keys.get('ignore') ?? []
  const historyTags = keys.get('historyTag') ?? []
  if (rules.length === 0) {
    throw new Problem('invalid_parameter', `no rule given; the rules are ${POLICY_RULES.join(', ')}`)
  }
  const growth = rules.find(isGrowth)
  if (growth !== undefined && baseline === undefined) {
    const detail = `${growth.name} needs a baseline: the image that growth is measured against`
    throw new Problem('invalid_parameter', detail, { parameter: 'baseline' })
  }
  for (const name of POLICY_RULES) if (RULES[name].glob) checkGlobs(name, keys.get(name) ?? [])
  checkGlobs('ignore', ignore)
  checkGlobs('historyTag', historyTags)
  return {
    rules,
    ignore,
    historyTags,
    ...(baseline === undefined ? {} : { baseline }),
    ...(baseImage === undefined ? {} : { baseImage }),
    ...(minWasteBytes === undefined
      ? {}
      : { minWasteBytes: parseBytesLimit(minWasteBytes, 'minWasteBytes') }),
  }
}

function checkKey(key: string, values: readonly string[]): void {
  const known = POLICY_KEYS.get(key)
  if (known === undefined) {
    const meant = [...POLICY_KEYS.keys()].find((one) => plainly(one) === plainly(key))
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`
    throw new Problem('invalid_parameter', `unknown rule or parameter ${key}${hint}`, { parameter: key })
  }
  if (values.length > 1 && !known.repeats) {
    throw new Problem('invalid_parameter', `${key} is given ${values.length} times; give it once`, {
      parameter: key,
    })
  }
  if (values.includes('')) {
    throw new Problem('invalid_parameter', `${key} has no value`, { parameter: key })
  }
}

/** Normalizes a key, to recognise other spellings: `max_layers`, `maxlayers`, `max-layers`. */
function plainly(key: string): string {
  return key.toLowerCase().replaceAll(/[_-]/g, '')
}

function checkGlobs(parameter: string, globs: readonly string[]): void {
  try {
    compileGlobSet(globs)
  } catch (error) {
    throw error instanceof Problem ? error.with({ parameter }) : error
  }
}

/** What must be known before {@link Policy} can be evaluated. */
export type Needs = {
  readonly image: Depth
  /** Absent without a baseline. */
  readonly baseline?: Depth
}

/** No more than the rules need: if the manifest is enough for all of them, no analysis is started. */
export function needsOf(policy: Policy): Needs {
  const image = deepest(policy.rules)
  if (policy.baseline === undefined) return { image }
  return { image, baseline: deepest(policy.rules.filter(isGrowth)) }
}

function deepest(rules: readonly Rule[]): Depth {
  return rules.some((rule) => RULES[rule.name].needs === 'analysis') ? 'analysis' : 'manifest'
}

function isGrowth({ name }: Rule): boolean {
  return RULES[name].growth === true
}
