/**
 * The gate judges an image by a policy, which is a list of rules. This file has the rules, one entry each: how a
 * limit is parsed, what it needs to know about the image, how it is evaluated, and what it means. Policies, `.dive-ci` files,
 * OpenAPI and SARIF are made from this table; a new rule is a new entry.
 */

import { knownTarBytes } from '../image/tar-bytes.ts'
import { Problem } from '../problem.ts'
import {
  type Decimal,
  type GrowthLimit,
  parseBytesLimit,
  parseCountLimit,
  parseGrowthLimit,
  parsePercentLimit,
  parseRatioLimit,
  parseSeriesLimit,
  percentAsRatio,
  type SeriesLimit,
} from '../text/limit.ts'
import { diveBytes, diveRatio } from './dive-limit.ts'
import type { Figures } from './figures.ts'
import {
  atMostBytes,
  atMostCount,
  denied,
  efficiencyAtLeast,
  type Finding,
  growth,
  growthOver,
  pulled,
  savings,
  userWasted,
  wastedPercent,
  worstSeverity,
} from './finding.ts'

/** Answered by an image's manifest and config in one round trip, or only by reading all its layers. */
export type Depth = 'manifest' | 'analysis'

export type Limit = number | string | Decimal | GrowthLimit | SeriesLimit

/** Whether the rule holds, given the figures of an image. */
type Judge = (figures: Figures) => Finding | Promise<Finding>

type RuleFacts = {
  /** What the rule is about, in a sentence that stays valid for years: it contains no figure. */
  readonly means: string
  /** When the rule holds, in terms of the report; Markdown. */
  readonly holds: string
  readonly needs: Depth
  /** The rule may be repeated; each limit is a rule. */
  readonly repeats?: true
  /** The limit is a glob. */
  readonly glob?: true
  /** The rule compares with `baseline`. */
  readonly growth?: true
  /** Holds below `minWasteBytes`: if little is wasted, a share says little. */
  readonly floor?: true
  /** The limit of a `.dive-ci` file that does not name the rule; without it the rule is then off. */
  readonly diveDefault?: string
}

type Definition<L extends Limit> = RuleFacts & {
  /** @throws Problem `invalid_parameter` that names the rule */
  readonly parse: (text: string, rule: string) => L
  readonly judge: (limit: L, figures: Figures) => Finding | Promise<Finding>
}

/** A rule without its limit. */
export type RuleKind = RuleFacts & {
  /** @throws Problem `invalid_parameter` that names the rule */
  readonly read: (text: string, rule: string) => { readonly limit: Limit; readonly judge: Judge }
}

function rule<L extends Limit>({ parse, judge, ...facts }: Definition<L>): RuleKind {
  return {
    ...facts,
    read(text, name) {
      const limit = parse(text, name)
      return { limit, judge: (figures) => judge(limit, figures) }
    },
  }
}

/** The worst allowed advice. */
function readSeverity(text: string, rule: string): 'info' | 'warning' {
  if (text === 'info' || text === 'warning') return text
  const shown = JSON.stringify(text.slice(0, 60))
  throw new Problem('invalid_parameter', `${rule}: ${shown} is not info or warning`, { parameter: rule })
}

