/** The sizes of a repository's images as a chart: a picture for a README or a release page. */
import { scaleLinear, scalePoint } from 'd3-scale'
import { line } from 'd3-shape'
import { markupText } from '../formats/escape.ts'
import { formatBytes } from '../text/format.ts'
import { paintOf } from './paint.ts'

export type ChartPoint = { readonly name: string; readonly bytes: number }

export type ChartStyle = {
  readonly label: string
  readonly color?: string | undefined
  /** In pixels; letters keep their size. */
  readonly width?: number
}

const WIDTH = 640
const HEIGHT = 220
const MARGIN = { top: 40, right: 24, bottom: 32, left: 76 }
/** Where the heading and its line begin. */
const LEFT = 12
const HEADING = 20
const TICKS = 4
const COLOR = 'blue'
/** Names below the line, as far as there is room. */
const NAMES = 6
const NAME_LENGTH = 18
/** Pixels between two names, and between a name and the edge. */
const GAP = 10
/** Pixels per letter, at most: the reader's font is unknown, so texts are kept apart by this. */
const LETTER = { plain: 7, bold: 8.2 }
const RADIUS = { few: 3.5, many: 2, last: 5 }
const FEW = 60

/** As on a badge: text in a font that every reader has, dark enough on white and light enough on black. */
const TEXT = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#777"'

/**
 * An SVG that runs and loads nothing.
 *
 * @param points in drawing order; the last one is labelled
 */
export function drawChart(
  points: readonly ChartPoint[],
  { label, color = COLOR, width = WIDTH }: ChartStyle,
): string {
  const last = points.at(-1)
  if (last === undefined) return drawNotice('no images', { label })
  const paint = markupText(paintOf(color))
  const x = scalePoint<number>(
    points.map((_, place) => place),
    [MARGIN.left, width - MARGIN.right],
  ).padding(points.length === 1 ? 0 : 0.1)
  const most = Math.max(...points.map(({ bytes }) => bytes), 1)
  const y = scaleLinear([0, most], [HEIGHT - MARGIN.bottom, MARGIN.top]).nice(TICKS)
  const at = (place: number) => x(place) ?? MARGIN.left
  const path = line<ChartPoint>(
    (_, place) => at(place),
    ({ bytes }) => y(bytes),
  )(points.slice())
  const newest = `${shortened(last.name)}: ${formatBytes(last.bytes)}`
  const radius = points.length > FEW ? RADIUS.many : RADIUS.few
  const parts = [
    ...y.ticks(TICKS).flatMap((tick) => tickOf(tick, y(tick), width)),
    ...namesOf(points, at, width),
    `<path d="${path ?? ''}" fill="none" stroke="${paint}" stroke-width="2" stroke-linejoin="round"/>`,
    ...points.map(({ name, bytes }, place) => {
      const r = place === points.length - 1 ? RADIUS.last : radius
      return `<circle cx="${round(at(place))}" cy="${round(y(bytes))}" r="${r}" fill="${paint}"><title>${titleOf(name, bytes)}</title></circle>`
    }),
    ...newestOf(newest, paint, width),
  ]
  const summary = `${points.length === 1 ? '1 image' : `${points.length} images`}, ${points[0]?.name ?? ''} to ${last.name}: ${formatBytes(points[0]?.bytes ?? 0)} to ${formatBytes(last.bytes)}`
  const room = width - 2 * LEFT - 2 * GAP - 2 * RADIUS.last - newest.length * LETTER.bold
  return picture({ label, shown: shortened(label, Math.floor(room / LETTER.bold)), summary, width }, parts)
}

/** A picture of the same size that says why there is no chart. */
export function drawNotice(notice: string, { label }: Pick<ChartStyle, 'label'>): string {
  const text = `<text x="${WIDTH / 2}" y="${HEIGHT / 2}" text-anchor="middle" ${TEXT}>${markupText(notice)}</text>`
  return picture({ label, shown: label, summary: notice, width: WIDTH }, [text])
}

type Heading = {
  readonly label: string
  readonly shown: string
  readonly summary: string
  readonly width: number
}

function picture({ label, shown, summary, width }: Heading, parts: readonly string[]): string {
  const title = markupText(`${label}: ${summary}`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    `<text x="${LEFT}" y="${HEADING}" ${TEXT} font-weight="bold">${markupText(shown)}</text>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

/** The newest image's size, in the heading: only there it never overlaps the line. */
function newestOf(text: string, paint: string, width: number): readonly string[] {
  const dot = width - MARGIN.right - RADIUS.last
  return [
    `<text x="${dot - GAP}" y="${HEADING}" text-anchor="end" ${TEXT} font-weight="bold">${markupText(text)}</text>`,
    `<circle cx="${dot}" cy="${HEADING - 4}" r="${RADIUS.last}" fill="${paint}"/>`,
  ]
}

function tickOf(bytes: number, y: number, width: number): readonly string[] {
  if (!Number.isInteger(bytes)) return []
  const text = formatBytes(bytes).replace(/\.0+(?= )/, '')
  return [
    `<line x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${round(y)}" y2="${round(y)}" stroke="#999" stroke-opacity=".3"/>`,
    `<text x="${MARGIN.left - 8}" y="${round(y + 4)}" text-anchor="end" ${TEXT}>${text}</text>`,
  ]
}

/** A few of many names, including the last, without overlaps between each other or with the edge. */
function namesOf(
  points: readonly ChartPoint[],
  at: (place: number) => number,
  width: number,
): readonly string[] {
  const step = Math.max(1, Math.ceil(points.length / NAMES))
  const texts: string[] = []
  let free = width
  for (let place = points.length - 1; place >= 0; place -= step) {
    const name = shortened(points[place]?.name ?? '')
    const half = (name.length * LETTER.plain) / 2
    const middle = Math.min(Math.max(at(place), half + GAP), width - half - GAP)
    if (middle + half > free) continue
    free = middle - half - GAP
    const y = HEIGHT - MARGIN.bottom + 18
    texts.push(`<text x="${round(middle)}" y="${y}" text-anchor="middle" ${TEXT}>${markupText(name)}</text>`)
  }
  return texts
}

function titleOf(name: string, bytes: number): string {
  return `${markupText(name)}: ${formatBytes(bytes)}`
}

function shortened(name: string, length = NAME_LENGTH): string {
  return name.length <= length ? name : `${name.slice(0, length - 1)}…`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
