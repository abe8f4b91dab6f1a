/** Why `docker image ls` says another size: what each tool counts of an image. The report loads it when a reader asks. */
import { html } from 'hono/html'
import { visible } from '../formats/escape.ts'
import { sizeOf } from '../formats/sizes-text.ts'
import { shortName, sourceName } from '../image/identity.ts'
import type { ImageIdentity } from '../image/report.ts'
import type { ToolSize } from '../storage/tool-sizes.ts'
import { type ImageParameters, parametersOf, reportLink } from './image-links.ts'
import { exactBytes, type Html, link, page, table } from './page.ts'

export type SizesPageView = { readonly image: ImageIdentity; readonly items: readonly ToolSize[] }

export function sizesPage({ image, items }: SizesPageView): Html {
  const parameters = parametersOf(image)
  return page({
    title: `Sizes of ${image.reference}`,
    main: html`<div class="heading">
<p class="place">${visible(sourceName(image))}</p>
<h1>What tools say of its size</h1>
<p class="facts"><a href="${reportLink(parameters)}">Report of ${visible(shortName(image))}</a></p>
</div>
<div data-loaded>
${table<ToolSize>({
  caption: 'Each tool counts something else',
  none: '',
  rows: items,
  columns: [
    {
      head: 'Tool, and what it counts',
      kind: 'text',
      cell: ({ tool, what, explanation }) =>
        html`${tool}: ${what}<div class="under quiet">${explanation}</div>`,
    },
    { head: 'Size', kind: 'number', cell: shown },
  ],
})}
<p class="raw"><a href="${link('/v1/sizes', parameters)}">As JSON</a></p>
</div>`,
  })
}

function shown(item: ToolSize): Html {
  const { bytes } = item
  if (bytes === undefined) return html`<span class="quiet">unknown</span>`
  return html`<data value="${bytes}" title="${exactBytes(bytes)}">${sizeOf(item)}</data>`
}

/** Where the page of an image's sizes is. */
export function sizesLink(parameters: ImageParameters): string {
  return link('/sizes', parameters)
}