/** The rules of policies, in the order of the verdicts. */
const POLICY_TABLE = {
  maxCompressed: rule({
    means: 'The sum of the compressed layers is limited.',
    holds: '`size.compressedBytes` is at most this.',
    needs: 'manifest',
    parse: parseBytesLimit,
    judge: (limit, figures) =>
      atMostBytes('The compressed size', figures.compressedBytes, limit, () =>
        figures.worstLayers(({ compressedBytes }) => compressedBytes),
      ),
  }),
  maxSize: rule({
    means: 'The sum of the uncompressed layers is limited.',
    holds: '`size.uncompressedBytes` is at most this.',
    needs: 'analysis',
    parse: parseBytesLimit,
    judge: (limit, figures) =>
      atMostBytes('The uncompressed size', knownTarBytes(figures.facts.size), limit, () =>
        figures.worstLayers(({ uncompressedBytes }) => uncompressedBytes),
      ),
  }),
  maxLayerSize: rule({
    means: 'The uncompressed size of each layer is limited.',
    holds: "The largest layer's `uncompressedBytes` is at most this.",
    needs: 'analysis',
    parse: parseBytesLimit,
    judge: (limit, figures) =>
      atMostBytes('The largest layer', figures.largestLayerBytes, limit, () =>
        figures.worstLayers(({ uncompressedBytes = 0 }) =>
          uncompressedBytes > limit ? uncompressedBytes : undefined,
        ),
      ),
  }),
  maxWasted: rule({
    means: 'The bytes of files that later layers hide are limited.',
    holds: '`waste.bytes` is at most this.',
    needs: 'analysis',
    parse: parseBytesLimit,
    judge: async (limit, figures) =>
      atMostBytes('The waste', await figures.wastedBytes(), limit, () => figures.worstWaste()),
  }),
  maxWastedPercent: rule({
    means: 'The share of bytes in files that later layers hide is limited.',
    holds: '100 × `waste.bytes` ÷ `size.fileBytes` is at most this: `10` or `10%`.',
    needs: 'analysis',
    floor: true,
    parse: parsePercentLimit,
    judge: async (limit, figures) => wastedPercent(await figures.wastedBytes(), limit, figures),
  }),
  maxDuplicated: rule({
    means: 'The bytes of surplus copies of files are limited.',
    holds: '`duplicates.wastedBytes` is at most this.',
    needs: 'analysis',
    parse: parseBytesLimit,
    judge: async (limit, figures) =>
      atMostBytes('The waste by duplicates', await figures.duplicatedBytes(), limit, () =>
        figures.worstDuplicates(),
      ),
  }),
  maxLayers: rule({
    means: 'The number of layers is limited.',
    holds: '`counts.layers` is at most this.',
    needs: 'manifest',
    parse: parseCountLimit,
    // The smallest are the first to be joined with others.
    judge: (limit, figures) =>
      atMostCount('layers', figures.layerCount, limit, () =>
        figures.worstLayers(
          ({ compressedBytes }) => -compressedBytes,
          ({ compressedBytes }) => compressedBytes,
        ),
      ),
  }),
  maxFiles: rule({
    means: 'The number of files is limited.',
    holds: '`counts.files` is at most this.',
    needs: 'analysis',
    parse: parseCountLimit,
    judge: (limit, figures) =>
      atMostCount('files', figures.facts.counts.files, limit, () => figures.filesByLayer()),
  }),
  minEfficiency: rule({
    means: "dive's efficiency score has a lower limit.",
    holds: '`efficiency.score` is at least this, 0 to 1.',
    needs: 'analysis',
    floor: true,
    parse: parseRatioLimit,
    judge: async (limit, figures) => efficiencyAtLeast((await figures.efficiency()).score, limit, figures),
  }),
  maxUserWastedPercent: rule({
    means: "dive's share of wasted bytes in all layers but the first is limited.",
    holds: "100 × `efficiency.wastedUserRatio` (dive's ratio) is at most this: `10` or `10%`.",
    needs: 'analysis',
    floor: true,
    parse: parsePercentLimit,
    judge: async (limit, figures) => userWasted(percentAsRatio(limit), 'percent', figures),
  }),
  maxSavings: rule({
    means: 'What the advice could save is limited.',
    holds: '`savings.bytes` of the advice is at most this: a size, or percent of `size.fileBytes`.',
    needs: 'analysis',
    parse: parseGrowthLimit,
    judge: savings,
  }),
  maxSeverity: rule({
    means: 'The severity of advice is limited.',
    holds: 'No advice is worse than this: `info` or `warning`.',
    needs: 'analysis',
    parse: readSeverity,
    judge: worstSeverity,
  }),
  deny: rule({
    means: 'No path that any layer stores may match the glob.',
    holds:
      'No path in any layer matches the glob, hidden ones included: a file that a later layer removes still ships.',
    needs: 'analysis',
    repeats: true,
    glob: true,
    parse: (glob) => glob,
    judge: async (glob, figures) => denied(glob, await figures.deniedStored(glob), 'stored', figures),
  }),
  denyShown: rule({
    means: 'No path of the merged file system may match the glob.',
    holds: 'No path of the merged file system matches the glob.',
    needs: 'analysis',
    repeats: true,
    glob: true,
    parse: (glob) => glob,
    judge: async (glob, figures) => denied(glob, await figures.deniedShown(glob), 'shown', figures),
  }),
  maxGrowth: rule({
    means: 'The growth of the uncompressed size over the baseline is limited.',
    holds: 'Growth of `uncompressedBytes` over `baseline` is at most this: a size, or percent.',
    needs: 'analysis',
    growth: true,
    parse: parseGrowthLimit,
    judge: (limit, figures) =>
      growth(
        {
          what: 'The uncompressed size',
          now: knownTarBytes(figures.facts.size),
          before: knownTarBytes(figures.baselineFacts.size),
        },
        limit,
        () => figures.worstNewLayers(({ uncompressedBytes }) => uncompressedBytes),
      ),
  }),
  maxCompressedGrowth: rule({
    means: 'The growth of the compressed size over the baseline is limited.',
    holds: 'Growth of `compressedBytes` over `baseline` is at most this: a size, or percent.',
    needs: 'manifest',
    growth: true,
    parse: parseGrowthLimit,
    judge: (limit, figures) =>
      growth(
        {
          what: 'The compressed size',
          now: figures.compressedBytes,
          before: figures.baselineCompressedBytes,
        },
        limit,
        () => figures.worstNewLayers(({ compressedBytes }) => compressedBytes),
      ),
  }),
  maxGrowthOver: rule({
    means: 'The growth of the compressed size over the last images of the repository is limited.',
    holds:
      'Growth of `compressedBytes` since the oldest of the last images is at most this: `10%/30` over 30 of them. They are the newest tags by `created` of the repository of `baseline`, or else of `image`.',
    needs: 'manifest',
    parse: parseSeriesLimit,
    judge: growthOver,
  }),
  maxPull: rule({
    means: 'What a machine with the baseline downloads is limited.',
    holds: 'What an update from `baseline` pulls is at most this: a size, or percent of the compressed size.',
    needs: 'manifest',
    growth: true,
    parse: parseGrowthLimit,
    judge: pulled,
  }),
}

