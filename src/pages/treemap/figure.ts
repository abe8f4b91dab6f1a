/** The treemap in a page: the path of the directory, what the colours mean, the picture, and the same as a table. */
import { html, raw } from 'hono/html'
import type { Area } from '../../image/areas.ts'
import { TREEMAP_COLOURS } from '../../service/images/treemap.ts'
import { counted, formatPercent } from '../../text/format.ts'
import { showPath } from '../../text/path.ts'
import { PLAIN } from '../form.ts'
import { filesLink, type ImageParameters, mapLink, pathLink, type ShownPath, waysTo } from '../image-links.ts'
import { type Html, measured, name, size, table } from '../page.ts'
import { drawTreemap, keyOf, leadsOn, legendOf, type MapColour, OPENS } from './draw.ts'

export type MapView = {
  readonly parameters: ImageParameters
  readonly top: Area
  readonly colour: (typeof TREEMAP_COLOURS)[number]
}

export type MapFigure = {
  readonly top: Area
  readonly colour: MapColour
  /** The colours that the reader can choose from. */
  readonly colours: readonly MapColour[]
  /** The page of a directory's treemap. */
  readonly zoom: (path: ShownPath, colour: MapColour) => string
  /** Where a file links to; undefined if it is not a link. */
  readonly file: (area: Area) => string | undefined
  /** Each link leads to a page of its own: what the page says beside the picture is about what the picture shows. */
  readonly pages?: 'pages'
  /** What areas mean, for the hint below the picture. */
  readonly areas: string
  /** Absent if the page has it elsewhere. */
  readonly table?: Html
}

/** Widths for a desktop and a phone. Letters keep their size, so there are two pictures, one of which is shown. */
export const WIDE = { width: 1100, height: 560, cells: 700 }
const NARROW = { width: 340, height: 420, cells: 200 }

const COLOUR_NAMES: Readonly<Record<MapColour, string>> = {
  layer: 'Layer',
  base: 'Base',
  waste: 'Waste',
  type: 'Type',
  package: 'Package',
  change: 'Change',
  area: 'Area',
}
const TABLE_ROWS = 50

/** The treemap of one image. */
export function mapFigure(view: MapView): Html {
  const { parameters, top, colour } = view
  const shown = showPath(top.key)
  return treemapFigure({
    top,
    colour,
    colours: TREEMAP_COLOURS,
    zoom: (path, one) => mapLink(parameters, path, one),
    file: ({ key, hiddenIn }) => filesLink(parameters, showPath(key), { layer: hiddenIn }),
    areas: 'Each area is as large as its bytes.',
    table: html`${childTable(view)}
<p class="raw"><a href="${filesLink(parameters, shown)}">Browse ${shown.path === '' ? 'all files' : name(shown.path)}</a></p>`,
  })
}

export function treemapFigure(view: MapFigure): Html {
  const { top, colour, colours, zoom, file, areas } = view
  const shown = showPath(top.key)
  const link = (area: Area) => (leadsOn(area) ? zoom(showPath(area.key), colour) : file(area))
  const picture = (frame: typeof WIDE) => drawTreemap({ top, colour, frame, link })
  return html`<figure class="map" data-map="${zoom(shown, colour)}" ${view.pages === 'pages' && html`data-pages`}>
<figcaption>
<nav class="ways" aria-label="Directory of the treemap"><ol>
<li>${wayTo(zoom({ path: '' }, colour), '/', shown.path === '')}</li>
${waysTo(shown).map(
  (way) => html`<li>${wayTo(zoom(way, colour), way.name, way.path === shown.path)}</li>`,
)}</ol></nav>
${
  colours.length > 1 &&
  html`<nav class="switch" aria-label="Colours of the treemap"><span class="quiet">Colour by</span><ul>
${colours.map(
  (one) =>
    html`<li><a href="${zoom(shown, one)}" ${one === colour ? html`aria-current="true"` : ''}>${COLOUR_NAMES[one]}</a></li>`,
)}</ul></nav>`
}
<form class="light scripted" role="search" aria-label="Names in the treemap"><input type="search" placeholder="Light up names" aria-label="Light up what has this in its name" ${PLAIN}><span class="quiet" role="status" data-lit></span></form>
</figcaption>
<div class="wide">${picture(WIDE)}</div>
<div class="narrow">${picture(NARROW)}</div>
<p class="tip" data-tip aria-hidden="true" hidden></p>
<div class="caption-row"><p class="caption quiet">${areas} Click a directory${hasOpening(top) && `, or a file marked ${OPENS},`} to zoom in; arrow keys move, Enter opens, Escape goes up.</p>
<ul class="legend" aria-label="Colours">${legendOf(colour, top).map(
    ({ hue, text }) =>
      html`<li><svg class="key" viewBox="0 0 10 10" aria-hidden="true">${raw(keyOf(hue, 10))}</svg>${text}</li>`,
  )}</ul></div>
${
  view.table !== undefined &&
  html`<details><summary>The same as a table</summary>
${view.table}
</details>`
}
</figure>`
}

function hasOpening({ opens = false, children = [] }: Area): boolean {
  return opens || children.some(hasOpening)
}

function wayTo(address: string, text: string, isHere: boolean): Html {
  return html`<a href="${address}" ${isHere ? html`aria-current="page"` : ''}>${name(text)}</a>`
}

function childTable({ parameters, top }: MapView): Html {
  const rows = (top.children ?? []).slice(0, TABLE_ROWS)
  return table<Area>({
    caption: 'The largest entries here',
    none: 'Nothing here takes up space.',
    rows,
    columns: [
      {
        head: 'Path',
        kind: 'path',
        cell: ({ key, hiddenIn }) =>
          html`${pathLink(parameters, showPath(key), hiddenIn)}${hiddenIn !== undefined && html` <span class="quiet">hidden</span>`}`,
      },
      {
        head: 'Size',
        kind: 'number',
        cell: ({ bytes }) => measured(size(bytes), bytes, rows[0]?.bytes ?? 0),
      },
      {
        head: 'Share',
        kind: 'number',
        cell: ({ bytes }) => formatPercent((100 * bytes) / Math.max(top.bytes, 1)),
      },
      { head: 'Files', kind: 'number', cell: ({ files }) => counted(files, 'file') },
    ],
  })
}
