/** The treemap as SVG: inside a page, with the page's colours, or on its own, with its own colours. */
import { html, raw } from 'hono/html'
import { markupText, visible } from '../../formats/escape.ts'
import type { Area } from '../../image/areas.ts'
import { KINDS } from '../../image/kinds.ts'
import { ELF_AREAS } from '../../inside/elf-areas.ts'
import {
  BASE_CLASSES,
  OWNER_CLASSES,
  type TreemapColour,
  WASTE_CLASSES,
} from '../../service/images/treemap.ts'
import { formatBytes, formatPercent } from '../../text/format.ts'
import { baseName, showPath } from '../../text/path.ts'
import type { Html } from '../page.ts'
import { type Cell, type Frame, placeAreas } from './layout.ts'

/** What colours show: a property of one image, the kind of change between two, or what the bytes of a program are for. */
export type MapColour = TreemapColour | 'change' | 'area'

/** The classes of `change`. */
export const CHANGES = ['added', 'removed', 'changed'] as const

export type TreemapView = {
  readonly top: Area
  readonly colour: MapColour
  readonly frame: Frame
  /** Where a rectangle links to; absent or undefined if it is not a link. */
  readonly link?: (area: Area) => string | undefined
}

/** Average width of a letter at 11 px. */
const LETTER_PIXELS = 6.6
/** How much wider the letters of a title are: bold, at 14 px. */
const TITLE_SCALE = 1.45
const HUES = 6

/** The class in the style sheet for a class of areas. */
export function hueOf(colour: MapColour, main: number | undefined): string {
  if (main === undefined) return 'hue-0'
  if (colour === 'change') return `change-${main}`
  if (colour === 'base') return main === 0 ? 'hue-0' : 'hue-1'
  if (colour === 'waste') return main === 0 ? 'hue-0' : `heat-${main}`
  if (colour === 'type' && main === KINDS.length - 1) return 'hue-0'
  if (colour === 'package' && main === OWNER_CLASSES.length - 1) return 'hue-0'
  if (colour === 'area' && main >= HUES) return 'hue-0'
  return `hue-${(main % HUES) + 1}`
}

export type LegendEntry = {
  /** A class in the style sheet; areas of hidden files are hatched. */
  readonly hue: string | 'hatched'
  readonly text: string
}

/** Layers of one hue that are named. */
const NAMED_LAYERS = 3

/** What the colours of a map mean, in the order of the classes: only of what it has. */
export function legendOf(colour: MapColour, top: Area): readonly LegendEntry[] {
  const { mains, hasHidden } = classesIn(top)
  const hidden = hasHidden ? [{ hue: 'hatched', text: 'hidden by a later layer' }] : []
  if (colour === 'layer') return [...layerLegend([...mains].sort((a, b) => a - b)), ...hidden]
  const texts = CLASSES[colour].map((text, at) => ({ hue: hueOf(colour, at), text }))
  return [...texts.filter((_, at) => mains.has(at)), ...hidden]
}

const CLASSES: Readonly<Record<Exclude<MapColour, 'layer'>, readonly string[]>> = {
  type: KINDS,
  base: BASE_CLASSES,
  waste: WASTE_CLASSES,
  package: OWNER_CLASSES,
  change: CHANGES,
  area: ELF_AREAS,
}

function layerLegend(layers: readonly number[]): readonly LegendEntry[] {
  const byHue = new Map<string, number[]>()
  for (const layer of layers) {
    const hue = hueOf('layer', layer)
    const same = byHue.get(hue)
    if (same === undefined) byHue.set(hue, [layer])
    else same.push(layer)
  }
  return [...byHue].map(([hue, same]) => {
    const names = same.slice(0, NAMED_LAYERS).join(', ')
    return { hue, text: `layer ${names}${same.length > NAMED_LAYERS ? ', …' : ''}` }
  })
}

function classText(colour: MapColour, { main, isDirectory, hiddenIn }: Area): string {
  if (hiddenIn !== undefined) return `in layer ${hiddenIn}, hidden by a later layer`
  if (main === undefined) return ''
  const mostly = isDirectory ? 'mostly ' : ''
  switch (colour) {
    case 'layer':
      return `${mostly}layer ${main}`
    case 'change':
    case 'base':
      return `${mostly}${CLASSES[colour][main] ?? ''}`
    default:
      return CLASSES[colour][main] ?? ''
  }
}