/** The rules of `.dive-ci` files, in the order of the verdicts. */
const DIVE_TABLE = {
  lowestEfficiency: rule({
    means: "dive's efficiency score has a lower limit.",
    holds: '`efficiency.score` is at least this, 0 to 1.',
    needs: 'analysis',
    diveDefault: '0.9',
    parse: diveRatio,
    judge: async (limit, figures) => efficiencyAtLeast((await figures.efficiency()).score, limit, figures),
  }),
  highestWastedBytes: rule({
    means: "dive's wasted bytes are limited.",
    holds: '`efficiency.wastedBytes` is at most this.',
    needs: 'analysis',
    parse: diveBytes,
    judge: async (limit, figures) =>
      atMostBytes("dive's wasted bytes", (await figures.efficiency()).wastedBytes, limit, () =>
        figures.worstWaste(),
      ),
  }),
  highestUserWastedPercent: rule({
    means: "dive's share of wasted bytes in all layers but the first is limited.",
    holds: '`efficiency.wastedUserRatio` is at most this, 0 to 1.',
    needs: 'analysis',
    diveDefault: '0.1',
    parse: diveRatio,
    judge: async (limit, figures) => userWasted(limit, 'ratio', figures),
  }),
}

export type PolicyRuleName = keyof typeof POLICY_TABLE

export type RuleName = PolicyRuleName | keyof typeof DIVE_TABLE

export const RULES: Readonly<Record<RuleName, RuleKind>> = { ...POLICY_TABLE, ...DIVE_TABLE }

/** A rule with its limit. */
export type Rule = {
  readonly name: RuleName
  readonly limit: Limit
  readonly judge: Judge
}

/** @throws Problem `invalid_parameter` for a limit that cannot be read */
export function readRule(name: RuleName, text: string): Rule {
  return { name, ...RULES[name].read(text, name) }
}

function namesOf<Name extends RuleName>(table: Readonly<Record<Name, RuleKind>>): readonly Name[] {
  return Object.keys(table).filter((name): name is Name => Object.hasOwn(table, name))
}

export const POLICY_RULES = namesOf(POLICY_TABLE)
export const DIVE_RULES = namesOf(DIVE_TABLE)

/** In place of a base image's name: the one that annotations, labels or provenance name. */
export const AUTO_BASE = 'auto'

/** A word of a policy that is not a rule. */
type Condition = Pick<RuleFacts, 'holds' | 'repeats'>

const CONDITION_TABLE = {
  minWasteBytes: {
    holds: 'Not a rule: with less `waste.bytes` the percent and efficiency rules hold.',
  },
  baseline: {
    holds: 'Not a rule: the image that growth is measured against.',
  },
  historyTag: {
    holds: 'Not a rule: globs of the tags that `maxGrowthOver` compares with; all by default.',
    repeats: true,
  },
  baseImage: {
    holds:
      'Not a rule: the image that this one is built on; `auto`: the one that annotations, labels or provenance name. Its bytes count nowhere but in sizes, unless this image removed or replaced them.',
  },
  ignore: {
    holds: 'Not a rule: matching paths count neither as waste, duplicates, advice nor denied.',
    repeats: true,
  },
} satisfies Record<string, Condition>

export type ConditionName = keyof typeof CONDITION_TABLE

export const CONDITIONS: Readonly<Record<ConditionName, Condition>> = CONDITION_TABLE

/**
 * Every word of a policy with its description: the query parameters of a check besides the image's own, and the keys of a
 * posted policy.
 */
export const POLICY_KEYS: ReadonlyMap<string, Condition> = new Map([
  ...POLICY_RULES.map((name): [string, Condition] => [name, RULES[name]]),
  ...Object.entries(CONDITIONS),
])
