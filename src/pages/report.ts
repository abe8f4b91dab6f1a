/** The page about one image. */
import { html } from 'hono/html'
import type { Advice } from '../advice/advise.ts'
import { whoseOf } from '../base/whose.ts'
import { viewAdvice } from '../formats/advice-view.ts'
import type { StandsOn } from '../formats/base-view.ts'
import { visible } from '../formats/escape.ts'
import { verdictSentence } from '../formats/report-view.ts'
import type { Area } from '../image/areas.ts'
import { shortName, sourceName } from '../image/identity.ts'
import type {
  DuplicateGroup,
  ImageIdentity,
  Package,
  Report,
  SizedPath,
  Warning,
  WastedFile,
} from '../image/report.ts'
import { isPullKnown, UNKNOWN_PULL } from '../image/stored.ts'
import type { TreemapColour } from '../service/images/treemap.ts'
import { FIGURES } from '../text/figures.ts'
import { counted, formatBytes, formatCount, formatPercent } from '../text/format.ts'
import { adopted } from './adopt.ts'
import { attachedLink } from './attached.ts'
import { fold } from './fold.ts'
import { askForm } from './form.ts'
import {
  filesLink,
  type ImageParameters,
  namedLink,
  parametersOf,
  pathLink,
  permanentParametersOf,
  reportLink,
} from './image-links.ts'
import { layersOf } from './layers.ts'
import { ownedBar } from './owned.ts'
import {
  copyButton,
  type Figure,
  figures,
  type Html,
  type HtmlColumn,
  link,
  measured,
  name,
  page,
  size,
  table,
} from './page.ts'
import { savings, whoseTag } from './savings.ts'
import { sizesLink } from './sizes.ts'
import { tagsLink } from './tags.ts'
import { mapFigure } from './treemap/figure.ts'

/** A report with the first rows of its tables. */
export type ReportView = {
  readonly report: Report
  /** The largest, in descending order. */
  readonly waste: readonly WastedFile[]
  /** Those that waste most, in descending order. */
  readonly duplicates: readonly DuplicateGroup[]
  /** Those that are largest, in descending order. */
  readonly packages: readonly Package[]
  readonly advice: Advice
  readonly runs: Runs
  /** Of the directory that the treemap shows. */
  readonly areas: Area
  readonly colour: TreemapColour
  /** Absent if it was not found in time. */
  readonly base: StandsOn | undefined
  /** `scheme://host[:port]` at which this service is reached. */
  readonly origin: string
}

/** What the config says of a container's start. */
export type Runs = {
  readonly entrypoint?: readonly string[] | undefined
  readonly cmd?: readonly string[] | undefined
  readonly user?: string | undefined
  readonly workingDir?: string | undefined
  readonly ports: readonly string[]
  readonly configBytes: number
}

export function reportPage(view: ReportView): Html {
  const { report, origin, advice, areas, base, colour } = view
  const { image } = report
  const parameters = parametersOf(image)
  const shownAdvice = viewAdvice(advice, report.size.fileBytes)
  return page({
    title: image.reference,
    preview: {
      description: verdictSentence(report, shownAdvice),
      picture: `${origin}${link('/v1/report', { ...parameters, format: 'svg' })}`,
    },
    scripts: ['map.js', 'badge.js'],
    main: html`<div class="heading" data-looked="${visibleName(image)}">
<p class="place">${visible(sourceName(image))}</p>
<h1>${visibleName(image)}</h1>
${identityFacts(image)}
${others(view)}
</div>
<p class="headline">${verdictSentence(report, shownAdvice)}</p>
${figures(headline(report))}
${savings(shownAdvice, parameters, base?.layers ?? 0)}
<nav class="contents" aria-label="On this page"><ul>
<li><a href="#map">Treemap</a></li><li><a href="#layers">Layers</a></li><li><a href="#largest">Largest</a></li><li><a href="#waste">Waste</a></li>
<li><a href="#duplicates">Duplicates</a></li><li><a href="#packages">Packages</a></li><li><a href="#runs">How it runs</a></li><li><a href="#attached">Attached</a></li>
${report.warnings.length > 0 && html`<li><a href="#warnings">Warnings</a></li>`}
<li><a href="#adopt">Badge and gate</a></li><li><a href="#raw">Raw data</a></li>
</ul></nav>
<section id="map"><h2>Where the bytes are</h2>
${mapFigure({ parameters, top: areas, colour })}
${ownedBar(report)}
</section>
${fold({ id: 'layers', title: 'Size by layer', state: 'open', content: layersOf(report, advice) })}
${fold({
  id: 'largest',
  title: 'The largest',
  note: 'directories and files',
  content: html`<div class="pair"><div>${sizedTable('Largest directories with everything below them', 'No directories.', report.largestDirectories, parameters)}</div>
<div>${sizedTable('Largest files', 'No files.', report.largestFiles, parameters)}</div></div>`,
})}
${wasteSection(view)}
${duplicatesSection(view)}
${packagesSection(view)}
${runsSection(view)}
${attachedSection(parameters)}
${warningsSection(report.warnings, parameters)}
${adopted(report, origin)}
${fold({
  id: 'raw',
  title: 'Raw data',
  note: 'JSON, SBOM, tar',
  content: html`<ul class="plain">${RAW.map(([path, what]) => html`<li><a href="${link(path, parameters)}">${what}</a></li>`)}</ul>`,
})}
<section><h2>Look at another image</h2>
${askForm({ image: image.reference, platform: image.indexDigest && image.platform })}
</section>`,
  })
}

