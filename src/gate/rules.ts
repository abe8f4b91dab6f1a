/** What a policy can ask of an image: each rule's word, how its limit is written, and how much has to be known to judge it. */
import {
  type Decimal,
  type GrowthLimit,
  parseBytesLimit,
  parseCountLimit,
  parseGrowthLimit,
  parsePercentLimit,
  parseRatioLimit,
} from './limit.ts'

type SizeRule = {
  readonly name: 'maxCompressed' | 'maxSize' | 'maxLayerSize' | 'maxWasted' | 'maxDuplicated'
  readonly bytes: number
}
type CountRule = { readonly name: 'maxLayers' | 'maxFiles'; readonly count: number }
type PercentRule = { readonly name: 'maxWastedPercent' | 'maxUserWastedPercent'; readonly percent: Decimal }
type EfficiencyRule = { readonly name: 'minEfficiency'; readonly ratio: number }
type DenyRule = { readonly name: 'deny'; readonly glob: string }
type GrowthRule = { readonly name: 'maxGrowth' | 'maxCompressedGrowth'; readonly growth: GrowthLimit }

/** As a `.dive-ci` file has them. */
type DiveRule =
  | { readonly name: 'lowestEfficiency' | 'highestUserWastedPercent'; readonly ratio: number }
  | { readonly name: 'highestWastedBytes'; readonly bytes: number }

export type Rule = SizeRule | CountRule | PercentRule | EfficiencyRule | DenyRule | GrowthRule | DiveRule

export type RuleName = Rule['name']

/** The words of a policy. */
export type PolicyRuleName = Exclude<RuleName, DiveRule['name']>

/**
 * In the order in which verdicts are told. Each reader takes what the policy has at the rule's word.
 *
 * @throws Problem `invalid_parameter` from each reader
 */
export const POLICY_RULES: { readonly [name in PolicyRuleName]: (text: string) => Rule } = {
  maxCompressed: (text) => bytesRule('maxCompressed', text),
  maxSize: (text) => bytesRule('maxSize', text),
  maxLayerSize: (text) => bytesRule('maxLayerSize', text),
  maxWasted: (text) => bytesRule('maxWasted', text),
  maxWastedPercent: (text) => percentRule('maxWastedPercent', text),
  maxDuplicated: (text) => bytesRule('maxDuplicated', text),
  maxLayers: (text) => countRule('maxLayers', text),
  maxFiles: (text) => countRule('maxFiles', text),
  minEfficiency: (text) => ({ name: 'minEfficiency', ratio: parseRatioLimit(text, 'minEfficiency') }),
  maxUserWastedPercent: (text) => percentRule('maxUserWastedPercent', text),
  deny: (glob) => ({ name: 'deny', glob }),
  maxGrowth: (text) => growthRule('maxGrowth', text),
  maxCompressedGrowth: (text) => growthRule('maxCompressedGrowth', text),
}

function bytesRule(name: SizeRule['name'], text: string): Rule {
  return { name, bytes: parseBytesLimit(text, name) }
}

function percentRule(name: PercentRule['name'], text: string): Rule {
  return { name, percent: parsePercentLimit(text, name) }
}

function countRule(name: CountRule['name'], text: string): Rule {
  return { name, count: parseCountLimit(text, name) }
}

function growthRule(name: GrowthRule['name'], text: string): Rule {
  return { name, growth: parseGrowthLimit(text, name) }
}

/** What an image's manifest and config answer in one round trip, or what only reading all its layers does. */
export type Depth = 'manifest' | 'analysis'

export function depthOf(rule: Rule): Depth {
  switch (rule.name) {
    case 'maxCompressed':
    case 'maxLayers':
    case 'maxCompressedGrowth':
      return 'manifest'
    default:
      return 'analysis'
  }
}

export function isGrowthRule(rule: Rule): boolean {
  return rule.name === 'maxGrowth' || rule.name === 'maxCompressedGrowth'
}

/** The rules that `minWasteBytes` lets pass: where hardly anything is wasted, a share of it says little. */
export function hasWasteFloor(rule: Rule): boolean {
  return (
    rule.name === 'maxWastedPercent' || rule.name === 'minEfficiency' || rule.name === 'maxUserWastedPercent'
  )
}
