/** The treemap as SVG: inside a page, with the page's colours, or on its own, with its own colours. */
import { html, raw } from 'hono/html'
import { markupText, visible } from '../../formats/escape.ts'
import type { Area } from '../../image/areas.ts'
import { KINDS } from '../../image/kinds.ts'
import { OWNER_CLASSES, type TreemapColour, WASTE_CLASSES } from '../../service/treemap.ts'
import { formatBytes, formatPercent } from '../../text/format.ts'
import { baseName, showPath } from '../../text/path.ts'
import type { Html } from '../page.ts'
import { type Cell, type Frame, placeAreas } from './layout.ts'

/** What colours show: a property of one image, or the kind of change between two. */
export type MapColour = TreemapColour | 'change'

/** The classes of `change`. */
export const CHANGES = ['added', 'removed', 'changed'] as const

export type TreemapView = {
  readonly top: Area
  readonly colour: MapColour
  readonly frame: Frame
  /** Where a rectangle links to; absent if it is not a link. */
  readonly link?: (area: Area) => string
}

/** Average width of a letter at 11 px. */
const LETTER_PIXELS = 6.4
const HUES = 6

/** The class in the style sheet for a class of areas. */
export function hueOf(colour: MapColour, main: number | undefined): string {
  if (main === undefined) return 'hue-0'
  if (colour === 'change') return `change-${main}`
  if (colour === 'waste') return main === 0 ? 'hue-0' : `heat-${main}`
  if (colour === 'type' && main === KINDS.length - 1) return 'hue-0'
  if (colour === 'package' && main === OWNER_CLASSES.length - 1) return 'hue-0'
  return `hue-${(main % HUES) + 1}`
}

/** What the colours mean, in the order of the legend. */
export function legendOf(
  colour: MapColour,
  layers: number,
  has: (main: number) => boolean = () => true,
): readonly { readonly hue: string; readonly text: string }[] {
  switch (colour) {
    case 'layer':
      return Array.from({ length: Math.min(layers, HUES) }, (_, at) => ({
        hue: hueOf(colour, at),
        text:
          layers > HUES ? `layer ${at}, ${at + HUES}${layers > at + 2 * HUES ? ', …' : ''}` : `layer ${at}`,
      }))
    case 'type':
      return KINDS.map((text, at) => ({ hue: hueOf(colour, at), text }))
    case 'waste':
      return WASTE_CLASSES.map((text, at) => ({ hue: hueOf(colour, at), text }))
    case 'package':
      return OWNER_CLASSES.map((text, at) => ({ hue: hueOf(colour, at), text })).filter((_, at) => has(at))
    case 'change':
      return CHANGES.map((text, at) => ({ hue: hueOf(colour, at), text }))
  }
}

function classText(colour: MapColour, main: number | undefined): string {
  if (main === undefined) return ''
  switch (colour) {
    case 'layer':
      return `mostly layer ${main}`
    case 'type':
      return KINDS[main] ?? ''
    case 'waste':
      return WASTE_CLASSES[main] ?? ''
    case 'package':
      return OWNER_CLASSES[main] ?? ''
    case 'change':
      return `mostly ${CHANGES[main] ?? ''}`
  }
}

/** The classes of all visible areas. */
export function mainsOf(top: Area): ReadonlySet<number | undefined> {
  const mains = new Set<number | undefined>()
  const note = ({ main, children = [] }: Area) => {
    mains.add(main)
    for (const child of children) note(child)
  }
  note(top)
  return mains
}

/** Inside a page. */
export function drawTreemap(view: TreemapView): Html {
  const { width, height } = view.frame
  return html`<svg class="treemap" viewBox="0 0 ${width} ${height}" role="group" aria-label="Treemap: each area is as large as its bytes">
${raw(cellsOf(view))}</svg>`
}

