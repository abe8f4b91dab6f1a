/** The page of the file browser that lists what a glob finds. */
import { html } from 'hono/html'
import { formatCount } from '../../text/format.ts'
import { pathLink, type ShownPath } from '../image-links.ts'
import { type Html, link, measured, page, size, table } from '../page.ts'
import { type About, headOf, searchForm } from './about.ts'
import { entryOf } from './icon.ts'

export type FoundRow = ShownPath & { readonly type: string; readonly bytes: number; readonly layer: number }

/** One page of the paths that match a glob. */
export function searchPage({
  about,
  path,
  glob,
  items,
  next,
}: {
  readonly about: About
  readonly path: ShownPath
  readonly glob: string
  readonly items: readonly FoundRow[]
  /** Where the next page begins. */
  readonly next: number | string | undefined
}): Html {
  const { permanent, parameters, layer, sort } = about
  const largest = Math.max(0, ...items.map(({ bytes }) => bytes))
  const where = path.pathBase64 === undefined ? { path: path.path } : { pathBase64: path.pathBase64 }
  const ask = { ...permanent, ...where, glob, sort, layer: layer?.toString(), at: next?.toString() }
  return page({
    title: `${glob} · ${about.identity.reference}`,
    main: html`${headOf(about, path)}
${searchForm(about, path, glob)}
${table<FoundRow>({
  caption: '',
  label: 'What was found',
  none: 'Nothing matches.',
  rows: items,
  columns: [
    { head: 'Path', kind: 'path', cell: (row) => entryOf(row.type, pathLink(parameters, row, layer)) },
    { head: 'Size', kind: 'number', cell: ({ bytes }) => measured(size(bytes), bytes, largest) },
    { head: 'Type', isMinor: true, cell: ({ type }) => type },
    { head: 'Layer', kind: 'number', cell: ({ layer: of }) => of },
  ],
})}
${next !== undefined && html`<p class="raw"><a href="${link('/files', ask)}">The next ${formatCount(items.length)}</a></p>`}`,
  })
}
