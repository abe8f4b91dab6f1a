/**
 * Badges: a figure of an image as SVG. This file has what a badge can show about an image, and from which value on that is
 * noteworthy or bad.
 */

import { type Policy, policyFromQuery } from '../gate/policy.ts'
import type { ImageFacts } from '../image/report.ts'
import { knownTarBytes } from '../image/tar-bytes.ts'
import type { ManifestFigures } from '../oci/figures.ts'
import { Problem } from '../problem.ts'
import { FIGURES } from '../text/figures.ts'
import { formatBytes, formatDelta, formatFigure } from '../text/format.ts'
import {
  type GrowthLimit,
  isWithinPercent,
  parseBytesLimit,
  parseCountLimit,
  parseGrowthLimit,
  parseRatioLimit,
} from '../text/limit.ts'
import { APPEARANCE_PARAMETERS, single } from './appearance.ts'

/** The text, and the colour unless the badge's user chose one. */
export type BadgeMessage = { readonly message: string; readonly color: string }

/** What must be known, and what is shown then. */
export type Show =
  | { readonly from: 'manifest'; readonly figure: (figures: ManifestFigures) => BadgeMessage }
  /** @param bytes compressed, if they are what a pull takes */
  | { readonly from: 'pull'; readonly figure: (bytes: number) => BadgeMessage }
  | { readonly from: 'analysis'; readonly figure: (facts: ImageFacts) => BadgeMessage }
  | {
      readonly from: 'manifests'
      readonly baseline: string
      /** @param bytes compressed, of the image and of its baseline */
      readonly figure: (bytes: number, baselineBytes: number) => BadgeMessage
    }
  | {
      readonly from: 'advice'
      /** @param bytes that could be saved */
      readonly figure: (bytes: number, facts: ImageFacts) => BadgeMessage
    }
  | {
      readonly from: 'update'
      readonly baseline: string
      /** @param bytes that a machine with the baseline pulls @param totalBytes of the whole image */
      readonly figure: (bytes: number, totalBytes: number) => BadgeMessage
    }
  | { readonly from: 'check'; readonly policy: Policy }

type MetricKind = {
  /** The left half of the badge. */
  readonly label: string
  /** The metric in the list from which a reader chooses. */
  readonly title: string
  /** What is shown; Markdown. */
  readonly shows: string
  /** @throws Problem `invalid_parameter` for thresholds that cannot be read */
  readonly read: (query: URLSearchParams) => Show
}

/** Parameters of every badge that are not words of a policy. */
const BESIDES = ['image', 'platform', 'read', ...APPEARANCE_PARAMETERS]

/** Beyond the first value a badge is yellow, beyond the second red, unless its thresholds say otherwise. */
const SHARES = { warn: percent(5n), bad: percent(10n) }

