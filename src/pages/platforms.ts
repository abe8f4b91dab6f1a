/** The platforms that a reference offers: a page, which the report loads in place. */
import { html } from 'hono/html'
import { visible } from '../formats/escape.ts'
import { formatBytes } from '../text/format.ts'
import { reportLink } from './image-links.ts'
import { type Html, page } from './page.ts'

export type PlatformsView = {
  readonly image: string
  /** The platform that the reader comes from. */
  readonly platform: string | undefined
  readonly offered: readonly { readonly platform: string; readonly compressedBytes?: number }[]
}

export function platformsPage({ image, platform, offered }: PlatformsView): Html {
  return page({
    title: `Platforms of ${image}`,
    main: html`<div class="heading"><p class="place">${visible(image)}</p><h1>Platforms</h1></div>
<ul class="platforms" data-loaded>${offered.map(
      (one) =>
        html`<li><a href="${reportLink({ image, platform: one.platform })}" ${one.platform === platform ? html`aria-current="page"` : ''}>${visible(one.platform)}</a>${one.compressedBytes !== undefined && html` <span class="quiet">${formatBytes(one.compressedBytes)}</span>`}</li>`,
    )}</ul>`,
  })
}
