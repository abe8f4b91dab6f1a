/** What changed inside one file: entries of archives, modules of Go programs, sections of ELF files. */
import { html } from 'hono/html'
import { visible } from '../../formats/escape.ts'
import { shortName } from '../../image/identity.ts'
import type { ImageIdentity } from '../../image/report.ts'
import { Problem } from '../../problem.ts'
import type { PartChange } from '../../service/inside/diff-inside.ts'
import { counted, formatBytes, formatDelta } from '../../text/format.ts'
import { type PathKey, showPath } from '../../text/path.ts'
import { filesLink, type ShownPath } from '../image-links.ts'
import { keyInside } from '../inside/areas.ts'
import { type Html, link, measured, name, page, size, table } from '../page.ts'
import { type DiffParameters, diffLink, diffParameters, pairOf, textDiffLink } from './address.ts'

/** Rows of the table; the API lists the rest. */
const MAX_ROWS = 500
const MAX_NAME = 300

export type InsideDiffView = {
  readonly key: PathKey
  readonly fromBytes: number
  readonly toBytes: number
  /** A problem if they cannot be opened, or not compared. */
  readonly changes: readonly PartChange[] | Problem
}

/** The page; its part that is `data-loaded` is shown in the page of the whole diff. */
export function insideDiffPage(from: ImageIdentity, to: ImageIdentity, view: InsideDiffView): Html {
  const parameters = diffParameters(from, to)
  const [before, after] = [visible(shortName(from)), visible(shortName(to))]
  const { path } = showPath(view.key)
  return page({
    title: `/${path} · ${before} → ${after}`,
    main: html`<div class="heading">
<p class="place">${before} → ${after}</p>
<h1 class="ways">${name(`/${path}`)}</h1>
<p class="facts"><a href="${diffLink(parameters)}">The whole diff</a></p>
</div>
${insideDiff(parameters, view)}`,
  })
}

function insideDiff(parameters: DiffParameters, { key, fromBytes, toBytes, changes }: InsideDiffView): Html {
  const shown = showPath(key)
  return html`<div class="textdiff" data-loaded>
<p class="facts"><a href="${filesLink(parameters.from, shown)}">Before, ${formatBytes(fromBytes)}</a>
<a href="${filesLink(parameters.to, shown)}">After, ${formatBytes(toBytes)}</a>
${!(changes instanceof Problem) && html`<a href="${rawLink(parameters, shown)}">What changed inside, as CSV</a>`}</p>
${changes instanceof Problem ? html`<p class="none">${whyNot(changes)}</p>` : changeTable(parameters, key, changes)}</div>`
}

function whyNot(problem: Problem): string {
  if (problem.code === 'unknown_format')
    return 'The content differs. It is neither text nor archives or programs of one kind.'
  return visible(`The content differs, and cannot be opened: ${problem.message}`)
}

function rawLink(parameters: DiffParameters, { path, pathBase64 }: ShownPath): string {
  const exact = pathBase64 === undefined ? { path } : { pathBase64 }
  return link('/v1/diff/inside', { ...pairOf(parameters), ...exact, format: 'csv' })
}

function changeTable(parameters: DiffParameters, key: PathKey, changes: readonly PartChange[]): Html {
  const rows = changes.slice(0, MAX_ROWS)
  const most = Math.abs(rows[0]?.delta ?? 0)
  const left = changes.length - rows.length
  return html`${table<PartChange>({
    caption: `${counted(changes.length, 'change')} inside, largest first`,
    none: 'What is inside has the same sizes.',
    rows,
    columns: [
      {
        head: 'Name',
        kind: 'path',
        cell: (change) => html`${partName(parameters, key, change)} ${versionsOf(change)}`,
      },
      { head: 'What', cell: ({ change }) => html`<span class="pill ${change}">${change}</span>` },
      {
        head: 'Change',
        kind: 'number',
        cell: ({ delta }) =>
          measured(
            html`<span class="${toneOf(delta)}">${delta === 0 ? '0 B' : formatDelta(delta)}</span>`,
            delta,
            most,
            toneOf(delta),
          ),
      },
      { head: 'Before', kind: 'number', isMinor: true, cell: ({ fromBytes }) => size(fromBytes) },
      { head: 'After', kind: 'number', isMinor: true, cell: ({ toBytes }) => size(toBytes) },
    ],
  })}
${left > 0 && html`<p class="raw">… and ${counted(left, 'smaller change')}</p>`}`
}

function toneOf(delta: number): string {
  return delta > 0 ? 'more' : delta < 0 ? 'less' : 'same'
}

/** An entry leads to what changed in it, or to its page. */
function partName(
  parameters: DiffParameters,
  file: PathKey,
  { key, name: text = '', change }: PartChange,
): Html {
  if (key === undefined) return name(cut(text))
  const path = showPath(keyInside(file, key))
  const address =
    change === 'modified'
      ? textDiffLink(parameters, path)
      : filesLink(change === 'removed' ? parameters.from : parameters.to, path)
  return html`<a href="${address}">${name(cut(showPath(key).path))}</a>`
}

function versionsOf({ fromVersion = '', toVersion = '' }: PartChange): Html | '' {
  const versions = fromVersion === toVersion ? [toVersion] : [fromVersion, toVersion]
  const shown = versions.filter((version) => version !== '').map((version) => visible(cut(version)))
  return shown.length === 0 ? '' : html`<span class="quiet">${shown.join(' → ')}</span>`
}

function cut(text: string): string {
  return text.length > MAX_NAME ? `${text.slice(0, MAX_NAME)}…` : text
}
