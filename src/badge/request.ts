/** What a badge is asked to show. */
import { type Policy, policyFromQuery } from '../gate/policy.ts'
import type { ImageFacts } from '../image/report.ts'
import { Problem } from '../problem.ts'
import { APPEARANCE_PARAMETERS, readAppearance, single } from './appearance.ts'
import type { Appearance } from './badge.ts'
import {
  type AnalysisMetric,
  analysisFigure,
  deltaFigure,
  type Figure,
  type ManifestFigures,
  type ManifestMetric,
  type Metric,
  manifestFigure,
} from './metric.ts'

export type BadgeRequest = {
  readonly metric: Metric
  readonly image: string
  readonly platform?: string
  readonly appearance: Appearance
  readonly show: Show
}

/** What has to be known, and what is shown then. */
export type Show =
  | { readonly from: 'manifest'; readonly figure: (figures: ManifestFigures) => Figure }
  | { readonly from: 'analysis'; readonly figure: (facts: ImageFacts) => Figure }
  | {
      readonly from: 'manifests'
      readonly baseline: string
      /** @param bytes compressed, of the image and of its baseline */
      readonly figure: (bytes: number, baselineBytes: number) => Figure
    }
  | { readonly from: 'check'; readonly policy: Policy }

/** Parameters of every badge that are no words of a policy. */
const BESIDES = ['image', 'platform', ...APPEARANCE_PARAMETERS]

const MANIFEST_METRICS: readonly ManifestMetric[] = ['size', 'layers']
const ANALYSIS_METRICS: readonly AnalysisMetric[] = ['uncompressed', 'wasted', 'efficiency', 'files']

/** All metrics that there are a badge for. */
export const METRICS: readonly Metric[] = [...MANIFEST_METRICS, ...ANALYSIS_METRICS, 'check', 'delta']

/**
 * @param query unknown parameters are passed over, except for `check`: a misspelt rule must not show a pass
 * @throws Problem `invalid_parameter`
 */
export function readBadgeRequest(metric: Metric, query: URLSearchParams): BadgeRequest {
  const platform = single(query, 'platform')
  return {
    metric,
    image: required(query, 'image'),
    ...(platform === undefined ? {} : { platform }),
    appearance: readAppearance(query),
    show: readShow(metric, query),
  }
}

function readShow(metric: Metric, query: URLSearchParams): Show {
  switch (metric) {
    case 'size':
    case 'layers':
      return { from: 'manifest', figure: manifestFigure(metric, query) }
    case 'delta':
      return { from: 'manifests', baseline: required(query, 'baseline'), figure: deltaFigure(query) }
    case 'check':
      return { from: 'check', policy: policyFromQuery(query, BESIDES) }
    default:
      return { from: 'analysis', figure: analysisFigure(metric, query) }
  }
}

function required(query: URLSearchParams, parameter: string): string {
  const value = single(query, parameter)
  if (value) return value
  throw new Problem('invalid_parameter', `${parameter} is missing`, { parameter })
}
