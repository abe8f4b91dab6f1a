/** What a badge says: its figure, its check, or in a few words why it has none. */
import { Problem } from '../problem.ts'
import type { Appearance, Badge } from './badge.ts'
import { type Figure, LABELS, type Metric } from './metric.ts'

export type State = 'analysing…' | 'unknown image' | 'private or unknown' | 'unavailable' | 'invalid'

export function figureBadge(metric: Metric, { message, color }: Figure, appearance: Appearance): Badge {
  const label = appearance.label ?? LABELS[metric]
  return { label, message, color: appearance.color ?? color, isError: false, appearance }
}

export function checkBadge(outcome: 'passing' | 'failing', appearance: Appearance): Badge {
  return outcome === 'passing'
    ? figureBadge('check', { message: outcome, color: 'brightgreen' }, appearance)
    : wordsBadge('check', outcome, 'red', appearance)
}

/** Says nothing of the image, not even that there is one. */
export function stateBadge(metric: Metric, state: State, appearance: Appearance): Badge {
  return wordsBadge(metric, state, state === 'invalid' ? 'red' : 'lightgrey', appearance)
}

/** The color that the reader chose is for figures: it does not paint a failing check as if it passed. */
function wordsBadge(metric: Metric, message: string, color: string, appearance: Appearance): Badge {
  return {
    label: appearance.label ?? LABELS[metric],
    message,
    color,
    isError: message !== 'analysing…',
    appearance,
  }
}

/** What a badge says where there is no figure, whatever the reason. */
export function stateOf(error: unknown): State {
  if (!(error instanceof Problem)) return 'unavailable'
  switch (error.code) {
    case 'analysis_pending':
      return 'analysing…'
    case 'image_not_found':
      return 'unknown image'
    case 'unauthorized':
      return 'private or unknown'
    case 'invalid_reference':
    case 'invalid_parameter':
      return 'invalid'
    default:
      return 'unavailable'
  }
}
