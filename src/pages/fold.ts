/** A section that folds: its heading is always there, and opens it without a script. */
import { html } from 'hono/html'
import type { Html } from './page.ts'

export type Fold = {
  /** Of the content: a link to it opens the section, since browsers show what an address names. */
  readonly id: string
  readonly title: string | Html
  /** What a closed section is about, beside its heading. */
  readonly note?: string | undefined
  readonly state?: 'open' | 'closed'
  /** The page whose content takes the place of the `.load` in it when it is opened. */
  readonly load?: string
  readonly content: Html
}

export function fold({ id, title, note, state = 'closed', load, content }: Fold): Html {
  return html`<section class="fold"><details ${state === 'open' ? html`open` : ''}${load === undefined ? '' : html` data-load="${load}"`}><summary><h2>${title}</h2>${note !== undefined && html` <span class="quiet">${note}</span>`}</summary>
<div id="${id}">
${content}
</div></details></section>`
}