/** All metrics, one entry each: a new badge is a new entry. */
const TABLE = {
  size: {
    label: 'image size',
    title: FIGURES.compressed.label,
    shows: 'the compressed size',
    read: (query) => {
      const limits = thresholds(query, parseBytesLimit)
      return { from: 'pull', figure: (bytes) => bytesFigure(bytes, limits) }
    },
  },
  uncompressed: {
    label: 'uncompressed size',
    title: FIGURES.uncompressed.label,
    shows: 'the uncompressed size',
    read: (query) => {
      const limits = thresholds(query, parseBytesLimit)
      return { from: 'analysis', figure: ({ size }) => bytesFigure(knownTarBytes(size), limits) }
    },
  },
  layers: {
    label: 'layers',
    title: FIGURES.layers.label,
    shows: 'the number of layers',
    read: (query) => {
      const limits = thresholds(query, parseCountLimit)
      return { from: 'manifest', figure: ({ layers }) => countFigure(layers, limits) }
    },
  },
  wasted: {
    label: 'wasted',
    title: FIGURES.wasted.label,
    shows: 'what later layers hide; thresholds in bytes or percent of all bytes in files',
    read: (query) => {
      const limits = thresholds(query, parseGrowthLimit) ?? SHARES
      return {
        from: 'analysis',
        figure: ({ waste: { bytes }, size: { fileBytes } }) => ({
          message: formatBytes(bytes),
          color: paint(limits, (limit) => isOver(limit, bytes, fileBytes)),
        }),
      }
    },
  },
  efficiency: {
    label: 'efficiency',
    title: FIGURES.efficiency.label,
    shows: "dive's score, where less is worse; thresholds from 0 to 1",
    read: (query) => {
      const limits = thresholds(query, parseRatioLimit) ?? { warn: 0.95, bad: 0.9 }
      return {
        from: 'analysis',
        figure: ({ efficiency: { score } }) => ({
          message: `${score === 1 ? '100' : cutOff(100 * score)}%`,
          color: paint(limits, (limit) => score < limit),
        }),
      }
    },
  },
  files: {
    label: 'files',
    title: FIGURES.files.label,
    shows: 'the number of files',
    read: (query) => {
      const limits = thresholds(query, parseCountLimit)
      return { from: 'analysis', figure: ({ counts }) => countFigure(counts.files, limits) }
    },
  },
  advice: {
    label: 'image advice',
    title: 'What can be saved',
    shows: 'what the advice saves; thresholds as of `wasted`',
    read: (query) => {
      const limits = thresholds(query, parseGrowthLimit) ?? SHARES
      return {
        from: 'advice',
        figure: (bytes, { size: { fileBytes } }) => ({
          message: bytes === 0 ? 'nothing to save' : `saves ${formatBytes(bytes)}`,
          color: paint(limits, (limit) => isOver(limit, bytes, fileBytes)),
        }),
      }
    },
  },
  check: {
    label: 'image check',
    title: 'Whether it passes the gate',
    shows: 'whether the image keeps the rules given as parameters',
    read: (query) => ({ from: 'check', policy: policyFromQuery(query, BESIDES) }),
  },
  delta: {
    label: 'size change',
    title: 'Growth since another image',
    shows:
      'the growth of the compressed size over `baseline`; thresholds in bytes or percent; unknown for archives with uncompressed layers',
    read: (query) => ({
      from: 'manifests',
      baseline: required(query, 'baseline'),
      figure: deltaFigure(query),
    }),
  },
  update: {
    label: 'image update',
    title: 'What an update pulls',
    shows:
      'what a machine that has `baseline` downloads; thresholds in bytes or percent of the compressed size',
    read: (query) => {
      const limits = thresholds(query, parseGrowthLimit)
      return {
        from: 'update',
        baseline: required(query, 'baseline'),
        figure: (bytes, totalBytes) => ({
          message: bytes === 0 ? 'pulls nothing' : `pulls ${formatBytes(bytes)}`,
          color: limits === undefined ? NEUTRAL : paint(limits, (limit) => isOver(limit, bytes, totalBytes)),
        }),
      }
    },
  },
} satisfies Record<string, MetricKind>

export type Metric = keyof typeof TABLE

export const METRICS: Readonly<Record<Metric, MetricKind>> = TABLE

export function isMetric(name: string): name is Metric {
  return Object.hasOwn(TABLE, name)
}

export const METRIC_NAMES: readonly Metric[] = Object.keys(TABLE).filter(isMetric)

/**
 * A required parameter.
 *
 * @throws Problem `invalid_parameter`
 */
export function required(query: URLSearchParams, parameter: string): string {
  const value = single(query, parameter)
  if (value) return value
  throw new Problem('invalid_parameter', `${parameter} is missing`, { parameter })
}

/**
 * Growth of the compressed size.
 *
 * @param query its thresholds: bytes, or percent of the old size
 * @throws Problem `invalid_parameter`
 */
function deltaFigure(query: URLSearchParams): (bytes: number, baselineBytes: number) => BadgeMessage {
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

/** Undefined if none is given. */
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

/** A number without thresholds is neither good nor bad. */
const NEUTRAL = 'blue'

function bytesFigure(bytes: number, limits: Thresholds<number> | undefined): BadgeMessage {
  const color = limits === undefined ? NEUTRAL : paint(limits, (limit) => bytes > limit)
  return { message: formatBytes(bytes), color }
}

function countFigure(count: number, limits: Thresholds<number> | undefined): BadgeMessage {
  const color = limits === undefined ? NEUTRAL : paint(limits, (limit) => count > limit)
  return { message: shortCount(count), color }
}

/** `42`, `12.3k`, `1.20M` */
function shortCount(count: number): string {
  if (count < 1000) return String(count)
  const thousands = count / 1000
  return thousands < 999.5 ? `${formatFigure(thousands)}k` : `${formatFigure(thousands / 1000)}M`
}

/** Three digits, rounded down, so that a share below 1 never looks like 1. */
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
