/** The page of two images, made of the same view as a diff in Markdown or text. */
import { html } from 'hono/html'
import type { Diff } from '../diff/summary.ts'
import { type DiffView, viewDiff } from '../formats/diff-view.ts'
import { visible } from '../formats/escape.ts'
import type { Piece, Row, Sign, Table } from '../formats/table.ts'
import { placeName, shortName } from '../image/identity.ts'
import { formatCount } from '../text/format.ts'
import { askForm } from './form.ts'
import { type Html, type HtmlColumn, link, name, page, table } from './page.ts'

const MAX_ROWS = 1_000

/** Growth is a thing to look at, shrinking one to be glad of. */
const TONES: Readonly<Record<Sign, string>> = { '+': 'bad', '-': 'good', '~': 'quiet' }

export function diffPage(diff: Diff): Html {
  const { from, to } = diff
  const view = viewDiff(diff)
  const ask = {
    from: from.reference,
    to: to.reference,
    fromPlatform: from.indexDigest && from.platform,
    toPlatform: to.indexDigest && to.platform,
  }
  const [before, after] = [visible(shortName(from)), visible(shortName(to))]
  const places = [...new Set([placeName(from), placeName(to)])].join(' → ')
  const platforms = [...new Set([from.platform, to.platform])].join(' → ')
  return page({
    title: `${before} → ${after}`,
    main: html`<div class="heading">
<p class="place">${visible(places)}</p>
<h1>${before} <span class="arrow">→</span> ${after}</h1>
<p class="facts"><span>${visible(platforms)}</span>
<a href="${link('/', { image: from.reference, platform: ask.fromPlatform })}">Report of the first</a>
<a href="${link('/', { image: to.reference, platform: ask.toPlatform })}">Report of the second</a></p>
</div>
<nav class="contents" aria-label="On this page"><ul>
<li><a href="#figures">Figures</a></li>
${view.tables.map(({ id, title }) => html`<li><a href="#${id}">${title.replace(/:.*/, '')}</a></li>`)}
<li><a href="#raw">Raw data</a></li>
</ul></nav>
${diffSections(view)}
<section id="raw"><h2>Raw data</h2>
<ul class="plain"><li><a href="${link('/v1/diff', ask)}">Diff</a></li><li><a href="${link('/v1/diff/files', ask)}">All changed paths</a></li>
<li><a href="${link('/v1/diff', { ...ask, format: 'markdown' })}">Markdown for a pull request</a></li></ul></section>
<section><h2>Compare other images</h2>${askForm({ image: to.reference, baseline: from.reference })}</section>`,
  })
}

/** What the diff says: the headline, the figures, the reasons, and a section for each table. */
export function diffSections({ headline, figures, reasons, tables }: DiffView): Html {
  return html`<p class="headline">${headline}</p>
<section id="figures"><h2>Figures</h2>
${rowsOf(figures)}
${reasons.length > 0 && html`<ul class="reasons">${reasons.map((reason) => html`<li>${piecesOf(reason)}</li>\n`)}</ul>`}
</section>
${tables.map(
  (one) => html`<section id="${one.id}"><h2>${one.title}</h2>
${rowsOf(one)}
</section>
`,
)}`
}

/** Words of ours as they are, names as code. */
export function piecesOf(pieces: readonly Piece[]): readonly (string | Html)[] {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : name(piece.name)))
}

function rowsOf(shown: Table): Html {
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

/** `+1.20 MB`, `-` and the like are in the row's colour. */
function cellOf(pieces: readonly Piece[], sign: Sign): Html {
  const isSigned = typeof pieces[0] === 'string' && /^[+~-]/.test(pieces[0])
  return isSigned ? html`<span class="${TONES[sign]}">${piecesOf(pieces)}</span>` : html`${piecesOf(pieces)}`
}
