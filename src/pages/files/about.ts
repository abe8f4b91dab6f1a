/** What the pages of the file browser share: the image they are about, and their heading. */
import { html } from 'hono/html'
import { visible } from '../../formats/escape.ts'
import { shortName, sourceName } from '../../image/identity.ts'
import type { ImageIdentity, LayerReport } from '../../image/report.ts'
import {
  filesLink,
  type ImageParameters,
  mapLink,
  reportLink,
  type ShownPath,
  waysTo,
} from '../image-links.ts'
import { type Html, link, name } from '../page.ts'

export type About = {
  readonly identity: ImageIdentity
  readonly parameters: ImageParameters
  /** The place of exactly this image, wherever its tag moves. */
  readonly permanent: ImageParameters
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
export function headOf(
  { identity, parameters, permanent, layer }: About,
  path: ShownPath,
  mapped = path,
): Html {
  const ways = waysTo(path)
  return html`<div class="heading" data-looked="${visible(`${shortName(identity)} /${path.path}`)}">
<p class="place">${visible(sourceName(identity))} · <a href="${reportLink(parameters)}">${visible(shortName(identity))}</a>${layer !== undefined && ` · layer ${layer}`}</p>
<h1 class="ways"><a href="${filesLink(parameters, { path: '' }, { layer })}" aria-label="Root directory">/</a>${ways.map(
    (way, at) =>
      html`${at > 0 && '/'}<a href="${filesLink(parameters, way, { layer })}">${name(way.name)}</a>`,
  )}</h1>
<p class="facts"><a href="${reportLink(parameters)}">Report</a>
<a href="${mapLink(parameters, mapped, 'layer')}">Treemap</a>
<a href="${filesLink(permanent, path, { layer })}">Permanent link</a>
${layer !== undefined && html`<a href="${filesLink(parameters, path)}">In the merged file system</a>`}</p>
</div>`
}

/** Search, order, and choice of a layer: a form, so that it works without scripts. */
export function searchForm({ parameters, layers, layer, sort }: About, path: ShownPath, glob = ''): Html {
  const chosen = (is: boolean) => (is ? html`selected` : '')
  return html`<form class="find" action="/files" role="search" aria-label="Files">
<input type="hidden" name="image" value="${visible(parameters.image)}">${parameters.platform !== undefined && html`<input type="hidden" name="platform" value="${visible(parameters.platform)}">`}
${path.pathBase64 === undefined ? html`<input type="hidden" name="path" value="${path.path}">` : html`<input type="hidden" name="pathBase64" value="${path.pathBase64}">`}
<label>Find below <input name="glob" value="${visible(glob)}" placeholder="ssl or *.so" autocomplete="off" autocapitalize="none" spellcheck="false"></label>
<label>Layer <select name="layer"><option value="">all, merged</option>${layers.map(
    ({ index }) => html`<option value="${index}" ${chosen(index === layer)}>${index}</option>`,
  )}</select></label>
<label>Order <select name="sort"><option value="bytes" ${chosen(sort === 'bytes')}>largest first</option><option value="name" ${chosen(sort === 'name')}>by name</option></select></label>
<button>Show</button></form>`
}

/** Links to the content as a tar and as data. */
export function downloadsOf({ parameters }: About, path: ShownPath): Html {
  const asked = path.pathBase64 === undefined ? { path: path.path } : { pathBase64: path.pathBase64 }
  return html`<a href="${link('/v1/export', { ...parameters, ...asked })}">Download as a tar</a>`
}
