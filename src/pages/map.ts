/** A treemap as a page of its own: where its links lead without scripts. */
import { html } from 'hono/html'
import { visible } from '../formats/escape.ts'
import { shortName, sourceName } from '../image/identity.ts'
import type { ImageIdentity } from '../image/report.ts'
import { type PathKey, showPath } from '../text/path.ts'
import { filesLink, type ImageParameters, reportLink } from './image-links.ts'
import { keyInside } from './inside/areas.ts'
import { type InsideView, insideMap } from './inside/figure.ts'
import { type Html, page } from './page.ts'
import { type MapView, mapFigure } from './treemap/figure.ts'

export function mapPage(image: ImageIdentity, view: MapView): Html {
  return pageOf(image, view.parameters, { key: view.top.key, map: mapFigure(view) })
}

/** The treemap of a file. @param colour that of the image's treemap, to go back to */
export function insideMapPage(image: ImageIdentity, view: InsideView, colour: string): Html {
  const { key, tree } = view.opened
  return pageOf(image, view.parameters, { key: keyInside(key, tree.key), map: insideMap(view, colour) })
}

function pageOf(
  image: ImageIdentity,
  parameters: ImageParameters,
  { key, map }: { readonly key: PathKey; readonly map: Html },
): Html {
  const shown = showPath(key)
  return page({
    title: `${shortName(image)} /${shown.path}`,
    scripts: ['map.js'],
    main: html`<div class="heading">
<p class="place">${visible(sourceName(image))}</p>
<h1>Where the bytes of ${visible(shortName(image))} are</h1>
<p class="facts"><a href="${reportLink(parameters)}">Report</a> <a href="${filesLink(parameters, shown)}">Files</a></p>
</div>
${map}`,
  })
}
