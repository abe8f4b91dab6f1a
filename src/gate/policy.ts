/** What an image is held against, read from a request's words so that nothing passes by mistake. */

import { Problem } from '../problem.ts'
import { compileGlobSet } from '../text/glob.ts'
import { parseBytesLimit } from './limit.ts'
import { type Depth, depthOf, isGrowthRule, POLICY_RULES, type PolicyRuleName, type Rule } from './rules.ts'

export type Policy = {
  /** At least one, in the order in which their verdicts are told. */
  readonly rules: readonly Rule[]
  /** Reference of the image that growth is measured against. */
  readonly baseline?: string
  /** Reference of the image whose layers are not this image's fault. */
  readonly baseImage?: string
  /** Globs of paths that count as neither waste, duplicates nor denied. */
  readonly ignore: readonly string[]
  /** In bytes; where less is wasted, the rules about shares of waste hold. */
  readonly minWasteBytes?: number
}

/** Words of a policy that are no rules by themselves. */
const CONDITIONS = ['baseline', 'baseImage', 'ignore', 'minWasteBytes'] as const

const RULE_NAMES = Object.keys(POLICY_RULES) as readonly PolicyRuleName[]

/** Words that can be given more than once. */
const REPEATABLE: ReadonlySet<string> = new Set(['deny', 'ignore'])

/** Every word of a policy: the query parameters of a check beside the image's own, and the keys of a policy that is posted. */
export const POLICY_WORDS: readonly string[] = [...RULE_NAMES, ...CONDITIONS]

/**
 * @param query of a request; `besides` are the parameters that somebody else reads
 * @throws Problem `invalid_parameter`: an unknown word, a limit that cannot be read, a word given twice, no rule
 */
export function policyFromQuery(query: URLSearchParams, besides: readonly string[]): Policy {
  const words = new Map<string, string[]>()
  for (const [word, value] of query) {
    if (besides.includes(word)) continue
    const values = words.get(word)
    if (values === undefined) words.set(word, [value])
    else values.push(value)
  }
  return policyFromWords(words)
}

/**
 * @param words each word with its values as text, in the order given
 * @throws Problem `invalid_parameter`: an unknown word, a limit that cannot be read, a word given twice, no rule
 */
export function policyFromWords(words: ReadonlyMap<string, readonly string[]>): Policy {
  for (const [word, values] of words) checkWord(word, values)
  // A glob that is there twice is one rule.
  const rules = RULE_NAMES.flatMap((name) =>
    [...new Set(words.get(name))].map((text) => POLICY_RULES[name](text)),
  )
  const [baseline] = words.get('baseline') ?? []
  const [baseImage] = words.get('baseImage') ?? []
  const [minWasteBytes] = words.get('minWasteBytes') ?? []
  const ignore = words.get('ignore') ?? []
  if (rules.length === 0) {
    throw new Problem('invalid_parameter', `no rule is given; there are ${RULE_NAMES.join(', ')}`)
  }
  const growth = rules.find(isGrowthRule)
  if (growth !== undefined && baseline === undefined) {
    const detail = `${growth.name} needs a baseline: the image that growth is measured against`
    throw new Problem('invalid_parameter', detail, { parameter: 'baseline' })
  }
  checkGlobs('deny', words.get('deny') ?? [])
  checkGlobs('ignore', ignore)
  return {
    rules,
    ignore,
    ...(baseline === undefined ? {} : { baseline }),
    ...(baseImage === undefined ? {} : { baseImage }),
    ...(minWasteBytes === undefined
      ? {}
      : { minWasteBytes: parseBytesLimit(minWasteBytes, 'minWasteBytes') }),
  }
}

function checkWord(word: string, values: readonly string[]): void {
  if (!POLICY_WORDS.includes(word)) {
    const meant = POLICY_WORDS.find((known) => plainly(known) === plainly(word))
    const hint = meant === undefined ? '' : `; ${meant} is meant`
    throw new Problem('invalid_parameter', `${word} is no rule and no parameter${hint}`, { parameter: word })
  }
  if (values.length > 1 && !REPEATABLE.has(word)) {
    throw new Problem('invalid_parameter', `${word} is given ${values.length} times`, { parameter: word })
  }
  if (values.includes('')) {
    throw new Problem('invalid_parameter', `${word} has no value`, { parameter: word })
  }
}

/** As a word is recognised through another spelling: `max_layers`, `maxlayers`, `max-layers`. */
function plainly(word: string): string {
  return word.toLowerCase().replaceAll(/[_-]/g, '')
}

function checkGlobs(parameter: string, globs: readonly string[]): void {
  try {
    compileGlobSet(globs)
  } catch (error) {
    throw error instanceof Problem ? error.with({ parameter }) : error
  }
}

/** What has to be known before {@link Policy} can be judged. */
export type Needs = {
  readonly image: Depth
  /** Absent where there is no baseline. */
  readonly baseline?: Depth
}

/** No more than the rules ask for: where the manifest answers them all, no analysis is started. */
export function needsOf(policy: Policy): Needs {
  const image = deepest(policy.rules)
  if (policy.baseline === undefined) return { image }
  return { image, baseline: deepest(policy.rules.filter(isGrowthRule)) }
}

function deepest(rules: readonly Rule[]): Depth {
  return rules.some((rule) => depthOf(rule) === 'analysis') ? 'analysis' : 'manifest'
}