type ClassesIn = { readonly mains: ReadonlySet<number>; readonly hasHidden: boolean }

/** The classes of all areas that are drawn in their own colour: an open directory is a frame. */
function classesIn(top: Area): ClassesIn {
  const mains = new Set<number>()
  let hasHidden = false
  const note = ({ main, children = [], hiddenIn }: Area) => {
    if (hiddenIn !== undefined) hasHidden = true
    if (children.length === 0 && main !== undefined) mains.add(main)
    for (const child of children) note(child)
  }
  note(top)
  return { mains, hasHidden }
}

/** Inside a page. */
export function drawTreemap(view: TreemapView): Html {
  const { width, height } = view.frame
  return html`<svg class="treemap" viewBox="0 0 ${width} ${height}" role="group" aria-label="Treemap: each area is as large as its bytes">
${raw(hatchOf(view))}${raw(cellsOf(view))}</svg>`
}

export type PictureView = TreemapView & {
  readonly title: string
  /** After the title; the bytes of `top` by default. */
  readonly more?: string
}

/** A stand-alone picture, with a title and a legend. */
export function treemapPicture(view: PictureView): string {
  const { frame, title, colour, top, more = formatBytes(top.bytes) } = view
  const { width } = frame
  const legend = legendLines(legendOf(colour, top), width)
  const head = 28
  const height = head + frame.height + legend.height
  const text = markupText(`${title}: ${more}`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${text}">
<title>${text}</title>
<style>${STYLE}</style>
<rect class="paper" width="${width}" height="${height}"/>
<text class="title" x="2" y="18">${markupText(fitted(`${visible(title)} · ${visible(more)}`, (width - 8) / TITLE_SCALE))}</text>
<g transform="translate(0 ${head})">
${hatchOf(view)}${cellsOf(view)}</g>
<g transform="translate(0 ${head + frame.height})">${legend.markup}</g>
</svg>
`
}

function legendLines(
  entries: readonly LegendEntry[],
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
    markup += `<g transform="translate(${x} ${y})">${keyOf(hue, 11)}</g><text x="${x + 16}" y="${y + 10}">${markupText(text)}</text>`
    x += taken
  }
  return { markup, height: y + 20 }
}

/** The square of a legend. */
export function keyOf(hue: string, size: number): string {
  if (hue !== 'hatched') return `<rect class="${hue}" width="${size}" height="${size}"/>`
  return `<rect class="hidden-ground" width="${size}" height="${size}"/><path class="hatch" d="M0 ${size}L${size} 0M0 ${size / 2}L${size / 2} 0M${size / 2} ${size}L${size} ${size / 2}"/>`
}

/** The stripes of hidden areas: each picture of a page needs its own, since one that is not shown draws nothing. */
function hatchOf({ top, frame }: TreemapView): string {
  if (!classesIn(top).hasHidden) return ''
  return `<defs><pattern id="${hatchId(frame)}" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="hidden-ground" width="6" height="6"/><path class="hatch" d="M0 6L6 0M-1 1L1 -1M5 7L7 5"/></pattern></defs>`
}

function hatchId({ width }: Frame): string {
  return `hatch-${width}`
}

function cellsOf(view: TreemapView): string {
  return placeAreas(view.top, view.frame)
    .map((cell) => `${drawCell(cell, view)}\n`)
    .join('')
}

function drawCell(cell: Cell, { top, colour, link, frame }: TreemapView): string {
  const { area, bytes, depth, x, y, width, height, isOpen } = cell
  const share = formatPercent((100 * bytes) / Math.max(top.bytes, 1))
  if (area === undefined) {
    return `<g><title>smaller entries: ${formatBytes(bytes)}, ${share}</title><rect class="rest" x="${x}" y="${y}" width="${width}" height="${height}"/>${labelOf('others', cell)}</g>`
  }
  const path = depth === 0 && area.key === '' ? '/' : visible(showPath(area.key).path)
  const name =
    area.key === '' ? '/' : `${visible(showPath(baseName(area.key)).path)}${area.isDirectory ? '/' : ''}`
  const opens = area.opens === true && area.hiddenIn === undefined
  const what = [formatBytes(bytes), share, classText(colour, area), opens ? 'opens' : '']
  const title = markupText(`${path}: ${what.filter((part) => part !== '').join(', ')}`)
  const paint =
    area.hiddenIn !== undefined
      ? `fill="url(#${hatchId(frame)})"`
      : `class="${isOpen ? 'frame' : hueOf(colour, area.main)}"`
  const drawn = `<title>${title}</title><rect ${paint} x="${x}" y="${y}" width="${width}" height="${height}"/>${labelOf(`${opens ? `${OPENS} ` : ''}${shortened(name, width)} ${isOpen || width > 150 ? formatBytes(bytes) : ''}`.trim(), cell)}`
  const address = depth === 0 ? undefined : link?.(area)
  if (address === undefined) return `<g>${drawn}</g>`
  const kind = leadsOn(area) ? ' data-zoom=""' : ''
  return `<a href="${markupText(address)}"${kind}>${drawn}</a>`
}

/** Marks a file that can be looked into. */
export const OPENS = '▸'

/** Whether the map goes on in it. */
export function leadsOn({ isDirectory, opens = false, hiddenIn }: Area): boolean {
  return (isDirectory || opens) && hiddenIn === undefined
}

function labelOf(text: string, { x, y, width, height, isOpen }: Cell): string {
  if (width < 34 || height < 15 || (isOpen && height < 40)) return ''
  return `<text x="${x + 4}" y="${y + 13}">${markupText(fitted(text, width - 8))}</text>`
}

/** Of a Go module that does not fit, the last part. */
function shortened(name: string, width: number): string {
  return name.length * LETTER_PIXELS < width - 8 ? name : name.replace(MODULE_HOST, '…/')
}

const MODULE_HOST = /^[^/]+\/(?:[^/]+\/)*?(?=[^/]+(?:\/v\d+)?$)/

/** As much of a text as fits, by generous widths of its letters: the reader's font is not known. */
function fitted(text: string, pixels: number): string {
  let left = pixels
  let end = 0
  for (const character of text) {
    left -= pixelsOf(character)
    if (left < 0) return `${text.slice(0, Math.max(end - 1, 0))}…`
    end += character.length
  }
  return text
}

function pixelsOf(character: string): number {
  if ((character.codePointAt(0) ?? 0) >= 0x1100) return 12
  if (/[mwMW@%…]/.test(character)) return 10.5
  if (/[A-Z]/.test(character)) return 8
  return /[ijl.,:;|!'()]/.test(character) ? 4 : LETTER_PIXELS
}

const LIGHT = ['#e3e6ed', '#adc6f7', '#f5d08c', '#9fdccd', '#f2b6c9', '#cfbdf2', '#cfe29c']
const DARK = ['#333947', '#2f5296', '#76541a', '#1d665b', '#813655', '#533e8a', '#50631d']
/** Of `CHANGES`. */
const CHANGE = { light: ['#93d6bc', '#f5b98a', '#adc6f7'], dark: ['#1d664f', '#87491d', '#2f5296'] }
const HEAT = { light: ['#f7dcb0', '#f2b184', '#e88371'], dark: ['#6a5324', '#7d4a22', '#8c352b'] }

function scheme(colours: readonly string[], theme: 'light' | 'dark'): string {
  return [
    ...colours.map((colour, at) => `.hue-${at}{fill:${colour}}`),
    ...HEAT[theme].map((colour, at) => `.heat-${at + 1}{fill:${colour}}`),
    ...CHANGE[theme].map((colour, at) => `.change-${at}{fill:${colour}}`),
  ].join('')
}

const STYLE = [
  'text{font:11px system-ui,"Segoe UI","Helvetica Neue","Noto Sans",sans-serif;fill:#171a21}.title{font-size:14px;font-weight:600}',
  '.hidden-ground{fill:#fbe3dd}.hatch{stroke:#b0261d;fill:none}',
  '.paper{fill:#fff}.frame{fill:#f5f6f9;stroke:#dcdfe6}.rest{fill:#eef0f4}',
  scheme(LIGHT, 'light'),
  '@media (prefers-color-scheme:dark){.hidden-ground{fill:#3a1d1a}.hatch{stroke:#ff9c90}text{fill:#e8eaf0}.paper{fill:#12141a}.frame{fill:#1b1e27;stroke:#323745}.rest{fill:#262a36}',
  scheme(DARK, 'dark'),
  '}',
].join('')
