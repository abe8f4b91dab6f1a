/** What a badge says: its figure, its check, or in a few words why it has none. */
import { UNKNOWN_PULL } from '../image/stored.ts'
import { Problem } from '../problem.ts'
import type { Appearance, Badge } from './badge.ts'
import { type BadgeMessage, METRIC_NAMES, METRICS, type Metric } from './metric.ts'

export type State =
  | 'analysing…'
  | 'unknown image'
  | 'private or unknown'
  | 'not an image'
  | typeof UNKNOWN_PULL
  | 'unavailable'
  | 'invalid'

/** A reason is shown in a tooltip. */
const MAX_REASON = 200

export function figureBadge(metric: Metric, { message, color }: BadgeMessage, appearance: Appearance): Badge {
  const label = appearance.label ?? METRICS[metric].label
  return { label, message, color: appearance.color ?? color, isError: false, appearance }
}

export function checkBadge(outcome: 'passing' | 'failing', appearance: Appearance): Badge {
  return outcome === 'passing'
    ? figureBadge('check', { message: outcome, color: 'brightgreen' }, appearance)
    : wordsBadge('check', outcome, 'red', appearance)
}

/**
 * What to show without a figure: nothing about the image, not even whether it exists; for an invalid request, what is wrong
 * with it.
 */
export function problemBadge(metric: Metric, error: unknown, appearance: Appearance): Badge {
  const state = stateOf(error)
  const badge = wordsBadge(metric, state, state === 'invalid' ? 'red' : 'lightgrey', appearance)
  return state === 'invalid' && error instanceof Problem
    ? { ...badge, reason: shortened(error.message) }
    : badge
}

/** For a metric that does not exist. */
export function unknownMetricBadge(name: string, appearance: Appearance): Badge {
  return {
    label: appearance.label ?? 'badge',
    message: 'invalid',
    color: 'red',
    isError: true,
    reason: shortened(`unknown metric ${name}; the metrics are ${METRIC_NAMES.join(', ')}`),
    appearance,
  }
}

function shortened(reason: string): string {
  const characters = Array.from(reason)
  return characters.length <= MAX_REASON ? reason : `${characters.slice(0, MAX_REASON - 1).join('')}…`
}

/** The chosen color applies to figures only: a failing check must not look as if it passed. */
function wordsBadge(metric: Metric, message: string, color: string, appearance: Appearance): Badge {
  return {
    label: appearance.label ?? METRICS[metric].label,
    message,
    color,
    isError: message !== 'analysing…',
    appearance,
  }
}

/** What a badge without a figure says, for any reason. */
export function stateOf(error: unknown): State {
  if (!(error instanceof Problem)) return 'unavailable'
  switch (error.code) {
    case 'analysis_pending':
      return 'analysing…'
    case 'image_not_found':
    case 'upload_not_found':
      return 'unknown image'
    case 'not_an_image':
      return 'not an image'
    case 'not_compressed':
      return UNKNOWN_PULL
    case 'unauthorized':
      return 'private or unknown'
    case 'invalid_reference':
    case 'invalid_parameter':
      return 'invalid'
    default:
      return 'unavailable'
  }
}
