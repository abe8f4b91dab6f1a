/** What is attached to an image: signatures, attestations, bills of materials. The report loads it when a reader asks. */
import { html } from 'hono/html'
import type { Attached, AttachedItem } from '../attached/items.ts'
import { FOUND_IN, summaryOf, typeOf } from '../formats/attached-text.ts'
import { visible } from '../formats/escape.ts'
import { shortName, sourceName } from '../image/identity.ts'
import type { ImageIdentity } from '../image/report.ts'
import { type ImageParameters, parametersOf, reportLink } from './image-links.ts'
import { type Html, link, name, page, size, table } from './page.ts'

export type AttachedPageView = { readonly image: ImageIdentity; readonly attached: Attached }

export function attachedPage({ image, attached }: AttachedPageView): Html {
  const { items } = attached
  const parameters = parametersOf(image)
  return page({
    title: `Attached to ${image.reference}`,
    main: html`<div class="heading">
<p class="place">${visible(sourceName(image))}</p>
<h1>What is attached</h1>
<p class="facts"><a href="${reportLink(parameters)}">Report of ${visible(shortName(image))}</a></p>
</div>
<div data-loaded>
${summaryOf({ ...attached, count: items.length }).map(
  (sentence) =>
    html`<p>${sentence.map((piece) => (typeof piece === 'string' ? piece : name(piece.name)))}</p>
`,
)}${
  items.length > 0 &&
  table<AttachedItem>({
    caption: 'Signatures, attestations and bills of materials',
    none: '',
    rows: items,
    columns: [
      {
        head: 'Kind, and type',
        kind: 'text',
        cell: (item) => html`${item.kind}<div class="under quiet">${name(typeOf(item))}</div>`,
      },
      { head: 'Size', kind: 'number', cell: ({ bytes }) => size(bytes) },
      { head: 'Created', isMinor: true, cell: ({ created = '' }) => visible(created.slice(0, 10)) },
      { head: 'Found in', isMinor: true, cell: ({ source }) => FOUND_IN[source] },
      { head: 'Download', kind: 'text', cell: (item) => downloads(parameters, item) },
    ],
  })
}
<p class="raw"><a href="${link('/v1/attached', parameters)}">As JSON</a></p>
</div>`,
  })
}

/** As it is stored and, of an attestation, what that says. */
function downloads(parameters: ImageParameters, { digest, kind, predicateType }: AttachedItem): Html {
  const content = (as?: string) => link('/v1/attached/content', { ...parameters, digest, as })
  const what = html`<span class="hidden-text"> ${kind} ${digest.slice('sha256:'.length, 'sha256:'.length + 12)}</span>`
  return html`<a href="${content()}">Stored${what}</a>${predicateType !== undefined && html` <a href="${content('predicate')}">Predicate${what}</a>`}`
}

/** Where the page of what is attached to an image is. */
export function attachedLink(parameters: ImageParameters): string {
  return link('/attached', parameters)
}
