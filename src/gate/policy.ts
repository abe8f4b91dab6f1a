/** The policy for an image, read from a request's words so that nothing passes by mistake. */

import { Problem } from '../problem.ts'
import { compileGlobSet } from '../text/glob.ts'
import { parseBytesLimit } from '../text/limit.ts'
import { type Depth, POLICY_RULES, POLICY_WORDS, RULES, type Rule, readRule } from './rules.ts'

export type Policy = {
  /** At least one, in the order of their verdicts. */
  readonly rules: readonly Rule[]
  /** Reference of the image that growth is measured against. */
  readonly baseline?: string
  /** Globs of the tags of earlier images; none: all. */
  readonly historyTags: readonly string[]
  /** Reference of the image whose layers are not counted against this image. */
  readonly baseImage?: string
  /** Globs of paths that count as neither waste, duplicates nor denied. */
  readonly ignore: readonly string[]
  /** In bytes; if less is wasted, the rules about shares of waste hold. */
  readonly minWasteBytes?: number
}

/**
 * @param query of a request; `besides` are parameters that are read elsewhere
 * @throws Problem `invalid_parameter`: for an unknown word, an invalid limit, a repeated word, or no rule
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
 * @throws Problem `invalid_parameter`: for an unknown word, an invalid limit, a repeated word, or no rule
 */
export function policyFromWords(words: ReadonlyMap<string, readonly string[]>): Policy {
  for (const [word, values] of words) checkWord(word, values)
  // A repeated glob counts as one rule.
  const rules = POLICY_RULES.flatMap((name) =>
    [...new Set(words.get(name))].map((text) => readRule(name, text)),
  )
  const [baseline] = words.get('baseline') ?? []
  const [baseImage] = words.get('baseImage') ?? []
  const [minWasteBytes] = words.get('minWasteBytes') ?? []
  const ignore = words.get('ignore') ?? []
  const historyTags = words.get('historyTag') ?? []
  if (rules.length === 0) {
    throw new Problem('invalid_parameter', `no rule given; the rules are ${POLICY_RULES.join(', ')}`)
  }
  const growth = rules.find(isGrowth)
  if (growth !== undefined && baseline === undefined) {
    const detail = `${growth.name} needs a baseline: the image that growth is measured against`
    throw new Problem('invalid_parameter', detail, { parameter: 'baseline' })
  }
  for (const name of POLICY_RULES) if (RULES[name].glob) checkGlobs(name, words.get(name) ?? [])
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

function checkWord(word: string, values: readonly string[]): void {
  const known = POLICY_WORDS.get(word)
  if (known === undefined) {
    const meant = [...POLICY_WORDS.keys()].find((one) => plainly(one) === plainly(word))
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`
    throw new Problem('invalid_parameter', `unknown rule or parameter ${word}${hint}`, { parameter: word })
  }
  if (values.length > 1 && !known.repeats) {
    throw new Problem('invalid_parameter', `${word} is given ${values.length} times; give it once`, {
      parameter: word,
    })
  }
  if (values.includes('')) {
    throw new Problem('invalid_parameter', `${word} has no value`, { parameter: word })
  }
}

/** Normalizes a word, to recognise other spellings: `max_layers`, `maxlayers`, `max-layers`. */
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
