/** What would save most, and how: shown below the verdict of a report. */
import { html } from 'hono/html'
import type { Advice, AdviceItem } from '../advice/advise.ts'
import { visible } from '../formats/escape.ts'
import { firstItems, weightiest } from '../formats/report-view.ts'
import { buildStep } from '../oci/build-step.ts'
import { formatBytes, formatCount } from '../text/format.ts'
import { counted, type Html, name, size } from './page.ts'
import { type Place, pathLink } from './place.ts'

const PATHS = 10

export function savings({ advice, place }: { readonly advice: Advice; readonly place: Place }): Html | '' {
  const items = weightiest(advice)
  const first = firstItems(advice)
  const others = items.length - first
  if (items.length === 0) return ''
  return html`<section id="savings"><h2 class="hidden-text">What to change first</h2>
<ol class="savings">${items.slice(0, first).map((item) => saving(item, place))}</ol>
${
  others > 0 &&
  html`<details class="long"><summary>${counted(others, 'more piece')} of advice</summary>
<ol class="savings" start="${first + 1}">${items.slice(first).map((item) => saving(item, place))}</ol></details>`
}
</section>`
}

/** What it saves is visible at once, how is one click away: so all items and the treemap fit on the first screen. */
function saving(item: AdviceItem, place: Place): Html {
  const { title, bytes, files, severity, createdBy, layer, byLayer, line, paths, fix } = item
  const at = byLayer ?? layer
  const more = files - Math.min(paths.length, PATHS)
  return html`<li class="${severity}"><h3><strong>${size(bytes)}</strong> ${visible(title)}</h3>
<details><summary>${severity === 'error' ? 'What to do' : 'How to save it'}</summary>
<p>${withCode(fix)}</p>
${
  paths.length > 0 &&
  html`<ul class="plain">${paths
    .slice(0, PATHS)
    .map(
      (path) =>
        html`<li>${pathLink(place, path, path.layer)} <span class="quiet nowrap">${formatBytes(path.bytes)}</span></li>`,
    )}${more > 0 && html`<li class="quiet">and ${formatCount(more)} more</li>`}</ul>`
}
<p class="quiet">${counted(files, 'file')}${at !== undefined && html`, layer ${at}${line !== undefined && `, line ${line}`}${createdBy !== undefined && html`: ${name(buildStep(createdBy).slice(0, 200))}`}`}</p></details>
</li>`
}

/** Text between backticks is code. */
function withCode(text: string): readonly (string | Html)[] {
  return visible(text)
    .split('`')
    .map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))
}
