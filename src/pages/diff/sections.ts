/** Parts of a diff that its page and its printable document share: figures, reasons, tables. */
import { html } from 'hono/html'
import type { DiffView } from '../../formats/diff-view.ts'
import type { Piece, Row, Sign, Table } from '../../formats/table.ts'
import { formatCount } from '../../text/format.ts'
import { type Html, type HtmlColumn, name, table } from '../page.ts'

const MAX_ROWS = 1_000

/** Growth is marked as bad, shrinking as good. */
export const TONES: Readonly<Record<Sign, string>> = { '+': 'bad', '-': 'good', '~': 'quiet' }

/** What the diff says: the headline, the figures, the reasons, and a section for each table. */
export function diffSections(view: DiffView): Html {
  return html`<p class="headline">${view.headline}</p>
<section id="figures"><h2>Figures</h2>
${rowsOf(view.figures)}
${reasonsOf(view)}
</section>
${view.tables.map(
  (one) => html`<section id="${one.id}"><h2>${one.title}</h2>
${rowsOf(one)}
</section>
`,
)}`
}

export function reasonsOf({ reasons }: DiffView): Html | '' {
  if (reasons.length === 0) return ''
  return html`<ul class="reasons">${reasons.map((reason) => html`<li>${piecesOf(reason)}</li>\n`)}</ul>`
}

/** Our own words as they are, names as code. */
export function piecesOf(pieces: readonly Piece[]): readonly (string | Html)[] {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : name(piece.name)))
}

export function rowsOf(shown: Table): Html {
  const { rows, noun } = shown
  const left = rows.length - MAX_ROWS
  return html`${table<Row>({
    caption: '',
    label: shown.title,
    none: '',
    rows: rows.slice(0, MAX_ROWS),
    columns: shown.columns.map((column, at) => columnOf(shown, column, at)),
  })}
${left > 0 && html`<p>… and ${formatCount(left)} more ${noun}</p>`}`
}

function columnOf({ rows }: Table, { title, align }: Table['columns'][number], at: number): HtmlColumn<Row> {
  const holdsNames = rows.some(({ cells }) => cells[at]?.some((piece) => typeof piece !== 'string'))
  return {
    head: title === '' ? html`<span class="hidden-text">Kind</span>` : piecesOf([title]),
    kind: align === 'right' ? 'number' : holdsNames ? 'path' : 'text',
    cell: ({ sign, cells }) => cellOf(cells[at] ?? [], sign),
  }
}

/** A signed figure like `+1.20 MB` takes the row's colour. */
function cellOf(pieces: readonly Piece[], sign: Sign): Html {
  const isSigned = typeof pieces[0] === 'string' && /^[+~-]/.test(pieces[0])
  return isSigned ? html`<span class="${TONES[sign]}">${piecesOf(pieces)}</span>` : html`${piecesOf(pieces)}`
}
