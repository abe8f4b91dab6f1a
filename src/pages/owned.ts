/** Which bytes packages own: a bar in the report, and a page of the largest files that no package owns. */
import { html } from 'hono/html'
import { visible } from '../formats/escape.ts'
import { shortName, sourceName } from '../image/identity.ts'
import type { ImageIdentity, Report, SizedPath } from '../image/report.ts'
import { formatPercent } from '../text/format.ts'
import { type ImageParameters, parametersOf, pathLink, reportLink } from './image-links.ts'
import { type Html, link, measured, page, size, table } from './page.ts'

/** Size of the drawing, which is stretched to the page. */
const WIDTH = 1000
const HEIGHT = 36

/** Nothing for an image without packages: then nobody owns anything. */
export function ownedBar({ image, size: { rootfsBytes }, packages }: Report): Html | '' {
  if (packages.total === 0 || rootfsBytes === 0) return ''
  const { ownedBytes } = packages
  const unownedBytes = rootfsBytes - ownedBytes
  const width = (WIDTH * ownedBytes) / rootfsBytes
  const parameters = parametersOf(image)
  return html`<h3 id="owned">What packages own</h3>
<svg class="stack" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true"><rect class="${OWNED}" width="${width.toFixed(2)}" height="${HEIGHT}"/><rect class="${UNOWNED}" x="${width.toFixed(2)}" width="${(WIDTH - width).toFixed(2)}" height="${HEIGHT}"/></svg>
<ul class="plain">
<li>${keyOf(OWNED)}<strong>${size(ownedBytes)}</strong> (${formatPercent((100 * ownedBytes) / rootfsBytes)}) owned by <a href="#packages">packages</a></li>
<li>${keyOf(UNOWNED)}<strong>${size(unownedBytes)}</strong> (${formatPercent((100 * unownedBytes) / rootfsBytes)}) in <a href="${filesOf(parameters)}">files that no package owns</a></li>
</ul>
${unownedBytes > 0 && largestOf(parameters)}`
}

const OWNED = 'hue-2'
const UNOWNED = 'hue-0'

function keyOf(hue: string): Html {
  return html`<svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="${hue}" width="10" height="10"/></svg>`
}

/** Loaded when opened: which package owns which file is found by reading the package databases again. */
function largestOf(parameters: ImageParameters): Html {
  const address = link('/unowned', parameters)
  return html`<details data-load="${address}"><summary>The largest of these files</summary><p class="load"><a href="${address}">The largest files that no package owns</a></p></details>`
}

/** All of them. */
function filesOf(parameters: ImageParameters): string {
  return link('/v1/files', { ...parameters, owned: 'false', sort: '-bytes' })
}

export type UnownedPageView = {
  readonly image: ImageIdentity
  /** In descending order. */
  readonly files: readonly SizedPath[]
}

export function unownedPage({ image, files }: UnownedPageView): Html {
  const parameters = parametersOf(image)
  const largest = files[0]?.bytes ?? 0
  return page({
    title: `Files of ${image.reference} that no package owns`,
    main: html`<div class="heading">
<p class="place">${visible(sourceName(image))}</p>
<h1>Files that no package owns</h1>
<p class="facts"><a href="${reportLink(parameters)}">Report of ${visible(shortName(image))}</a></p>
</div>
<div data-loaded>
${table<SizedPath>({
  caption: 'The largest files that no package owns',
  none: 'A package owns each file.',
  rows: files,
  columns: [
    { head: 'Path', kind: 'path', cell: (file) => pathLink(parameters, file) },
    { head: 'Layer', isMinor: true, kind: 'number', cell: ({ layer }) => layer },
    { head: 'Size', kind: 'number', cell: ({ bytes }) => measured(size(bytes), bytes, largest) },
  ],
})}
<p class="raw"><a href="${filesOf(parameters)}">All as JSON</a></p>
</div>`,
  })
}
