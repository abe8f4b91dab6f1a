/** What the pages of the file browser share: the image they are about, and their heading. */
import { html } from 'hono/html'
import { visible } from '../../formats/escape.ts'
import { placeName, shortName } from '../../image/identity.ts'
import type { ImageIdentity, LayerReport } from '../../image/report.ts'
import { type Html, link, name } from '../page.ts'
import { filesLink, mapLink, type Place, reportLink, type ShownPath, waysTo } from '../place.ts'

export type About = {
  readonly identity: ImageIdentity
  readonly place: Place
  /** The place of exactly this image, wherever its tag moves. */
  readonly permanent: Place
  readonly layers: readonly LayerReport[]
  /** Absent for the merged file system. */
  readonly layer: number | undefined
  readonly sort: 'bytes' | 'name'
}

/**
 * The head of the page: the image, the path with a link to each directory, and further links.
 *
 * @param mapped the directory whose treemap the page leads to
 */
export function headOf({ identity, place, permanent, layer }: About, path: ShownPath, mapped = path): Html {
  const ways = waysTo(path)
  return html`<div class="heading" data-looked="${visible(`${shortName(identity)} /${path.path}`)}">
<p class="place">${visible(placeName(identity))} · <a href="${reportLink(place)}">${visible(shortName(identity))}</a>${layer !== undefined && ` · layer ${layer}`}</p>
<h1 class="ways"><a href="${filesLink(place, { path: '' }, { layer })}" aria-label="Root directory">/</a>${ways.map(
    (way, at) => html`${at > 0 && '/'}<a href="${filesLink(place, way, { layer })}">${name(way.name)}</a>`,
  )}</h1>
<p class="facts"><a href="${reportLink(place)}">Report</a>
<a href="${mapLink(place, mapped, 'layer')}">Treemap</a>
<a href="${filesLink(permanent, path, { layer })}">Permanent link</a>
${layer !== undefined && html`<a href="${filesLink(place, path)}">In the merged file system</a>`}</p>
</div>`
}

/** Search, order, and choice of a layer: a form, so that it works without scripts. */
export function searchForm({ place, layers, layer, sort }: About, path: ShownPath, glob = ''): Html {
  const chosen = (is: boolean) => (is ? html`selected` : '')
  return html`<form class="find" action="/files" role="search" aria-label="Files">
<input type="hidden" name="image" value="${visible(place.image)}">${place.platform !== undefined && html`<input type="hidden" name="platform" value="${visible(place.platform)}">`}
${path.pathBase64 === undefined ? html`<input type="hidden" name="path" value="${path.path}">` : html`<input type="hidden" name="pathBase64" value="${path.pathBase64}">`}
<label>Find below <input name="glob" value="${visible(glob)}" placeholder="ssl or *.so" autocomplete="off" autocapitalize="none" spellcheck="false"></label>
<label>Layer <select name="layer"><option value="">all, merged</option>${layers.map(
    ({ index }) => html`<option value="${index}" ${chosen(index === layer)}>${index}</option>`,
  )}</select></label>
<label>Order <select name="sort"><option value="bytes" ${chosen(sort === 'bytes')}>largest first</option><option value="name" ${chosen(sort === 'name')}>by name</option></select></label>
<button>Show</button></form>`
}

/** Links to the content as a tar and as data. */
export function downloadsOf({ place }: About, path: ShownPath): Html {
  const asked = path.pathBase64 === undefined ? { path: path.path } : { pathBase64: path.pathBase64 }
  return html`<a href="${link('/v1/export', { ...place, ...asked })}">Download as a tar</a>`
}
