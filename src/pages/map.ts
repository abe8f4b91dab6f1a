/** A treemap as a page of its own: where its links lead without scripts. */
import { html } from 'hono/html'
import { visible } from '../formats/escape.ts'
import { placeName, shortName } from '../image/identity.ts'
import type { ImageIdentity } from '../image/report.ts'
import { showPath } from '../text/path.ts'
import { type Html, page } from './page.ts'
import { filesLink, reportLink } from './place.ts'
import { type MapView, mapFigure } from './treemap/figure.ts'

export function mapPage(image: ImageIdentity, view: MapView): Html {
  const shown = showPath(view.top.key)
  return page({
    title: `${shortName(image)} /${shown.path}`,
    scripts: ['map.js'],
    main: html`<div class="heading">
<p class="place">${visible(placeName(image))}</p>
<h1>Where the bytes of ${visible(shortName(image))} are</h1>
<p class="facts"><a href="${reportLink(view.place)}">Report</a> <a href="${filesLink(view.place, shown)}">Files</a></p>
</div>
${mapFigure(view)}`,
  })
}
