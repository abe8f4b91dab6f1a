/** What a badge should show. */
import { Problem } from '../problem.ts'
import { readAppearance, single } from './appearance.ts'
import type { Appearance } from './badge.ts'
import { METRICS, type Metric, required, type Show } from './metric.ts'

export type BadgeRequest = {
  readonly metric: Metric
  readonly image: string
  readonly platform?: string
  readonly read?: 'full' | 'toc'
  readonly appearance: Appearance
  readonly show: Show
}

/**
 * @param query unknown parameters are ignored, except for `check`: a misspelt rule must not look like a pass
 * @throws Problem `invalid_parameter`
 */
export function readBadgeRequest(metric: Metric, query: URLSearchParams): BadgeRequest {
  const platform = single(query, 'platform')
  return {
    metric,
    image: required(query, 'image'),
    ...(platform === undefined ? {} : { platform }),
    ...readingOf(query),
    appearance: readAppearance(query),
    show: METRICS[metric].read(query),
  }
}

function readingOf(query: URLSearchParams): Pick<BadgeRequest, 'read'> {
  const read = single(query, 'read')
  if (read === undefined) return {}
  if (read === 'full' || read === 'toc') return { read }
  throw new Problem('invalid_parameter', 'read must be full or toc', { parameter: 'read' })
}
