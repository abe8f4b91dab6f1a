/** Decides whether a figure grows: compares the last third of a run with the second, by the slope and its error. */

export type Sample = { readonly seconds: number; readonly value: number }

export type Trend = {
  /** The means of the second and the last third. */
  readonly second: number
  readonly last: number
  /** The growth per third of the run, from the slope over both thirds. */
  readonly growth: number
  /** The standard error of the growth. */
  readonly error: number
  readonly isFlat: boolean
}

/**
 * Neighbouring samples are correlated, so the line is fitted to the means of this many blocks, whose noise is independent.
 */
const BLOCKS = 20
/** Growth is what certainly exceeds this fraction of the mean, or the allowed amount. */
const SHARE = 0.03
/** Standard errors by which growth must exceed what is allowed. */
const SURE = 2

/**
 * @param samples in order of time
 * @param allowed growth that does not count, in the figure's own unit: for figures that are small numbers
 */
export function trendOf(samples: readonly Sample[], allowed = 0): Trend {
  const [first, end] = [samples[0]?.seconds ?? 0, samples.at(-1)?.seconds ?? 0]
  const third = (end - first) / 3
  const late = samples.filter(({ seconds }) => seconds >= first + third)
  const [second, last] = [
    mean(late.filter(({ seconds }) => seconds < first + 2 * third)),
    mean(late.filter(({ seconds }) => seconds >= first + 2 * third)),
  ]
  const { slope, error } = lineThrough(blocksOf(late, first + third, 2 * third))
  const [growth, growthError] = [slope * third, error * third]
  const spare = Math.max(SHARE * Math.abs(second), allowed)
  return { second, last, growth, error: growthError, isFlat: growth - SURE * growthError <= spare }
}

function blocksOf(samples: readonly Sample[], from: number, length: number): readonly Sample[] {
  const blocks = Map.groupBy(samples, ({ seconds }) =>
    Math.min(Math.floor(((seconds - from) / length) * BLOCKS), BLOCKS - 1),
  )
  return Array.from(blocks.values(), (block) => ({
    seconds: mean(block.map(({ seconds }) => ({ value: seconds }))),
    value: mean(block),
  }))
}

/** A least-squares fit. */
function lineThrough(points: readonly Sample[]): { readonly slope: number; readonly error: number } {
  if (points.length < 3) return { slope: 0, error: 0 }
  const x = mean(points.map(({ seconds }) => ({ value: seconds })))
  const y = mean(points)
  const spread = sum(points.map(({ seconds }) => (seconds - x) ** 2))
  const slope = sum(points.map(({ seconds, value }) => (seconds - x) * (value - y))) / spread
  const rest = sum(points.map(({ seconds, value }) => (value - y - slope * (seconds - x)) ** 2))
  return { slope, error: Math.sqrt(rest / (points.length - 2) / spread) }
}

function mean(samples: readonly { readonly value: number }[]): number {
  return samples.length === 0 ? 0 : sum(samples.map(({ value }) => value)) / samples.length
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
