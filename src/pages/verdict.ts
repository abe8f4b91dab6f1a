/** What a report says first: a sentence, and what would save most. */
import { html } from 'hono/html'
import type { Advice, AdviceItem } from '../advice/advise.ts'
import { visible } from '../formats/escape.ts'
import type { Report } from '../image/report.ts'
import { buildStep } from '../oci/build-step.ts'
import { formatBytes, formatCount, formatPercent } from '../text/format.ts'
import { counted, type Html, name, size } from './page.ts'
import { type Place, pathLink } from './place.ts'

const SHOWN = 3
const PATHS = 3

export function verdict({ report, advice, place }: { report: Report; advice: Advice; place: Place }): Html {
  const items = weightiest(advice.items)
  const others = items.length - SHOWN
  return html`<p class="headline">${verdictSentence(report, advice)}</p>
${
  items.length > 0 &&
  html`<section id="savings"><h2>What to change first</h2>
<ol class="savings">${items.slice(0, SHOWN).map((item) => saving(item, place))}</ol>
${
  others > 0 &&
  html`<details class="long"><summary>${counted(others, 'more piece')} of advice</summary>
<ol class="savings" start="${SHOWN + 1}">${items.slice(SHOWN).map((item) => saving(item, place))}</ol></details>`
}
</section>`
}`
}

const WEIGHTS: Readonly<Record<AdviceItem['severity'], number>> = { error: 0, warning: 1, info: 2 }

/** Secrets, then what the savings count, then what may stay for a reason; each in the order of the advice. */
function weightiest(items: readonly AdviceItem[]): readonly AdviceItem[] {
  return items.toSorted((a, b) => WEIGHTS[a.severity] - WEIGHTS[b.severity])
}

/** `117 MB to run, 43.2 MB to pull. 12.3 MB can be saved, 9.80% of the bytes in files.` */
export function verdictSentence({ size: sizes }: Report, { savings, items }: Advice): string {
  const sizeWords = `${formatBytes(sizes.uncompressedBytes)} to run, ${formatBytes(sizes.compressedBytes)} to pull.`
  const secrets = items.some(({ severity }) => severity === 'error')
  const secretWords = secrets ? ' It carries files that look like secrets.' : ''
  const saved =
    savings.bytes > 0
      ? `${formatBytes(savings.bytes)} can be saved, ${formatPercent(savings.percent)} of the bytes in files.`
      : 'Nothing in it is plainly wasted.'
  return `${sizeWords} ${saved}${secretWords}`
}

function saving(item: AdviceItem, place: Place): Html {
  const { title, bytes, files, severity, createdBy, layer, byLayer, line, paths, fix } = item
  const at = byLayer ?? layer
  const more = files - Math.min(paths.length, PATHS)
  return html`<li class="${severity}"><h3><strong>${size(bytes)}</strong> ${visible(title)}</h3>
<p>${withCode(fix)}</p>
<ul class="plain">${paths
    .slice(0, PATHS)
    .map(
      (path) =>
        html`<li>${pathLink(place, path, path.layer)} <span class="quiet">${formatBytes(path.bytes)}</span></li>`,
    )}${more > 0 && html`<li class="quiet">and ${formatCount(more)} more</li>`}</ul>
${at !== undefined && html`<p class="quiet">Layer ${at}${line !== undefined && `, line ${line}`}${createdBy !== undefined && html`: ${name(buildStep(createdBy).slice(0, 200))}`}</p>`}
</li>`
}

/** What stands between backticks is code. */
function withCode(text: string): readonly (string | Html)[] {
  return visible(text)
    .split('`')
    .map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))
}
