/** One rule applied to the figures: whether it holds, in numbers and in a sentence. */
import { formatBytes, formatCount, formatDelta, formatPercent } from '../text/format.ts'
import {
  type Decimal,
  type GrowthLimit,
  isWithinPercent,
  ratioAsPercent,
  type SeriesLimit,
  toNumber,
} from '../text/limit.ts'
import { type Denied, withoutKey } from './denied.ts'
import type { Evidence, Unit } from './evidence.ts'
import type { Figures } from './figures.ts'
import type { Severity } from './tables.ts'

/** Least severe first. */
const SEVERITIES: readonly Severity[] = ['info', 'warning', 'error']

export type Finding = {
  readonly unit: Unit
  readonly limit: number | string
  /** Null if there is nothing to compare with. */
  readonly actual: number | string | null
  readonly pass: boolean
  readonly message: string
  /** Called only if the rule is broken. */
  readonly evidence: () => readonly Evidence[] | Promise<readonly Evidence[]>
}

export function atMostBytes(
  what: string,
  actual: number,
  limit: number,
  evidence: Finding['evidence'],
): Finding {
  const pass = actual <= limit
  const [shown, shownLimit] = formatDistinct(actual, limit)
  const message = `${what} is ${shown}, ${pass ? 'within' : 'over'} the limit of ${shownLimit}.`
  return { unit: 'bytes', limit, actual, pass, message, evidence }
}

/** Two sizes; in bytes if three digits would make them look equal. */
function formatDistinct(a: number, b: number): readonly [string, string] {
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
  const { pass, actual } = shareOf(wasted, fileBytes, limit)
  const share = `${formatBytes(wasted)} of ${formatBytes(fileBytes)} in files`
  const message = `The waste is ${formatPercent(actual)} (${share}), ${pass ? 'within' : 'over'} the limit of ${toNumber(limit)}%.`
  return {
    unit: 'percent',
    limit: toNumber(limit),
    actual,
    pass,
    message,
    evidence: () => figures.worstWaste(),
  }
}

/** In percent; a part of nothing is 0%. */
function shareOf(
  part: number,
  whole: number,
  limit: Decimal,
): { readonly pass: boolean; readonly actual: number } {
  if (whole === 0) return { pass: true, actual: 0 }
  return { pass: isWithinPercent(part, whole, limit), actual: (100 * part) / whole }
}

export function efficiencyAtLeast(score: number, limit: number, figures: Figures): Finding {
  const pass = score >= limit
  // Five digits, rounded down: a score below its limit never looks equal to it.
  const shown = Math.floor(score * 1e5) / 1e5
  const message = `The efficiency is ${shown}, ${pass ? 'not below' : 'below'} the limit of ${limit}.`
  return { unit: 'ratio', limit, actual: score, pass, message, evidence: () => figures.worstWaste() }
}

/** dive's share of wasted bytes in all layers but the first, in the unit of the limit. */
export async function userWasted(
  limit: number,
  unit: 'percent' | 'ratio',
  figures: Figures,
): Promise<Finding> {
  const { wastedUserRatio: ratio } = await figures.efficiency()
  const inUnit = (value: number) => (unit === 'percent' ? ratioAsPercent(value) : value)
  const evidence = () => figures.worstWaste()
  if (ratio === undefined) {
    const message = 'No layer but the first has bytes that could be wasted.'
    return { unit, limit: inUnit(limit), actual: null, pass: true, message, evidence }
  }
  const pass = ratio <= limit
  const share = `${formatPercent(100 * ratio)} of what the layers above the first hold`
  const message = `dive's wasted bytes are ${share}, ${pass ? 'within' : 'over'} the limit of ${ratioAsPercent(limit)}%.`
  return { unit, limit: inUnit(limit), actual: inUnit(ratio), pass, message, evidence }
}

/** @param whose paths: `stored`, or of the merged file system */
export function denied(
  glob: string,
  { paths, worst }: Denied,
  whose: 'stored' | 'shown',
  figures: Figures,
): Finding {
  const message =
    paths === 0
      ? `No ${whose} path matches ${glob}.`
      : `${formatCount(paths)} ${whose} ${paths === 1 ? 'path matches' : 'paths match'} ${glob}.`
  const evidence = () => (whose === 'stored' ? figures.withHidden(worst) : worst.map(withoutKey))
  return { unit: 'count', limit: glob, actual: paths, pass: paths === 0, message, evidence }
}

