/** The treemap in a page: the way to the directory, what the colours mean, the picture, and the same as a table. */
import { html } from 'hono/html'
import type { Area } from '../../image/areas.ts'
import { TREEMAP_COLOURS, type TreemapColour } from '../../service/treemap.ts'
import { formatPercent } from '../../text/format.ts'
import { showPath } from '../../text/path.ts'
import { counted, type Html, measured, name, size, table } from '../page.ts'
import { filesLink, mapLink, type Place, pathLink, waysTo } from '../place.ts'
import { drawTreemap, legendOf } from './draw.ts'

export type MapView = {
  readonly place: Place
  readonly top: Area
  readonly colour: TreemapColour
  /** How many the image has. */
  readonly layers: number
}

/** Of a desktop and of a phone: letters keep their size, so that there are two pictures, of which one is shown. */
export const WIDE = { width: 1100, height: 560, cells: 700 }
const NARROW = { width: 340, height: 420, cells: 200 }

const COLOUR_NAMES: Readonly<Record<TreemapColour, string>> = { layer: 'Layer', waste: 'Waste', type: 'Type' }
const TABLE_ROWS = 50

export function mapFigure(view: MapView): Html {
  const { place, top, colour, layers } = view
  const shown = showPath(top.key)
  const link = (area: Area) => {
    const at = showPath(area.key)
    return area.isDirectory ? mapLink(place, at, colour) : filesLink(place, at)
  }
  const picture = (frame: typeof WIDE) => drawTreemap({ top, colour, frame, link })
  return html`<figure class="map" data-map="${mapLink(place, shown, colour)}">
<figcaption>
<nav class="ways" aria-label="Directory of the treemap"><ol>
<li>${wayTo(mapLink(place, { path: '' }, colour), '/', shown.path === '')}</li>
${waysTo(shown.path).map(
  (way) => html`<li>${wayTo(mapLink(place, way, colour), way.name, way.path === shown.path)}</li>`,
)}</ol></nav>
<nav class="switch" aria-label="Colours of the treemap"><span class="quiet">Colour</span><ul>
${TREEMAP_COLOURS.map(
  (one) =>
    html`<li><a href="${mapLink(place, shown, one)}" ${one === colour ? html`aria-current="true"` : ''}>${COLOUR_NAMES[one]}</a></li>`,
)}</ul></nav>
</figcaption>
<div class="wide">${picture(WIDE)}</div>
<div class="narrow">${picture(NARROW)}</div>
<p class="told quiet" data-told aria-hidden="true">Areas are bytes. Click a directory to zoom in; arrow keys move, Enter opens, Escape goes up.</p>
<ul class="legend" aria-label="Colours">${legendOf(colour, layers).map(
    ({ hue, text }) =>
      html`<li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="${hue}" width="10" height="10"/></svg>${text}</li>`,
  )}</ul>
<details><summary>The same as a table</summary>
${childTable(view)}
<p class="raw"><a href="${filesLink(place, shown)}">Browse ${shown.path === '' ? 'all files' : name(shown.path)}</a></p>
</details>
</figure>`
}

function wayTo(address: string, text: string, isHere: boolean): Html {
  return html`<a href="${address}" ${isHere ? html`aria-current="page"` : ''}>${name(text)}</a>`
}

function childTable({ place, top }: MapView): Html {
  const rows = (top.children ?? []).slice(0, TABLE_ROWS)
  return table<Area>({
    caption: `The largest below ${top.key === '' ? 'the root' : 'it'}`,
    none: 'Nothing here has bytes.',
    rows,
    columns: [
      { head: 'Path', kind: 'path', cell: ({ key }) => pathLink(place, showPath(key)) },
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