const RAW = [
  ['/v1/report', 'Report'],
  ['/v1/files', 'Files'],
  ['/v1/tree', 'Tree'],
  ['/v1/waste', 'Waste'],
  ['/v1/duplicates', 'Duplicates'],
  ['/v1/packages', 'Packages'],
  ['/v1/advice', 'Advice'],
  ['/v1/base', 'Base image'],
  ['/v1/attached', 'Attached'],
  ['/v1/sbom', 'SBOM'],
  ['/v1/export', 'File system as a tar'],
  ['/v1/config', 'Config'],
  ['/v1/dockerfile', 'Dockerfile'],
  ['/v1/platforms', 'Platforms'],
] as const

/** The image's short name; its registry and repository are shown above. */
export function visibleName(image: ImageIdentity): string {
  return visible(shortName(image))
}

function identityFacts(image: ImageIdentity): Html {
  const { platform, created, digest } = image
  return html`<div class="facts"><span>${visible(platform)}</span>
${created !== undefined && html`<span>Built <time datetime="${visible(created)}">${visible(created.slice(0, 10))}</time></span>`}
<span class="digest" id="digest">${name(digest)}</span>${copyButton('digest', 'the digest')}
<a href="${reportLink(permanentParametersOf(image))}">Permanent link</a>
<a href="${filesLink(parametersOf(image), { path: '' })}">Files</a></div>`
}

/** What the image stands on, and how much of it is its own. */
function baseLine({ base, report: { image } }: ReportView): Html {
  const details = link('/v1/base', { ...parametersOf(image), format: 'text' })
  if (base === undefined)
    return html`<span class="stands-on">The base image could not be found in time: <a href="${details}">ask for it</a></span>`
  const { sentence, reference } = base
  const markup = sentence.map((piece) => (typeof piece === 'string' ? piece : name(piece.name)))
  const page = reference === undefined ? details : reportLink({ image: reference, platform: image.platform })
  return html`<span class="stands-on">${markup}. <a href="${page}">${reference === undefined ? 'Details' : 'Look at it'}</a></span>`
}

/** The base, and other images that a reader may want to see: loaded when opened, since the registry is asked for each of them. */
function others(view: ReportView): Html {
  const { image } = view.report
  const { reference, indexDigest, platform } = image
  const tags = tagsLink(image)
  const platforms = indexDigest && link('/platforms', { image: reference, platform })
  const sizes = sizesLink(parametersOf(image))
  return html`<div class="others">
${baseLine(view)}
${
  tags !== undefined &&
  html`<details data-load="${tags}"><summary>Other tags, and what changed since the previous one</summary><p class="load"><a href="${tags}">Tags of this repository</a></p></details>`
}
${
  platforms !== undefined &&
  html`<details data-load="${platforms}"><summary>Other platforms</summary><p class="load"><a href="${platforms}">Platforms of this reference</a></p></details>`
}
<details data-load="${sizes}"><summary>Why does docker say something else?</summary><p class="load"><a href="${sizes}">What tools say of its size</a></p></details>
</div>`
}

/** The registry is asked when it is opened. */
function attachedSection(parameters: ImageParameters): Html {
  const load = attachedLink(parameters)
  return fold({
    id: 'attached',
    title: 'Attached',
    note: 'signatures, attestations, SBOMs',
    load,
    content: html`<p class="load"><a href="${load}">What is attached to this image</a></p>`,
  })
}

