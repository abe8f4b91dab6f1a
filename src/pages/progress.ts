/** The page that a reader sees while layers are read. */
import { html } from 'hono/html'
import { visible } from '../formats/escape.ts'
import type { Progress } from '../job.ts'
import { counted } from '../text/format.ts'
import { shownProgress } from './assets/progress.js'
import { type Html, name, page } from './page.ts'

/** An analysis that a page waits for. */
export type WaitingFor = {
  readonly image: string
  readonly platform: string
  readonly status: 'queued' | 'running' | 'succeeded' | 'failed'
  readonly progress: Progress
  /** URL of its events. */
  readonly events: string
}

/** Follows analyses by their events and shows the answer at the end; without scripts the page reloads every 2 s. */
export function progressPage(analyses: readonly WaitingFor[]): Html {
  return page({
    title: 'Reading the layers',
    head: html`<noscript><meta http-equiv="refresh" content="2"></noscript>`,
    main: html`<div class="heading"><h1>Reading the layers</h1>
<p class="facts">Each layer is read only once. The next image that shares it is faster.</p></div>
${analyses.map(waiting)}`,
  })
}

function waiting({ image, platform, status, progress, events }: WaitingFor, index: number): Html {
  const { layersReused } = progress
  const id = `waiting-${index}`
  const { value, max, said } = shownProgress({ status, progress })
  const bar = max > 0 ? html`value="${value}" max="${max}"` : ''
  return html`<section class="waiting" data-events="${events}">
<h2 id="${id}">${name(image)}</h2>
<progress aria-labelledby="${id}" ${bar}></progress>
<p><span role="status" data-said>${said}</span></p>
<p class="quiet">${visible(platform)}${layersReused > 0 && ` · ${counted(layersReused, 'layer')} already indexed`}</p>
</section>`
}
