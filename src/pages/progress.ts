import { html } from 'hono/html'
import { visible } from '../formats/escape.ts'
import type { Progress } from '../job.ts'
import { formatBytes } from '../text/format.ts'
import { counted, type Html, name, page } from './page.ts'

/** An analysis that a page waits for. */
export type WaitingFor = {
  readonly image: string
  readonly platform: string
  readonly status: 'queued' | 'running' | 'succeeded' | 'failed'
  readonly progress: Progress
  /** Where its events are. */
  readonly events: string
}

/** Follows its analyses by their events and shows the answer at the end; without scripts it asks again every 2 s. */
export function progressPage(analyses: readonly WaitingFor[]): Html {
  return page({
    title: 'Reading the layers',
    head: html`<noscript><meta http-equiv="refresh" content="2"></noscript>`,
    main: html`<div class="heading"><h1>Reading the layers</h1>
<p class="facts">Each layer is read once: the next image that has it is faster.</p></div>
${analyses.map(waiting)}`,
  })
}

function waiting({ image, platform, status, progress, events }: WaitingFor, index: number): Html {
  const { bytes, bytesDone, layers, layersDone, layersReused } = progress
  const id = `waiting-${index}`
  const value = bytes > 0 ? html`value="${bytesDone}" max="${bytes}"` : ''
  const read = bytes > 0 ? `${formatBytes(bytesDone)} of ${formatBytes(bytes)} read, ` : ''
  const said =
    status === 'queued' ? 'Waiting for its turn' : `${read}${layersDone} of ${counted(layers, 'layer')} done`
  return html`<section class="waiting" data-events="${events}">
<h2 id="${id}">${name(image)}</h2>
<progress aria-labelledby="${id}" ${value}></progress>
<p><span role="status" data-said>${said}</span></p>
<p class="quiet">${visible(platform)}${layersReused > 0 && ` · ${counted(layersReused, 'layer')} known already`}</p>
</section>`
}