function headline({ image, size: sizes, counts, waste, duplicates, efficiency }: Report): Figure[] {
  const wasted = sizes.fileBytes > 0 ? (100 * waste.bytes) / sizes.fileBytes : 0
  return [
    isPullKnown(image, sizes.stored)
      ? { label: FIGURES.compressed.label, value: size(sizes.compressedBytes), note: 'to pull' }
      : { label: FIGURES.compressed.label, value: '–', note: UNKNOWN_PULL },
    {
      label: FIGURES.uncompressed.label,
      value: sizes.uncompressedBytes === undefined ? '–' : size(sizes.uncompressedBytes),
      note: counted(counts.layers, 'layer'),
    },
    {
      label: FIGURES.fileSystem.label,
      value: size(sizes.apparentBytes),
      note: counted(counts.files, 'file'),
    },
    {
      label: FIGURES.wasted.label,
      value: size(waste.bytes),
      tone: wasted >= 10 ? 'bad' : undefined,
      note: `${formatPercent(wasted)} of all file bytes`,
    },
    {
      label: FIGURES.duplicated.label,
      value: size(duplicates.wastedBytes),
      note: counted(duplicates.groups, 'file with copies', 'files with copies'),
    },
    {
      label: FIGURES.efficiency.label,
      value: formatPercent(100 * efficiency.score),
      note: "dive's score",
    },
  ]
}

function sizedTable(
  caption: string,
  none: string,
  rows: readonly SizedPath[],
  parameters: ImageParameters,
): Html {
  const largest = rows[0]?.bytes ?? 0
  const columns: HtmlColumn<SizedPath>[] = [
    { head: 'Path', kind: 'path', cell: (row) => pathLink(parameters, row) },
    { head: 'Size', kind: 'number', cell: ({ bytes }) => measured(size(bytes), bytes, largest) },
  ]
  return table({ caption, none, columns, rows })
}

const REASONS: Readonly<Record<WastedFile['reason'], string>> = {
  removed: 'removed',
  replaced: 'replaced',
  metadataOnly: 'metadata only',
}

function wasteSection({ report: { waste, image }, waste: rows, base }: ReportView): Html {
  const content = html`<p>Files that a later layer removed or replaced: every pull transfers them, but no container sees them. Squashing the image would save ${formatBytes(waste.bytes)}.</p>
${
  waste.files > 0 &&
  html`<ul class="plain">
<li><strong>${size(waste.removed.bytes)}</strong> removed, ${counted(waste.removed.files, 'file')}</li>
<li><strong>${size(waste.replaced.bytes)}</strong> replaced, ${counted(waste.replaced.files, 'file')}</li>
<li><strong>${size(waste.metadataOnly.bytes)}</strong> only chmod, chown or touch, ${counted(waste.metadataOnly.files, 'file')}</li>
</ul>`
}
${table<WastedFile>({
  caption: 'The largest hidden files',
  none: 'No layer hides a file of a lower layer.',
  rows,
  columns: [
    { head: 'Path', kind: 'path', cell: (row) => pathLink(parametersOf(image), row, row.layer) },
    {
      head: 'Size',
      kind: 'number',
      cell: ({ bytes }) => measured(size(bytes), bytes, rows[0]?.bytes ?? 0, 'waste'),
    },
    { head: 'In layer', isMinor: true, kind: 'number', cell: ({ layer }) => layer },
    { head: 'Hidden by', kind: 'number', cell: ({ byLayer }) => byLayer },
    { head: 'How', cell: ({ reason }) => REASONS[reason] },
    ...whoseColumn(base?.layers ?? 0),
  ],
})}
${more(waste.files, rows.length, '/v1/waste', image)}`
  return fold({ id: 'waste', title: 'Waste', note: formatBytes(waste.bytes), content })
}

/** Absent without a base, on which it would stand. */
function whoseColumn(baseLayers: number): readonly HtmlColumn<WastedFile>[] {
  if (baseLayers === 0) return []
  return [{ head: 'Whose', cell: (row) => whoseTag(whoseOf(row, baseLayers)) }]
}

