/** The tags of a repository: a chart of their sizes, and each tag with its predecessor. */
import { html, raw } from 'hono/html'
import { drawChart } from '../badge/chart.ts'
import { visible } from '../formats/escape.ts'
import type { ImageIdentity } from '../image/report.ts'
import type { Problem } from '../problem.ts'
import { FIGURES } from '../text/figures.ts'
import { counted, formatDelta } from '../text/format.ts'
import { compareLayers, type StoredLayer } from '../update/layers.ts'
import { diffLink } from './diff/address.ts'
import { type ImageParameters, reportLink } from './image-links.ts'
import { type Html, link, measured, name, page, size, table } from './page.ts'

export type TagRow = { readonly name: string } & (
  | {
      readonly compressedBytes: number
      readonly created?: string
      readonly digest: string
      readonly stored: readonly StoredLayer[]
    }
  | { readonly problem: Problem }
)

export type TagsView = {
  /** `registry/repository` */
  readonly repository: string
  /** The tag that the reader comes from. */
  readonly tag: string | undefined
  readonly platform: string | undefined
  /** In natural order, the newest last. */
  readonly tags: readonly TagRow[]
  /** The most that are shown. */
  readonly limit: number
}

/** Widths of the chart on a desktop and on a phone. Letters keep their size, so there are two charts, one of which is shown. */
const CHARTS = { wide: 1100, narrow: 320 }

type Sized = Extract<TagRow, { readonly compressedBytes: number }>
type Beside = { readonly row: TagRow; readonly before: Sized | undefined }

export function tagsPage(view: TagsView): Html {
  const { repository, tag, platform } = view
  return page({
    title: `Tags of ${repository}`,
    main: html`<div class="heading">
<p class="place">${visible(repository)}</p>
<h1>Tags</h1>
${tag !== undefined && html`<p class="facts"><a href="${reportLink({ image: `${repository}:${tag}`, platform })}">Report of ${visible(tag)}</a></p>`}
</div>
${tagsOf(view)}`,
  })
}

function tagsOf({ repository, tag, platform, tags, limit }: TagsView): Html {
  const sized = tags.filter(isSized)
  const largest = Math.max(0, ...sized.map(({ compressedBytes }) => compressedBytes))
  const parameters = (of: string) => ({ image: `${repository}:${of}`, platform })
  const rows = tags.map((row, at): Beside => ({ row, before: tags.slice(0, at).findLast(isSized) })).reverse()
  const compare = (row: TagRow, before: Sized | undefined) =>
    isSized(row) && before
      ? html`<a href="${diffLink({ from: parameters(before.name), to: parameters(row.name) })}">Compare <span class="hidden-text">${visible(row.name)} </span>with ${visible(before.name)}</a>`
      : ''
  const points = sized.map(({ name, compressedBytes }) => ({ name, bytes: compressedBytes }))
  return html`<div class="tags" data-loaded>
${
  points.length > 1 &&
  html`<div class="chart">${Object.entries(CHARTS).map(([name, width]) => html`<div class="${name}">${raw(drawChart(points, { label: FIGURES.compressed.label, width }))}</div>`)}</div>`
}
${sized.length > 1 && compareForm(sized, parameters)}
${table<Beside>({
  caption: '',
  label: `Tags of ${repository}`,
  none: 'The repository has no tags.',
  rows,
  columns: [
    {
      head: 'Tag',
      kind: 'path',
      cell: ({ row, before }) =>
        html`<a href="${reportLink(parameters(row.name))}" ${row.name === tag ? html`aria-current="page"` : ''}>${name(row.name)}</a><div class="under narrow">${compare(row, before)}</div>`,
    },
    {
      head: 'Created',
      isMinor: true,
      cell: ({ row }) => (isSized(row) && row.created !== undefined ? visible(row.created.slice(0, 10)) : ''),
    },
    {
      head: FIGURES.compressed.short,
      kind: 'number',
      cell: ({ row }) =>
        isSized(row)
          ? measured(size(row.compressedBytes), row.compressedBytes, largest)
          : html`<span class="quiet">${visible('problem' in row ? row.problem.title : '')}</span>`,
    },
    {
      head: 'Change',
      kind: 'number',
      cell: ({ row, before }) => (isSized(row) && before ? growth(row, before) : ''),
    },
    {
      head: 'Pulls',
      kind: 'number',
      isMinor: true,
      cell: ({ row, before }) => (isSized(row) && before ? pullOf(row, before) : ''),
    },
    {
      head: html`<span class="hidden-text">Comparison</span>`,
      isMinor: true,
      cell: ({ row, before }) => compare(row, before),
    },
  ],
})}
${tags.length === limit && html`<p class="raw">The last ${counted(limit, 'tag')} by name: <a href="${link('/v1/images', { repository })}">all as JSON</a></p>`}
${tags.length > 0 && html`<p class="raw"><a href="${link('/storage', { repository })}">What the tags store, and what deleting some frees</a></p>`}
</div>`
}

/** Any two of them; at first the newest with the one before it. */
function compareForm(sized: readonly Sized[], parameters: (tag: string) => ImageParameters): Html {
  const newest = sized.length - 1
  const options = (chosen: number) =>
    sized.map(
      ({ name: tag }, at) =>
        html`<option value="${parameters(tag).image}" ${at === chosen ? html`selected` : ''}>${visible(tag)}</option>`,
    )
  const { platform } = parameters('')
  return html`<form class="find" action="/" aria-label="Compare two tags">
<label>Compare <select name="from">${options(newest - 1)}</select></label>
<label>with <select name="to">${options(newest)}</select></label>
${platform !== undefined && html`<input type="hidden" name="fromPlatform" value="${visible(platform)}"><input type="hidden" name="toPlatform" value="${visible(platform)}">`}
<button>Compare</button></form>`
}

function isSized(row: TagRow): row is Sized {
  return 'compressedBytes' in row
}

function growth(row: Sized, before: Sized): Html {
  const delta = row.compressedBytes - before.compressedBytes
  const same = row.digest === before.digest ? 'same image' : '0 B'
  return html`<span class="${delta > 0 ? 'more' : delta < 0 ? 'less' : 'quiet'}">${delta === 0 ? same : formatDelta(delta)}</span>`
}

/** What a machine with the tag before downloads. */
function pullOf(row: Sized, before: Sized): Html {
  const { pull } = compareLayers(before.stored, row.stored)
  return pull.bytes === 0 ? html`<span class="quiet">nothing</span>` : size(pull.bytes)
}

/** Where an image can have other tags: loaded when opened, since the registry is asked for each. */
export function tagsLink({
  registry,
  repository,
  tag,
  platform,
  indexDigest,
}: ImageIdentity): string | undefined {
  if (registry === undefined || repository === undefined) return undefined
  return link('/tags', {
    repository: `${registry}/${repository}`,
    tag,
    platform: indexDigest === undefined ? undefined : platform,
  })
}
