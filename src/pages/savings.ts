/** What would save most, and how: shown below the verdict of a report. */
import { html } from 'hono/html'
import type { AdviceItem } from '../advice/advise.ts'
import { whoseItem } from '../advice/whose-item.ts'
import type { Whose } from '../base/whose.ts'
import { type AdviceView, filesText } from '../formats/advice-view.ts'
import { visible } from '../formats/escape.ts'
import { buildStep } from '../oci/build-step.ts'
import { counted, formatBytes, formatCount } from '../text/format.ts'
import { type ImageParameters, pathLink } from './image-links.ts'
import { type Html, name, size, withCode } from './page.ts'

const PATHS = 10

/** @param baseLayers how many of the lowest layers are the base image's; 0 if that is not known */
export function savings(
  { items, first }: AdviceView,
  parameters: ImageParameters,
  baseLayers: number,
): Html | '' {
  const show = (item: AdviceItem) => saving(item, parameters, baseLayers)
  const others = items.length - first
  if (items.length === 0) return ''
  return html`<section id="savings"><h2 class="hidden-text">What to change first</h2>
<ol class="savings">${items.slice(0, first).map(show)}</ol>
${
  others > 0 &&
  html`<details class="long"><summary>${counted(others, 'more suggestion')}</summary>
<ol class="savings" start="${first + 1}">${items.slice(first).map(show)}</ol></details>`
}
</section>`
}

/** What it saves is visible at once, how is one click away: so all items and the treemap fit on the first screen. */
function saving(item: AdviceItem, parameters: ImageParameters, baseLayers: number): Html {
  const { title, bytes, files, severity, createdBy, paths, fix } = item
  const more = files - Math.min(paths.length, PATHS)
  return html`<li class="${severity}"><h3><strong>${size(bytes)}</strong> ${visible(title)}${whoseTag(baseLayers > 0 ? whoseItem(item, baseLayers) : undefined)}</h3>
<details><summary>${severity === 'error' ? 'What to do' : 'How to reduce it'}</summary>
<p>${withCode(fix)}</p>
${
  paths.length > 0 &&
  html`<ul class="plain">${paths
    .slice(0, PATHS)
    .map(
      (path) =>
        html`<li>${pathLink(parameters, path, path.layer)} <span class="quiet nowrap">${formatBytes(path.bytes)}</span></li>`,
    )}${more > 0 && html`<li class="quiet">and ${formatCount(more)} more</li>`}</ul>`
}
<p class="quiet">${filesText(item)}${createdBy !== undefined && html`: ${name(buildStep(createdBy).slice(0, 200))}`}</p></details>
</li>`
}

const WHOSE: Readonly<Record<Whose, string>> = {
  base: 'base image',
  own: 'yours',
  both: 'base image and yours',
}

export function whoseTag(whose: Whose | undefined): Html | '' {
  return whose === undefined ? '' : html` <span class="whose ${whose}">${WHOSE[whose]}</span>`
}
