/** The chart of a run: small panels, one per figure, stacked. */
import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import type { Trend } from './trend.ts'

export type Panel = {
  readonly title: string
  readonly unit: string
  readonly points: readonly { readonly minutes: number; readonly value: number }[]
  readonly trend: Trend
}

const WIDTH = 720
const HEIGHT = 110
const MARGIN = { top: 26, right: 16, bottom: 14, left: 64 }
const TICKS = 3
/** Points per line; with more samples, the largest of each group is drawn. */
const POINTS = 180
const TEXT = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#777"'
const [GOOD, BAD] = ['#2b7cb3', '#c0392b']

/** An SVG that runs and loads nothing; shading marks the last two thirds, which are compared. */
export function drawPanels(heading: string, panels: readonly Panel[]): string {
  const height = 32 + panels.length * HEIGHT
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${heading}">`,
    `<text x="12" y="20" ${TEXT} font-weight="bold">${heading}</text>`,
    ...panels.flatMap((panel, place) => drawPanel(panel, 32 + place * HEIGHT)),
    '</svg>\n',
  ].join('\n')
}

export function describeTrend({ title, unit, trend }: Pick<Panel, 'title' | 'unit' | 'trend'>): string {
  const figure = (value: number) => `${rounded(value)}${unit === '' ? '' : ` ${unit}`}`
  const sign = trend.growth < 0 ? '−' : '+'
  const growth = `${sign}${rounded(Math.abs(trend.growth))} ± ${rounded(trend.error)} a third`
  return `${title}: ${figure(trend.second)}, then ${figure(trend.last)} (${growth})`
}

function drawPanel(panel: Panel, top: number): readonly string[] {
  const points = thinned(panel.points)
  const end = points.at(-1)?.minutes ?? 1
  const x = scaleLinear([0, end], [MARGIN.left, WIDTH - MARGIN.right])
  const most = Math.max(...points.map(({ value }) => value), 1)
  const y = scaleLinear([0, most], [top + HEIGHT - MARGIN.bottom, top + MARGIN.top]).nice(TICKS)
  const path = line<(typeof points)[number]>(
    ({ minutes }) => rounded(x(minutes)),
    ({ value }) => rounded(y(value)),
  )([...points])
  const [left, bottom] = [rounded(x(end / 3)), top + HEIGHT - MARGIN.bottom]
  const color = panel.trend.isFlat ? GOOD : BAD
  return [
    `<text x="${MARGIN.left}" y="${top + 16}" ${TEXT}>${describeTrend(panel)}</text>`,
    `<rect x="${left}" y="${top + MARGIN.top}" width="${rounded(WIDTH - MARGIN.right - left)}" height="${HEIGHT - MARGIN.top - MARGIN.bottom}" fill="#888" fill-opacity=".1"/>`,
    ...y
      .ticks(TICKS)
      .flatMap((tick) => [
        `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${rounded(y(tick))}" y2="${rounded(y(tick))}" stroke="#999" stroke-opacity=".3"/>`,
        `<text x="${MARGIN.left - 8}" y="${rounded(y(tick) + 4)}" text-anchor="end" ${TEXT}>${tick}</text>`,
      ]),
    `<text x="${WIDTH - MARGIN.right}" y="${bottom + 12}" text-anchor="end" ${TEXT}>${rounded(end)} min</text>`,
    `<path d="${path ?? ''}" fill="none" stroke="${color}" stroke-width="1.5" stroke-linejoin="round"/>`,
  ]
}

function thinned(points: Panel['points']): Panel['points'] {
  const step = Math.max(1, Math.ceil(points.length / POINTS))
  return Array.from({ length: Math.ceil(points.length / step) }, (_, n) => {
    const some = points.slice(n * step, (n + 1) * step)
    return { minutes: some.at(-1)?.minutes ?? 0, value: Math.max(...some.map(({ value }) => value)) }
  })
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
