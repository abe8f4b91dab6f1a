/** A diff as a page that prints well: no scripts, nothing loaded from anywhere. */
import { html } from 'hono/html'
import type { Diff } from '../diff/summary.ts'
import { viewDiff } from './diff-view.ts'
import { visible } from './escape.ts'
import type { Piece, Row, Sign, Table } from './table.ts'

type Markup = ReturnType<typeof html>

const MAX_ROWS = 1_000

const STYLE = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
  body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
  h1 { font-size: 1.4rem; overflow-wrap: anywhere }
  h2 { font-size: 1.1rem; margin-top: 2rem; break-after: avoid }
  table { border-collapse: collapse; width: 100% }
  tr { break-inside: avoid }
  th, td { border-bottom: 1px solid #8886; padding: .25rem .6rem; text-align: left; vertical-align: top }
  td code { overflow-wrap: anywhere }
  .right { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
  .came .sign { color: light-dark(#a40e26, #ff7b72) }
  .went .sign { color: light-dark(#116329, #56d364) }
  .headline { font-size: 1.2rem; font-weight: 600 }
`

const CLASSES: Readonly<Record<Sign, string>> = { '+': 'came', '-': 'went', '~': 'changed' }

/** The style sheet stands in the page: a `Content-Security-Policy` needs `style-src 'unsafe-inline'`. */
export async function diffHtml(diff: Diff): Promise<string> {
  const { from, to, headline, figures, reasons, tables } = viewDiff(diff)
  const page = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text([from])} → ${text([to])}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${pieces([from])} → ${pieces([to])}</h1>
<p class="headline">${headline}</p>
${tableOf(figures)}
<ul>
${reasons.map((reason) => html`<li>${pieces(reason)}</li>\n`)}
</ul>
${tables.map(section)}
</main>
</body>
</html>
`
  return page.toString()
}

function section(table: Table): Markup {
  const left = table.rows.length - MAX_ROWS
  return html`<section>
<h2>${table.title}</h2>
${tableOf(table)}
${left > 0 ? html`<p>… and ${left} more ${table.noun}</p>` : ''}
</section>
`
}

function tableOf({ columns, rows }: Table): Markup {
  return html`<table>
<thead><tr>${columns.map(({ title, align }) => html`<th scope="col" class="${align}">${pieces([title])}</th>`)}</tr></thead>
<tbody>
${rows.slice(0, MAX_ROWS).map((row) => rowOf(row, columns))}
</tbody>
</table>`
}

function rowOf({ sign, cells }: Row, columns: Table['columns']): Markup {
  return html`<tr class="${CLASSES[sign]}">${cells.map(
    (cell, i) =>
      html`<td class="${columns[i]?.align ?? 'left'}${isSigned(cell) ? ' sign' : ''}">${pieces(cell)}</td>`,
  )}</tr>
`
}

/** `+1.20 MB`, `-`: what the row's colour is for. */
function isSigned(cell: readonly Piece[]): boolean {
  return typeof cell[0] === 'string' && /^[+-]/.test(cell[0])
}

function pieces(all: readonly Piece[]): readonly (string | Markup)[] {
  return all.map((piece) => (typeof piece === 'string' ? piece : html`<code>${visible(piece.name)}</code>`))
}

function text(all: readonly Piece[]): string {
  return all.map((piece) => (typeof piece === 'string' ? piece : visible(piece.name))).join('')
}
