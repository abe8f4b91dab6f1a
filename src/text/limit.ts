/** Limits as people write them. They are exact: an image at its limit passes, an image one byte above it does not. */
import { Problem } from '../problem.ts'

/** An exact number, not negative: `digits` ÷ 10 to the power of `scale`. */
export type Decimal = { readonly digits: bigint; readonly scale: number }

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['', 1n],
  ['B', 1n],
  ['kB', 10n ** 3n],
  ['MB', 10n ** 6n],
  ['GB', 10n ** 9n],
  ['TB', 10n ** 12n],
  ['KiB', 2n ** 10n],
  ['MiB', 2n ** 20n],
  ['GiB', 2n ** 30n],
  ['TiB', 2n ** 40n],
])

/** Longer than any sensible limit; longer input would cost time. */
const MAX_LENGTH = 40

/** How much of an invalid value a message shows. */
const SHOWN_LENGTH = 60

function unreadable(text: string, parameter: string, wanted: string): Problem {
  const shown = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text
  return new Problem('invalid_parameter', `${parameter}: ${JSON.stringify(shown)} is not ${wanted}`, {
    parameter,
  })
}

function readDecimal(text: string): { readonly decimal: Decimal; readonly rest: string } | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const [, whole, fraction = '', rest = ''] = /^(\d+)(?:\.(\d+))?([^\d.].*)?$/s.exec(text) ?? []
  if (whole === undefined) return undefined
  return { decimal: { digits: BigInt(whole + fraction), scale: fraction.length }, rest }
}

/** The nearest double. */
export function toNumber({ digits, scale }: Decimal): number {
  return Number(`${digits}e-${scale}`)
}

/**
 * A size in bytes: digits, an optional fraction, an optional unit. Fractions of a byte are dropped, which makes no
 * difference to sizes in whole bytes.
 *
 * @throws Problem `invalid_parameter`
 */
export function parseBytesLimit(text: string, parameter: string): number {
  const read = readDecimal(text)
  const unit = UNITS.get(read?.rest ?? '')
  const bytes =
    read === undefined || unit === undefined
      ? undefined
      : (read.decimal.digits * unit) / 10n ** BigInt(read.decimal.scale)
  if (bytes === undefined || bytes > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw unreadable(
      text,
      parameter,
      'a size: digits, an optional fraction, an optional unit (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB), as in 200MB, 1.5GiB, 1048576',
    )
  }
  return Number(bytes)
}

/** @throws Problem `invalid_parameter` */
export function parseCountLimit(text: string, parameter: string): number {
  const count = /^\d{1,16}$/.test(text) ? Number(text) : undefined
  if (count === undefined || !Number.isSafeInteger(count)) {
    throw unreadable(text, parameter, 'a number in digits')
  }
  return count
}

/**
 * `10` or `10%`, in percent.
 *
 * @throws Problem `invalid_parameter`
 */
export function parsePercentLimit(text: string, parameter: string): Decimal {
  const read = readDecimal(text)
  if (read === undefined || (read.rest !== '' && read.rest !== '%')) {
    throw unreadable(text, parameter, 'a percentage, as in 10 or 12.5%')
  }
  return read.decimal
}

/**
 * A ratio from 0 to 1.
 *
 * @throws Problem `invalid_parameter`
 */
export function parseRatioLimit(text: string, parameter: string): number {
  const read = readDecimal(text)
  if (read === undefined || read.rest !== '' || read.decimal.digits > 10n ** BigInt(read.decimal.scale)) {
    throw unreadable(text, parameter, 'a number from 0 to 1')
  }
  return toNumber(read.decimal)
}

/** A growth in bytes, or in percent of the old size. */
export type GrowthLimit = { readonly bytes: number } | { readonly percent: Decimal }

/** @throws Problem `invalid_parameter` */
export function parseGrowthLimit(text: string, parameter: string): GrowthLimit {
  return text.endsWith('%')
    ? { percent: parsePercentLimit(text, parameter) }
    : { bytes: parseBytesLimit(text, parameter) }
}

/** How much an image may have grown since the oldest of its last `last` predecessors. */
export type SeriesLimit = { readonly growth: GrowthLimit; readonly last: number }

const MAX_LAST = 1_000

/**
 * `10%/30`: at most 10 percent over the last 30 images; `20MB/30`.
 *
 * @throws Problem `invalid_parameter`
 */
export function parseSeriesLimit(text: string, parameter: string): SeriesLimit {
  const [, growth, last = ''] = /^([^/]*)\/([1-9]\d{0,3})$/.exec(text) ?? []
  if (growth === undefined || Number(last) > MAX_LAST)
    throw unreadable(
      text,
      parameter,
      `a growth and a number of images (1 to ${MAX_LAST}), as in 10%/30 or 20MB/30`,
    )
  return { growth: parseGrowthLimit(growth, parameter), last: Number(last) }
}

/** Whether `part` is at most the given percentage of `whole`. Both are integers; `whole` is above 0. */
export function isWithinPercent(part: number, whole: number, limit: Decimal): boolean {
  return 100n * BigInt(part) * 10n ** BigInt(limit.scale) <= limit.digits * BigInt(whole)
}

/** Whether `part` is less than the given percentage of `whole`, both integers. */
export function isBelowPercent(part: number, whole: number, limit: Decimal): boolean {
  return 100n * BigInt(part) * 10n ** BigInt(limit.scale) < limit.digits * BigInt(whole)
}

/**
 * A percentage as a ratio in a double. Both the division and this rounding keep order, so a ratio at its limit stays at
 * it.
 */
export function percentAsRatio({ digits, scale }: Decimal): number {
  return Number(`${digits}e-${scale + 2}`)
}

/** A ratio in percent, without the noise of floating-point multiplication: 0.07 is 7. */
export function ratioAsPercent(ratio: number): number {
  return Number((100 * ratio).toPrecision(15))
}