function duplicatesSection({ report: { duplicates, image }, duplicates: rows }: ReportView): Html {
  const content = html`${table<DuplicateGroup>({
    caption: 'Files with the same content',
    none: 'No two files have the same content.',
    rows,
    columns: [
      {
        head: 'Paths',
        kind: 'path',
        cell: ({ paths, count }) =>
          html`${paths.slice(0, 3).map((path) => html`<div>${pathLink(parametersOf(image), path)}</div>`)}${
            count > 3 &&
            html`<span class="quiet">and ${counted(count - Math.min(3, paths.length), 'other')}</span>`
          }`,
      },
      { head: 'Each', kind: 'number', cell: ({ bytes }) => size(bytes) },
      { head: 'Copies', kind: 'number', cell: ({ count }) => count },
      {
        head: FIGURES.wasted.short,
        kind: 'number',
        cell: ({ wastedBytes }) =>
          measured(size(wastedBytes), wastedBytes, rows[0]?.wastedBytes ?? 0, 'waste'),
      },
    ],
  })}
${more(duplicates.groups, rows.length, '/v1/duplicates', image)}`
  return fold({ id: 'duplicates', title: 'Duplicates', note: formatBytes(duplicates.wastedBytes), content })
}

function packagesSection({ report: { packages, image }, packages: rows }: ReportView): Html {
  const largest = rows[0]?.bytes ?? 0
  const content = html`${
    packages.total > 0 &&
    html`<ul class="plain">${Object.entries(packages.byType).map(
      ([type, count]) => html`<li><strong>${formatCount(count)}</strong> ${type}</li>`,
    )}</ul>`
  }
${table<Package>({
  caption: 'The largest packages, by the size of their own files',
  none: 'No supported package database found.',
  rows,
  columns: [
    {
      head: 'Package',
      kind: 'path',
      cell: ({ name: text, path }) =>
        path === undefined
          ? html`<a href="${namedLink(parametersOf(image), text)}">${name(text)}</a>`
          : html`${name(text)}<div class="under">${pathLink(parametersOf(image), { path })}</div>`,
    },
    { head: 'Version', kind: 'text', cell: ({ version = '' }) => name(version) },
    { head: 'Type', isMinor: true, cell: ({ type }) => type },
    { head: 'Layer', isMinor: true, kind: 'number', cell: ({ layer }) => layer },
    {
      head: 'Size',
      kind: 'number',
      cell: ({ bytes }) =>
        bytes === undefined
          ? html`<span class="quiet">unknown</span>`
          : measured(size(bytes), bytes, largest),
    },
  ],
})}
${more(packages.total, rows.length, '/v1/packages', image)}`
  return fold({ id: 'packages', title: 'Packages', note: formatCount(packages.total), content })
}

/** How a container of it starts. */
function runsSection({ runs, report: { image } }: ReportView): Html {
  const rows: readonly (readonly [string, Html | string])[] = [
    ['Entrypoint', commandOf(runs.entrypoint)],
    ['Command', commandOf(runs.cmd)],
    ['User', runs.user ? name(runs.user) : 'root'],
    ['Directory', name(runs.workingDir || '/')],
    ['Ports', runs.ports.length === 0 ? 'none' : html`${runs.ports.map((port) => html`${name(port)} `)}`],
    ['Config', size(runs.configBytes)],
    ['Image ID', name(image.id)],
  ]
  return fold({
    id: 'runs',
    title: 'How it runs',
    note: 'entrypoint, user, ports',
    content: html`<dl class="runs">${rows.map(([what, value]) => html`<dt>${what}</dt><dd>${value}</dd>`)}</dl>`,
  })
}

function commandOf(words: readonly string[] = []): Html | string {
  return words.length === 0 ? 'none' : name(JSON.stringify(words))
}

function warningsSection(warnings: readonly Warning[], parameters: ImageParameters): Html | '' {
  if (warnings.length === 0) return ''
  const content = html`${table<Warning>({
    caption: 'Unusual things in the layers; none of them stops the analysis',
    none: '',
    rows: warnings,
    columns: [
      { head: 'Warning', cell: ({ code }) => html`<code>${code}</code>` },
      { head: 'Places', kind: 'number', cell: ({ count }) => formatCount(count) },
      { head: 'Layer', kind: 'number', cell: ({ layer }) => layer ?? '' },
      {
        head: 'First parameters',
        kind: 'path',
        cell: ({ path, pathBase64, layer }) =>
          path === undefined ? '' : pathLink(parameters, { path, pathBase64 }, layer),
      },
    ],
  })}
`
  return fold({ id: 'warnings', title: 'Warnings', note: formatCount(warnings.length), content })
}

/** Where the rest of a list is. */
function more(total: number, shown: number, path: string, { reference, platform }: ImageIdentity): Html | '' {
  if (total <= shown) return ''
  const all = link(path, { image: reference, platform })
  return html`<p class="raw">${formatCount(shown)} of ${formatCount(total)}: <a href="${all}">all as JSON</a></p>`
}