/** A stand-alone picture, with a title and a legend. */
export function treemapPicture(
  view: TreemapView & { readonly title: string; readonly layers: number },
): string {
  const { frame, title, colour, layers, top } = view
  const { width } = frame
  const mains = mainsOf(top)
  const legend = legendLines(
    legendOf(colour, layers, (main) => mains.has(main)),
    width,
  )
  const head = 28
  const height = head + frame.height + legend.height
  const text = markupText(title)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${text}: ${formatBytes(top.bytes)}">
<title>${text}: ${formatBytes(top.bytes)}</title>
<style>${STYLE}</style>
<rect class="paper" width="${width}" height="${height}"/>
<text class="title" x="2" y="18">${markupText(fitted(`${visible(title)} · ${formatBytes(top.bytes)}`, width - 8))}</text>
<g transform="translate(0 ${head})">
${cellsOf(view)}</g>
<g transform="translate(0 ${head + frame.height})">${legend.markup}</g>
</svg>
`
}

function legendLines(
  entries: readonly { readonly hue: string; readonly text: string }[],
  width: number,
): { readonly markup: string; readonly height: number } {
  let x = 2
  let y = 8
  let markup = ''
  for (const { hue, text } of entries) {
    const taken = 20 + text.length * LETTER_PIXELS + 12
    if (x + taken > width && x > 2) {
      x = 2
      y += 18
    }
    markup += `<rect class="${hue}" x="${x}" y="${y}" width="11" height="11"/><text x="${x + 16}" y="${y + 10}">${markupText(text)}</text>`
    x += taken
  }
  return { markup, height: y + 20 }
}

function cellsOf(view: TreemapView): string {
  return placeAreas(view.top, view.frame)
    .map((cell) => `${drawCell(cell, view)}\n`)
    .join('')
}

function drawCell(cell: Cell, { top, colour, link }: TreemapView): string {
  const { area, bytes, depth, x, y, width, height, isOpen } = cell
  const share = formatPercent((100 * bytes) / Math.max(top.bytes, 1))
  if (area === undefined) {
    return `<g><title>smaller entries: ${formatBytes(bytes)}, ${share}</title><rect class="rest" x="${x}" y="${y}" width="${width}" height="${height}"/>${labelOf('others', cell)}</g>`
  }
  const path = depth === 0 && area.key === '' ? '/' : visible(showPath(area.key).path)
  const name =
    area.key === '' ? '/' : `${visible(showPath(baseName(area.key)).path)}${area.isDirectory ? '/' : ''}`
  const what = [formatBytes(bytes), share, classText(colour, area.main)].filter((part) => part !== '')
  const told = markupText(`${path}: ${what.join(', ')}`)
  const hue = isOpen ? 'frame' : hueOf(colour, area.main)
  const drawn = `<title>${told}</title><rect class="${hue}" x="${x}" y="${y}" width="${width}" height="${height}"/>${labelOf(`${name} ${isOpen || width > 150 ? formatBytes(bytes) : ''}`.trim(), cell)}`
  if (link === undefined || depth === 0) return `<g>${drawn}</g>`
  const kind = area.isDirectory ? ' data-zoom=""' : ''
  return `<a href="${markupText(link(area))}"${kind}>${drawn}</a>`
}

function labelOf(text: string, { x, y, width, height, isOpen }: Cell): string {
  if (width < 34 || height < 15 || (isOpen && height < 40)) return ''
  return `<text x="${x + 4}" y="${y + 13}">${markupText(fitted(text, width - 8))}</text>`
}

/** As much of a text as fits; wide scripts count double. */
function fitted(text: string, pixels: number): string {
  let left = pixels / LETTER_PIXELS
  let end = 0
  for (const character of text) {
    left -= (character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1
    if (left < 0) return `${text.slice(0, Math.max(end - 1, 0))}…`
    end += character.length
  }
  return text
}

const LIGHT = ['#e3e6ed', '#adc6f7', '#f5d08c', '#9fdccd', '#f2b6c9', '#cfbdf2', '#cfe29c']
const DARK = ['#333947', '#2f5296', '#76541a', '#1d665b', '#813655', '#533e8a', '#50631d']
const HEAT = { light: ['#f7dcb0', '#f2b184', '#e88371'], dark: ['#6a5324', '#7d4a22', '#8c352b'] }

function scheme(colours: readonly string[], heat: readonly string[]): string {
  return [
    ...colours.map((colour, at) => `.hue-${at}{fill:${colour}}`),
    ...heat.map((colour, at) => `.heat-${at + 1}{fill:${colour}}`),
  ].join('')
}

const STYLE = [
  'text{font:11px system-ui,"Segoe UI","Helvetica Neue","Noto Sans",sans-serif;fill:#171a21}.title{font-size:14px;font-weight:600}',
  '.paper{fill:#fff}.frame{fill:#f5f6f9;stroke:#dcdfe6}.rest{fill:#eef0f4}',
  scheme(LIGHT, HEAT.light),
  '@media (prefers-color-scheme:dark){text{fill:#e8eaf0}.paper{fill:#12141a}.frame{fill:#1b1e27;stroke:#323745}.rest{fill:#262a36}',
  scheme(DARK, HEAT.dark),
  '}',
].join('')
