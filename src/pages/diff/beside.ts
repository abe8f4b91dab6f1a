/** Config and history of two images side by side. */
import { html } from 'hono/html'
import type { ConfigChange, ConfigValue } from '../../diff/config.ts'
import type { StepChange, StepPair } from '../../diff/history.ts'
import { buildStep } from '../../oci/build-step.ts'
import { formatBytes } from '../../text/format.ts'
import { type Html, name, table } from '../page.ts'

/** How much of a value or a step is shown; more is no use. */
const MAX_LETTERS = 2_000
const MAX_STEPS = 500

export function configBeside(changes: readonly ConfigChange[], before: string, after: string): Html {
  return table<ConfigChange>({
    caption: '',
    label: 'Fields of the configuration that changed',
    none: 'The configuration is the same.',
    rows: changes,
    columns: [
      { head: 'Field', kind: 'text', cell: ({ field }) => name(field) },
      { head: before, kind: 'path', cell: ({ from }) => valueCell(from, 'removed') },
      { head: after, kind: 'path', cell: ({ to }) => valueCell(to, 'added') },
    ],
  })
}

function valueCell(value: ConfigValue | undefined, kind: string): Html {
  if (value === undefined) return html`<span class="quiet">–</span>`
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return html`<span class="${kind}">${name(text.slice(0, MAX_LETTERS))}</span>`
}

export function historyBeside(pairs: readonly StepPair[], before: string, after: string): Html {
  if (pairs.length === 0) return html`<p class="none">Neither image has a history.</p>`
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Build steps of both images"><table class="beside">
<thead><tr><th scope="col">${before}</th><th scope="col">${after}</th></tr></thead>
<tbody>
${pairs.slice(0, MAX_STEPS).map(({ from, to, same }) =>
  same
    ? html`<tr class="same"><td colspan="2">${stepOf(to)}</td></tr>
`
    : html`<tr><td class="${from ? 'removed' : ''}">${stepOf(from)}</td><td class="${to ? 'added' : ''}">${stepOf(to)}</td></tr>
`,
)}</tbody>
</table></div>`
}

function stepOf(step: StepChange | undefined): Html | '' {
  if (step === undefined) return ''
  const { createdBy, comment = '', uncompressedBytes } = step
  const text = createdBy === undefined ? comment : buildStep(createdBy)
  return html`${name(text.replace(/\s+/g, ' ').slice(0, MAX_LETTERS))}${uncompressedBytes !== undefined && html` <span class="quiet nowrap">${formatBytes(uncompressedBytes)}</span>`}`
}
