/** One rule against the figures: whether it holds, in numbers and in a sentence. */
import { formatBytes, formatCount, formatDelta, formatFigure } from '../text/format.ts'
import { type Decimal, type GrowthLimit, isWithinPercent, ratioAsPercent, toNumber } from '../text/limit.ts'
import type { Denied } from './denied.ts'
import type { Evidence, Unit } from './evidence.ts'
import type { Figures } from './figures.ts'

export type Finding = {
  readonly unit: Unit
  readonly limit: number | string
  /** Null where there is nothing to compare. */
  readonly actual: number | null
  readonly pass: boolean
  readonly message: string
  /** Asked for only where the rule does not hold. */
  readonly evidence: () => readonly Evidence[] | Promise<readonly Evidence[]>
}

export function atMostBytes(
  what: string,
  actual: number,
  limit: number,
  evidence: Finding['evidence'],
): Finding {
  const pass = actual <= limit
  const [shown, shownLimit] = tellApart(actual, limit)
  const message = `${what} is ${shown}, ${pass ? 'within' : 'over'} the limit of ${shownLimit}.`
  return { unit: 'bytes', limit, actual, pass, message, evidence }
}

/** Two sizes; to the byte where three digits would show them as one. */
function tellApart(a: number, b: number): readonly [string, string] {
  const rounded = [formatBytes(a), formatBytes(b)] as const
  if (a === b || rounded[0] !== rounded[1]) return rounded
  return [`${formatCount(a)} B`, `${formatCount(b)} B`]
}

export function atMostCount(
  what: string,
  actual: number,
  limit: number,
  evidence: Finding['evidence'],
): Finding {
  const pass = actual <= limit
  const message = `There are ${formatCount(actual)} ${what}, ${pass ? 'within' : 'over'} the limit of ${formatCount(limit)}.`
  return { unit: 'count', limit, actual, pass, message, evidence }
}

export function wastedPercent(wasted: number, limit: Decimal, figures: Figures): Finding {
  const { fileBytes } = figures.facts.size
  const pass = fileBytes === 0 || isWithinPercent(wasted, fileBytes, limit)
  const actual = fileBytes === 0 ? 0 : (100 * wasted) / fileBytes
  const share = `${formatBytes(wasted)} of ${formatBytes(fileBytes)} in files`
  const message = `The waste is ${formatFigure(actual)}% (${share}), ${pass ? 'within' : 'over'} the limit of ${toNumber(limit)}%.`
  return {
    unit: 'percent',
    limit: toNumber(limit),
    actual,
    pass,
    message,
    evidence: () => figures.worstWaste(),
  }
}

export function efficiencyAtLeast(score: number, limit: number, figures: Figures): Finding {
  const pass = score >= limit
  // Five digits, cut off: a score below its limit never shows as if it were at it.
  const shown = Math.floor(score * 1e5) / 1e5
  const message = `The efficiency is ${shown}, ${pass ? 'not below' : 'below'} the limit of ${limit}.`
  return { unit: 'ratio', limit, actual: score, pass, message, evidence: () => figures.worstWaste() }
}

/** dive's share of wasted bytes in all layers but the first, told as the rule has its limit. */
export async function userWasted(
  limit: number,
  unit: 'percent' | 'ratio',
  figures: Figures,
): Promise<Finding> {
  const { wastedUserRatio: ratio } = await figures.efficiency()
  const told = (value: number) => (unit === 'percent' ? ratioAsPercent(value) : value)
  const evidence = () => figures.worstWaste()
  if (ratio === undefined) {
    const message = 'No layer but the first has bytes that could be wasted.'
    return { unit, limit: told(limit), actual: null, pass: true, message, evidence }
  }
  const pass = ratio <= limit
  const share = `${formatFigure(100 * ratio)}% of what the layers above the first hold`
  const message = `dive's wasted bytes are ${share}, ${pass ? 'within' : 'over'} the limit of ${ratioAsPercent(limit)}%.`
  return { unit, limit: told(limit), actual: told(ratio), pass, message, evidence }
}

export function denied(glob: string, { paths, worst }: Denied): Finding {
  const message =
    paths === 0
      ? `No path matches ${glob}.`
      : `${formatCount(paths)} ${paths === 1 ? 'path matches' : 'paths match'} ${glob}.`
  return { unit: 'count', limit: glob, actual: paths, pass: paths === 0, message, evidence: () => worst }
}

/** A size now, and in the baseline. */
export type Growth = { readonly what: string; readonly now: number; readonly before: number }

export function growth(grown: Growth, limit: GrowthLimit, evidence: Finding['evidence']): Finding {
  return 'bytes' in limit
    ? growthInBytes(grown, limit.bytes, evidence)
    : growthInPercent(grown, limit.percent, evidence)
}

function growthInBytes({ what, now, before }: Growth, limit: number, evidence: Finding['evidence']): Finding {
  const actual = now - before
  const pass = actual <= limit
  const [shown, shownLimit] = tellApart(Math.abs(actual), limit)
  const change = `${actual < 0 ? 'shrank' : 'grew'} by ${shown}, from ${formatBytes(before)} to ${formatBytes(now)}`
  const message = `${what} ${change}, ${pass ? 'within' : 'over'} the limit of ${shownLimit}.`
  return { unit: 'bytes', limit, actual, pass, message, evidence }
}

function growthInPercent(
  { what, now, before }: Growth,
  limit: Decimal,
  evidence: Finding['evidence'],
): Finding {
  const grown = now - before
  // Over nothing, any growth is beyond every percentage.
  const pass = before === 0 ? grown === 0 : isWithinPercent(grown, before, limit)
  const actual = before === 0 ? (grown === 0 ? 0 : null) : (100 * grown) / before
  const share = actual === null ? 'from nothing' : `${formatFigure(actual)}%`
  const change = `went from ${formatBytes(before)} to ${formatBytes(now)} (${formatDelta(grown)}, ${share})`
  const message = `${what} ${change}, ${pass ? 'within' : 'over'} the limit of ${toNumber(limit)}%.`
  return { unit: 'percent', limit: toNumber(limit), actual, pass, message, evidence }
}
