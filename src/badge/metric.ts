/** What a badge can show of an image, and from where on that is worth a look, or bad. */

import type { ImageFacts } from '../image/report.ts'
import { formatBytes, formatDelta } from '../text/format.ts'
import {
  type GrowthLimit,
  isWithinPercent,
  parseBytesLimit,
  parseCountLimit,
  parseGrowthLimit,
  parseRatioLimit,
} from '../text/limit.ts'
import { single } from './appearance.ts'

/** What is shown, and how it looks unless the badge's reader chose a color. */
export type Figure = { readonly message: string; readonly color: string }

/** Where the manifest answers. */
export type ManifestMetric = 'size' | 'layers'
/** Where all layers have to be read. */
export type AnalysisMetric = 'uncompressed' | 'wasted' | 'efficiency' | 'files'
export type Metric = ManifestMetric | AnalysisMetric | 'delta' | 'check'

/** What each badge says on its left. */
export const LABELS: Readonly<Record<Metric, string>> = {
  size: 'image size',
  uncompressed: 'unpacked size',
  layers: 'layers',
  wasted: 'wasted',
  efficiency: 'efficiency',
  files: 'files',
  check: 'image check',
  delta: 'size change',
}

export type ManifestFigures = { readonly compressedBytes: number; readonly layers: number }

/**
 * @param query its `warn` and `bad` are the thresholds: bytes for `size`, a number for `layers`
 * @throws Problem `invalid_parameter`
 */
export function manifestFigure(
  metric: ManifestMetric,
  query: URLSearchParams,
): (figures: ManifestFigures) => Figure {
  switch (metric) {
    case 'size': {
      const limits = thresholds(query, parseBytesLimit)
      return ({ compressedBytes }) => bytesFigure(compressedBytes, limits)
    }
    case 'layers': {
      const limits = thresholds(query, parseCountLimit)
      return ({ layers }) => countFigure(layers, limits)
    }
  }
}

/**
 * @param query its thresholds: bytes for `uncompressed`; bytes or percent of all file bytes for `wasted`; for
 * `efficiency`, where less is worse, a number from 0 to 1; a number for `files`
 * @throws Problem `invalid_parameter`
 */
export function analysisFigure(
  metric: AnalysisMetric,
  query: URLSearchParams,
): (facts: ImageFacts) => Figure {
  switch (metric) {
    case 'uncompressed': {
      const limits = thresholds(query, parseBytesLimit)
      return ({ size }) => bytesFigure(size.uncompressedBytes, limits)
    }
    case 'wasted': {
      const limits = thresholds(query, parseGrowthLimit) ?? { warn: percent(5n), bad: percent(10n) }
      return ({ waste: { bytes }, size: { fileBytes } }) => ({
        message: formatBytes(bytes),
        color: paint(limits, (limit) => isOver(limit, bytes, fileBytes)),
      })
    }
    case 'efficiency': {
      const limits = thresholds(query, parseRatioLimit) ?? { warn: 0.95, bad: 0.9 }
      return ({ efficiency: { score } }) => ({
        message: `${score === 1 ? '100' : cutOff(100 * score)}%`,
        color: paint(limits, (limit) => score < limit),
      })
    }
    case 'files': {
      const limits = thresholds(query, parseCountLimit)
      return ({ counts }) => countFigure(counts.files, limits)
    }
  }
}

/**
 * Growth of the compressed size.
 *
 * @param query its thresholds: bytes, or percent of what there was
 * @throws Problem `invalid_parameter`
 */
export function deltaFigure(query: URLSearchParams): (bytes: number, baselineBytes: number) => Figure {
  const limits = thresholds(query, parseGrowthLimit)
  return (bytes, baselineBytes) => {
    const delta = bytes - baselineBytes
    const unjudged = delta > 0 ? 'orange' : delta < 0 ? 'brightgreen' : 'lightgrey'
    return {
      message: formatDelta(delta),
      color: limits === undefined ? unjudged : paint(limits, (limit) => isOver(limit, delta, baselineBytes)),
    }
  }
}

type Thresholds<T> = { readonly warn: T | undefined; readonly bad: T | undefined }

/** Undefined where none is given. */
function thresholds<T>(
  query: URLSearchParams,
  parse: (text: string, parameter: string) => T,
): Thresholds<T> | undefined {
  const warn = single(query, 'warn')
  const bad = single(query, 'bad')
  if (warn === undefined && bad === undefined) return undefined
  return {
    warn: warn === undefined ? undefined : parse(warn, 'warn'),
    bad: bad === undefined ? undefined : parse(bad, 'bad'),
  }
}

function paint<T>({ warn, bad }: Thresholds<T>, isPast: (limit: T) => boolean): string {
  if (bad !== undefined && isPast(bad)) return 'red'
  return warn !== undefined && isPast(warn) ? 'yellow' : 'brightgreen'
}

/** A number alone is neither good nor bad. */
const NEUTRAL = 'blue'

function bytesFigure(bytes: number, limits: Thresholds<number> | undefined): Figure {
  const color = limits === undefined ? NEUTRAL : paint(limits, (limit) => bytes > limit)
  return { message: formatBytes(bytes), color }
}

function countFigure(count: number, limits: Thresholds<number> | undefined): Figure {
  const color = limits === undefined ? NEUTRAL : paint(limits, (limit) => count > limit)
  return { message: shortCount(count), color }
}

/** `42`, `12.3k`, `1.20M` */
function shortCount(count: number): string {
  if (count < 1000) return String(count)
  const thousands = count / 1000
  return thousands < 999.5 ? `${thousands.toPrecision(3)}k` : `${(thousands / 1000).toPrecision(3)}M`
}

/** Three digits, cut off: what is not whole does not show as if it were. */
function cutOff(percent: number): string {
  const digits = percent < 10 ? 100 : 10
  return (Math.floor(percent * digits) / digits).toPrecision(3)
}

function isOver(limit: GrowthLimit, part: number, whole: number): boolean {
  if ('bytes' in limit) return part > limit.bytes
  return whole === 0 ? part > 0 : !isWithinPercent(part, whole, limit.percent)
}

function percent(digits: bigint): GrowthLimit {
  return { percent: { digits, scale: 0 } }
}
