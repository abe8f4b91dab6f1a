/** The file browser: directories, searches, and files with their content and versions. This page lists a directory. */
import { html } from 'hono/html'
import type { TreeNode } from '../../image/tree.ts'
import { counted, formatBytes, formatCount } from '../../text/format.ts'
import { filesLink } from '../image-links.ts'
import { type Html, measured, name, page, size, table } from '../page.ts'
import { type About, downloadsOf, headOf, searchForm } from './about.ts'
import { entryOf } from './icon.ts'

/** One page of a directory's content. */
export function directoryPage({
  about,
  tree,
  isFirst,
  next,
}: {
  readonly about: About
  readonly tree: TreeNode
  readonly isFirst: boolean
  /** Where the next page begins. */
  readonly next: string | undefined
}): Html {
  const { parameters, layer, sort } = about
  const { children: rows = [] } = tree
  const largest = Math.max(0, ...rows.map(({ bytes }) => bytes))
  const order = (text: string, by: About['sort']) =>
    html`<a href="${filesLink(parameters, tree, { layer, sort: by })}" ${sort === by ? html`aria-current="true"` : ''}>${text}</a>`
  return page({
    title: `/${tree.path} · ${about.identity.reference}`,
    main: html`${headOf(about, tree)}
${searchForm(about, tree)}
<p class="sum"><strong>${formatBytes(tree.bytes)}</strong> in ${counted(tree.files, 'file')}
${layer === undefined && downloadsOf(about, tree)}</p>
${table<TreeNode>({
  caption: '',
  label: 'What is in the directory',
  none: 'The directory is empty.',
  rows,
  columns: [
    {
      head: order('Name', 'name'),
      kind: 'path',
      cell: (row) =>
        entryOf(
          row.type,
          html`<a href="${filesLink(parameters, row, { layer })}">${name(`${row.path.slice(row.path.lastIndexOf('/') + 1)}${row.type === 'directory' ? '/' : ''}`)}</a>`,
        ),
    },
    {
      head: order('Size', 'bytes'),
      kind: 'number',
      cell: ({ bytes }) => measured(size(bytes), bytes, largest),
    },
    {
      head: 'Files',
      kind: 'number',
      cell: ({ type, files }) => (type === 'directory' ? formatCount(files) : ''),
    },
    { head: 'Type', isMinor: true, cell: ({ type }) => type },
  ],
})}
${
  (!isFirst || next !== undefined) &&
  html`<p class="raw pages">${!isFirst && html`<a href="${filesLink(parameters, tree, { layer, sort })}">First page</a>`}
${next !== undefined && html`<a href="${filesLink(parameters, tree, { layer, sort, at: next })}" rel="next">Next page, ${sort === 'bytes' ? 'smaller items' : 'by name'}</a>`}</p>`
}`,
  })
}
