/** Packages that were added, removed, or changed their version; the largest changes first. */
import { html } from 'hono/html'
import type { PackageChange, PackageDiff } from '../../diff/packages.ts'
import { formatCount, formatDelta } from '../../text/format.ts'
import { namedLink, pathLink } from '../image-links.ts'
import { type Html, measured, name, table } from '../page.ts'
import type { DiffParameters } from './address.ts'

const MAX_ROWS = 500

export function packageChanges(parameters: DiffParameters, { added, removed, changed }: PackageDiff): Html {
  const weight = ({ deltaBytes = 0 }: PackageChange) => Math.abs(deltaBytes)
  const all = [...removed, ...added, ...changed].sort((a, b) => weight(b) - weight(a))
  const most = Math.max(0, ...all.map(weight))
  const left = all.length - MAX_ROWS
  return html`${table<PackageChange>({
    caption: '',
    label: 'Packages that changed',
    none: 'No package changed.',
    rows: all.slice(0, MAX_ROWS),
    columns: [
      {
        head: 'Package',
        kind: 'path',
        cell: (one) => {
          const image = one.to === undefined ? parameters.from : parameters.to
          return html`${mark(one)} ${one.path === undefined ? html`<a href="${namedLink(image, one.name)}">${name(one.name)}</a>` : name(one.name)} <span class="quiet">${one.type}</span>${one.path !== undefined && html`<div class="under">${pathLink(image, { path: one.path })}</div>`}`
        },
      },
      { head: 'Before', kind: 'text', cell: ({ from }) => (from === undefined ? '' : name(from)) },
      { head: 'After', kind: 'text', cell: ({ to }) => (to === undefined ? '' : name(to)) },
      {
        head: 'Size',
        kind: 'number',
        cell: ({ deltaBytes }) => {
          if (deltaBytes === undefined) return html`<span class="quiet">unknown</span>`
          const tone = deltaBytes > 0 ? 'more' : 'less'
          return measured(
            html`<span class="${tone}">${formatDelta(deltaBytes)}</span>`,
            deltaBytes,
            most,
            tone,
          )
        },
      },
    ],
  })}${left > 0 && html`<p>… and ${formatCount(left)} more packages</p>`}`
}

function mark({ from, to }: PackageChange): Html {
  if (from === undefined) return html`<span class="pill added">added</span>`
  if (to === undefined) return html`<span class="pill removed">removed</span>`
  return html`<span class="pill modified">changed</span>`
}