/** What advice could save, in the unit of the limit. */
export async function savings(limit: GrowthLimit, figures: Figures): Promise<Finding> {
  const { bytes } = (await figures.advice()).savings
  const evidence = () => figures.worstAdvised(({ severity }) => severity === 'warning')
  if ('bytes' in limit) return atMostBytes('What could be saved', bytes, limit.bytes, evidence)
  const { fileBytes } = figures.facts.size
  const { pass, actual } = shareOf(bytes, fileBytes, limit.percent)
  const share = `${formatPercent(actual)} (${formatBytes(bytes)} of ${formatBytes(fileBytes)} in files)`
  const message = `What could be saved is ${share}, ${pass ? 'within' : 'over'} the limit of ${toNumber(limit.percent)}%.`
  return { unit: 'percent', limit: toNumber(limit.percent), actual, pass, message, evidence }
}

/** What an update from the baseline pulls, in the unit of the limit. */
export function pulled(limit: GrowthLimit, figures: Figures): Finding {
  const { bytes, totalBytes } = figures.pull
  const evidence = () => figures.worstPulledLayers()
  if ('bytes' in limit) return atMostBytes('What the update pulls', bytes, limit.bytes, evidence)
  const { pass, actual } = shareOf(bytes, totalBytes, limit.percent)
  const share = `${formatPercent(actual)} (${formatBytes(bytes)} of ${formatBytes(totalBytes)})`
  const message = `What the update pulls is ${share}, ${pass ? 'within' : 'over'} the limit of ${toNumber(limit.percent)}%.`
  return { unit: 'percent', limit: toNumber(limit.percent), actual, pass, message, evidence }
}

export async function worstSeverity(limit: Severity, figures: Figures): Promise<Finding> {
  const { items } = await figures.advice()
  const isWorse = ({ severity }: { readonly severity: Severity }) =>
    SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(limit)
  const actual = SEVERITIES.findLast((severity) => items.some((item) => item.severity === severity)) ?? null
  const worse = SEVERITIES.toReversed().flatMap((severity) => {
    const count = items.filter((item) => item.severity === severity && isWorse(item)).length
    return count === 0
      ? []
      : [`${formatCount(count)} ${count === 1 ? 'finding' : 'findings'} of severity ${severity}`]
  })
  const pass = worse.length === 0
  const message = pass
    ? `No finding is of a severity above ${limit}.`
    : `${worse.join(', ')}; the policy allows ${limit}.`
  return { unit: 'severity', limit, actual, pass, message, evidence: () => figures.worstAdvised(isWorse) }
}

/** A size now, and in the baseline. */
export type Growth = { readonly what: string; readonly now: number; readonly before: number }

export function growth(grown: Growth, limit: GrowthLimit, evidence: Finding['evidence']): Finding {
  return 'bytes' in limit
    ? growthInBytes(grown, limit.bytes, evidence)
    : growthInPercent(grown, limit.percent, evidence)
}

/** How much the compressed size grew since the oldest of the last images. */
export function growthOver({ growth: limit, last }: SeriesLimit, figures: Figures): Finding {
  const { count, oldest } = figures.earlier
  if (oldest === undefined) {
    const [unit, most] =
      'bytes' in limit ? (['bytes', limit.bytes] as const) : (['percent', toNumber(limit.percent)] as const)
    const message = `There is no earlier image to compare with; up to ${last} are.`
    return { unit, limit: most, actual: null, pass: true, message, evidence: () => [] }
  }
  const { name, compressedBytes: before, diffIds } = oldest
  const since = count === 1 ? `Since ${name}, the image before` : `Since ${name}, ${count} images ago`
  const what = `${since}, the compressed size`
  return growth({ what, now: figures.compressedBytes, before }, limit, () =>
    figures.worstNewLayers(({ compressedBytes }) => compressedBytes, diffIds),
  )
}

function growthInBytes({ what, now, before }: Growth, limit: number, evidence: Finding['evidence']): Finding {
  const actual = now - before
  const pass = actual <= limit
  const [shown, shownLimit] = formatDistinct(Math.abs(actual), limit)
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
  // Compared with nothing, any growth exceeds every percentage.
  const pass = before === 0 ? grown === 0 : isWithinPercent(grown, before, limit)
  const actual = before === 0 ? (grown === 0 ? 0 : null) : (100 * grown) / before
  const share = actual === null ? 'from nothing' : `${formatPercent(actual)}`
  const change = `went from ${formatBytes(before)} to ${formatBytes(now)} (${formatDelta(grown)}, ${share})`
  const message = `${what} ${change}, ${pass ? 'within' : 'over'} the limit of ${toNumber(limit)}%.`
  return { unit: 'percent', limit: toNumber(limit), actual, pass, message, evidence }
}
