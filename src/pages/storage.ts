/** What the tags of a repository store: a bar for each, and what deleting those that a reader ticks frees. Deletes nothing. */
import { html } from 'hono/html'
import { visible } from '../formats/escape.ts'
import { storageHeadline } from '../formats/storage-view.ts'
import type { Reclaim, SharingGroup, StorageItem, StorageTotal, StoredTag } from '../storage/storage.ts'
import { counted } from '../text/format.ts'
import { deletionLines, freedSentence } from './assets/deletion.js'
import { reportLink } from './image-links.ts'
import { copyButton, type Html, link, name, page, size, table } from './page.ts'

export type StoragePageView = {
  /** `registry/repository` */
  readonly repository: string
  readonly total: StorageTotal
  readonly items: readonly StorageItem[]
  readonly groups: readonly SharingGroup[]
  readonly reclaim: Reclaim | undefined
  readonly asked: StorageForm
}

/** What the reader has filled in. */
export type StorageForm = {
  readonly tag?: readonly string[] | undefined
  readonly delete?: readonly string[] | undefined
  readonly keep?: number | undefined
}

const TOOLS = ['crane', 'skopeo'] as const

export function storagePage(view: StoragePageView): Html {
  const { repository, total, asked } = view
  return page({
    title: `Storage of ${repository}`,
    scripts: ['storage.js'],
    main: html`<div class="heading">
<p class="place">${visible(repository)}</p>
<h1>Storage</h1>
<p class="facts">${storageHeadline({ total })}</p>
</div>
${!total.complete && html`<p class="caption">Not all tags could be read: others may share more, and deleting tags may free less.</p>`}
<form class="find" action="/storage" aria-label="Tags to delete">
<input type="hidden" name="repository" value="${visible(repository)}">
<label>Delete <input name="delete" placeholder="pr-*" value="${visible(asked.delete?.join(' ') ?? '')}"></label>
<label>but keep the newest <input name="keep" inputmode="numeric" pattern="[0-9]{1,5}" size="5" value="${asked.keep ?? ''}"></label>
<button>Tick</button></form>
${deletion(view)}
${tagList(view)}
<p class="raw"><a href="${link('/v1/storage', { repository })}">As JSON</a></p>`,
  })
}

/** What ticked tags free, and how to delete them. */
function deletion({ repository, items, reclaim }: StoragePageView): Html {
  const going = new Set(reclaim?.tags)
  const tags = items.filter(isStored).map(({ name, digest }) => ({ name, digest, goes: going.has(name) }))
  const lines = (tool: (typeof TOOLS)[number]) => deletionLines(tool, repository, tags)
  return html`<section aria-labelledby="deletion"><h2 id="deletion">Deleting tags</h2>
${TOOLS.map(
  (tool) => html`<details ${going.size === 0 ? html`hidden` : ''}><summary>Lines for ${tool}</summary>
<div class="copyable"><pre id="lines-${tool}" data-tool="${tool}">${lines(tool)}</pre>
${copyButton(`lines-${tool}`, `the lines for ${tool}`)}</div></details>
`,
)}<p class="quiet">This page deletes nothing: run the lines yourself, then the registry’s garbage collection.</p>
</section>`
}

function tagList({ repository, items, groups, reclaim }: StoragePageView): Html {
  const going = new Set(reclaim?.tags)
  const most = Math.max(1, ...items.filter(isStored).map(({ bytes }) => bytes))
  return html`<section aria-labelledby="tags" data-repository="${visible(repository)}" data-groups="${JSON.stringify(groups.map(({ tags, bytes }) => [tags, bytes]))}">
<h2 id="tags">Tags</h2>
<p class="freed" role="status" data-freed>${freedSentence(going.size, reclaim?.bytes ?? 0)}</p>
${table<StorageItem>({
  caption: 'Bars: all that a tag stores, and in orange what no other tag needs',
  none: 'The repository has no tags.',
  rows: items,
  columns: [
    {
      head: 'Tag',
      kind: 'path',
      cell: (item, index) =>
        html`${isStored(item) && tick(item, index, going.has(item.name))} ${tagName(repository, item)}`,
    },
    {
      head: 'Created',
      isMinor: true,
      cell: (item) =>
        isStored(item) && item.created !== undefined ? visible(item.created.slice(0, 10)) : '',
    },
    {
      head: 'Size',
      kind: 'number',
      cell: (item) =>
        isStored(item)
          ? html`<div class="measured">${bar(item, most)}<span>${size(item.bytes)}</span></div>`
          : html`<span class="quiet">${visible('problem' in item ? item.problem.title : '')}</span>`,
    },
    { head: 'Unique', kind: 'number', cell: (item) => (isStored(item) ? size(item.uniqueBytes) : '') },
    {
      head: 'Shared',
      kind: 'number',
      isMinor: true,
      cell: (item) => (isStored(item) ? size(item.sharedBytes) : ''),
    },
  ],
})}</section>`
}

function tagName(repository: string, { name: tag }: StorageItem): Html {
  return html`<a href="${reportLink({ image: `${repository}:${tag}` })}">${name(tag)}</a>`
}

function tick({ name: tag, digest }: StoredTag, index: number, goes: boolean): Html {
  return html`<input type="checkbox" class="scripted" aria-label="Delete ${visible(tag)}" value="${visible(tag)}" data-digest="${digest}" data-place="${index}" ${goes ? html`checked` : ''}>`
}

function bar({ bytes, uniqueBytes }: StoredTag, most: number): Html {
  const width = (part: number) => `${((100 * part) / most).toFixed(2)}%`
  return html`<svg class="bar layer" aria-hidden="true"><rect width="${width(bytes)}" height="100%"/><rect class="waste" width="${width(uniqueBytes)}" height="100%"/></svg>`
}

function isStored(item: StorageItem): item is StoredTag {
  return !('problem' in item)
}

/** While tags are read: the page asks again by itself, and each time reads on. */
export function storageProgressPage(
  repository: string,
  tags: { readonly done: number; readonly all: number },
): Html {
  const { done, all } = tags
  return page({
    title: `Storage of ${repository}`,
    head: html`<meta http-equiv="refresh" content="1">`,
    main: html`<div class="heading">
<p class="place">${visible(repository)}</p>
<h1>Storage</h1></div>
<section class="waiting"><h2 id="reading">Reading the tags</h2>
<progress aria-labelledby="reading" value="${done}" max="${all}"></progress>
<p role="status">${done.toLocaleString('en')} of ${counted(all, 'tag')} read</p></section>`,
  })
}
