/** The page of two images. */
import { html } from 'hono/html'
import type { FileChange } from '../diff/change.ts'
import type { ConfigChange } from '../diff/config.ts'
import type { DirectoryChange } from '../diff/directories.ts'
import type { StepChange } from '../diff/history.ts'
import type { LayerDiff } from '../diff/layers.ts'
import type { PackageChange } from '../diff/packages.ts'
import type { Comparison, Diff } from '../diff/summary.ts'
import { visible } from '../formats/escape.ts'
import { placeName } from '../image/identity.ts'
import { buildStep } from '../oci/build-step.ts'
import { formatCount, formatDelta, formatFigure } from '../text/format.ts'
import { askForm } from './form.ts'
import {
  counted,
  exactBytes,
  type Figure,
  figures,
  type Html,
  link,
  measured,
  name,
  page,
  size,
  table,
} from './page.ts'
import { visibleName } from './report.ts'

export function diffPage(diff: Diff): Html {
  const { from, to } = diff
  const ask = {
    from: from.reference,
    to: to.reference,
    fromPlatform: from.indexDigest && from.platform,
    toPlatform: to.indexDigest && to.platform,
  }
  return page({
    title: `${visibleName(from)} → ${visibleName(to)}`,
    main: html`<div class="heading">
<p class="place">${visible(placeName(from) === placeName(to) ? placeName(to) : `${placeName(from)} → ${placeName(to)}`)}</p>
<h1>${visibleName(from)} <span class="arrow">→</span> ${visibleName(to)}</h1>
<p class="facts"><span>${visible(from.platform === to.platform ? to.platform : `${from.platform} → ${to.platform}`)}</span>
<a href="${link('/', { image: from.reference, platform: ask.fromPlatform })}">Report of the first</a>
<a href="${link('/', { image: to.reference, platform: ask.toPlatform })}">Report of the second</a></p>
</div>
${diff.identical && html`<p class="none">Both images are the same: their files, with their times, and their configs.</p>`}
${figures(headline(diff))}
<nav class="contents" aria-label="On this page"><ul>
<li><a href="#sizes">Sizes</a></li><li><a href="#directories">Directories</a></li><li><a href="#files">Files</a></li>
<li><a href="#packages">Packages</a></li><li><a href="#layers">Layers</a></li><li><a href="#config">Config</a></li>
<li><a href="#raw">Raw data</a></li>
</ul></nav>
<section id="sizes"><h2>Sizes</h2>${sizeTable(diff)}</section>
<section id="directories"><h2>Where it grew and shrank</h2>${directoryTable(diff.files.directories)}</section>
<section id="files"><h2>Files</h2>${fileTable(diff.files.largest)}
<p class="raw"><a href="${link('/v1/diff/files', ask)}">All changed paths as JSON</a></p></section>
<section id="packages"><h2>Packages</h2>${packageTables(diff.packages)}</section>
<section id="layers"><h2>Layers</h2>${layerTables(diff.layers)}</section>
<section id="config"><h2>Config and history</h2>${configTable(diff.config)}${historyTable(diff.history)}</section>
<section id="raw"><h2>Raw data</h2>
<ul class="plain"><li><a href="${link('/v1/diff', ask)}">Diff</a></li><li><a href="${link('/v1/diff/files', ask)}">Changed paths</a></li>
<li><a href="${link('/v1/diff', { ...ask, format: 'markdown' })}">Markdown for a pull request</a></li></ul></section>
<section><h2>Compare others</h2>${askForm({ image: to.reference, baseline: from.reference })}</section>`,
  })
}

function headline({ size: sizes, files: { counts, bytes } }: Diff): Figure[] {
  const grown = (label: string, { from, to, delta }: Comparison): Figure => ({
    label,
    value: delta === 0 ? 'the same' : formatDelta(delta),
    tone: toneOf(delta),
    note: html`${size(from)} → ${size(to)}`,
  })
  return [
    grown('To download', sizes.compressedBytes),
    grown('Unpacked', sizes.uncompressedBytes),
    { label: 'Added', value: formatCount(counts.added), note: html`paths, ${size(bytes.added)}` },
    { label: 'Removed', value: formatCount(counts.removed), note: html`paths, ${size(bytes.removed)}` },
    {
      label: 'Modified',
      value: formatCount(counts.modified),
      note: `${formatCount(counts.contentModified)} in content`,
    },
  ]
}

/** Smaller is better; what did not move has no colour. */
function toneOf(delta: number): 'good' | 'bad' | undefined {
  if (delta === 0) return undefined
  return delta < 0 ? 'good' : 'bad'
}

function deltaOf(bytes: number): Html {
  const exact = `${bytes > 0 ? '+' : ''}${exactBytes(bytes)}`
  return html`<data value="${bytes}" title="${exact}" class="${toneOf(bytes) ?? 'quiet'}">${formatDelta(bytes)}</data>`
}

function sizeTable({ size: sizes, waste, counts }: Diff): Html {
  const rows: (readonly [string, Comparison, (value: number) => Html | string])[] = [
    ['To download, compressed', sizes.compressedBytes, size],
    ['Unpacked layers', sizes.uncompressedBytes, size],
    ['File system', sizes.rootfsBytes, size],
    ['Wasted', waste, size],
    ['Layers', counts.layers, formatCount],
    ['Files', counts.files, formatCount],
  ]
  return table({
    caption: 'Figures before and after',
    none: '',
    rows,
    columns: [
      { head: 'What', cell: ([what]) => what },
      { head: 'Before', kind: 'number', cell: ([, { from }, show]) => show(from) },
      { head: 'After', kind: 'number', cell: ([, { to }, show]) => show(to) },
      {
        head: 'Change',
        kind: 'number',
        cell: ([, { delta }, show]) =>
          show === size
            ? deltaOf(delta)
            : html`<span class="quiet">${delta > 0 && '+'}${formatCount(delta)}</span>`,
      },
      { head: 'Percent', kind: 'number', cell: ([, pair]) => percent(pair) },
    ],
  })
}

function percent({ from, delta }: Comparison): string {
  if (from === 0 || delta === 0) return '–'
  return `${delta > 0 ? '+' : ''}${formatFigure((100 * delta) / from)} %`
}

function directoryTable(rows: readonly DirectoryChange[]): Html {
  const largest = Math.abs(rows[0]?.delta ?? 0)
  return table<DirectoryChange>({
    caption: 'Directories with all below them, the largest change first',
    none: 'No directory changed in size.',
    rows,
    columns: [
      { head: 'Directory', kind: 'path', cell: ({ path }) => name(path) },
      {
        head: 'Change',
        kind: 'number',
        cell: ({ delta }) => measured(deltaOf(delta), delta, largest, barOf(delta)),
      },
      { head: 'Added', kind: 'number', cell: ({ added }) => formatCount(added) },
      { head: 'Removed', kind: 'number', cell: ({ removed }) => formatCount(removed) },
      { head: 'Modified', kind: 'number', cell: ({ modified }) => formatCount(modified) },
    ],
  })
}

function barOf(delta: number): string {
  return delta < 0 ? 'less' : 'waste'
}

function fileTable(rows: readonly FileChange[]): Html {
  const largest = Math.abs(rows[0]?.delta ?? 0)
  return table<FileChange>({
    caption: 'The files that grew or shrank most',
    none: 'No file changed in size.',
    rows,
    columns: [
      { head: 'Path', kind: 'path', cell: ({ path }) => name(path) },
      { head: 'How', cell: ({ change }) => change },
      {
        head: 'Before',
        kind: 'number',
        cell: ({ change, fromBytes }) => (change === 'added' ? '' : size(fromBytes)),
      },
      {
        head: 'After',
        kind: 'number',
        cell: ({ change, toBytes }) => (change === 'removed' ? '' : size(toBytes)),
      },
      {
        head: 'Change',
        kind: 'number',
        cell: ({ delta }) => measured(deltaOf(delta), delta, largest, barOf(delta)),
      },
    ],
  })
}

function packageTables({ added, removed, changed }: Diff['packages']): Html {
  const all = [...changed, ...added, ...removed]
  return table<PackageChange>({
    caption: `${formatCount(changed.length)} in another version, ${formatCount(added.length)} added, ${formatCount(removed.length)} removed`,
    none: 'The same packages in the same versions, or none that a database tells of.',
    rows: all,
    columns: [
      { head: 'Package', kind: 'path', cell: (change) => name(change.name) },
      { head: 'Type', cell: ({ type }) => type },
      {
        head: 'Before',
        kind: 'text',
        cell: ({ from }) => (from === undefined ? absent('added') : name(from)),
      },
      { head: 'After', kind: 'text', cell: ({ to }) => (to === undefined ? absent('removed') : name(to)) },
      {
        head: 'Change',
        kind: 'number',
        cell: ({ deltaBytes }) => (deltaBytes === undefined ? '' : deltaOf(deltaBytes)),
      },
    ],
  })
}

function absent(why: string): Html {
  return html`<span class="quiet">${why}</span>`
}

function layerTables({ shared, removed, added }: LayerDiff): Html {
  const rows = [
    ...removed.map((layer) => ({ ...layer, how: 'removed' })),
    ...added.map((layer) => ({ ...layer, how: 'added' })),
  ]
  return table<(typeof rows)[number]>({
    caption: `${counted(shared.length, 'layer')} in both, ${formatCount(removed.length)} removed, ${formatCount(added.length)} added`,
    none: `All ${counted(shared.length, 'layer')} are in both images.`,
    rows,
    columns: [
      { head: 'How', cell: ({ how }) => how },
      { head: '#', kind: 'number', cell: ({ index }) => index },
      {
        head: 'Step',
        kind: 'path',
        cell: ({ createdBy, digest }) => name(createdBy ? buildStep(createdBy) : digest.slice(0, 19)),
      },
      { head: 'Unpacked', kind: 'number', cell: ({ uncompressedBytes }) => size(uncompressedBytes) },
      { head: 'Compressed', kind: 'number', cell: ({ compressedBytes }) => size(compressedBytes) },
    ],
  })
}

function configTable(rows: readonly ConfigChange[]): Html {
  return table<ConfigChange>({
    caption: 'Fields of the config that differ',
    none: 'The configs say the same.',
    rows,
    columns: [
      { head: 'Field', cell: ({ field }) => name(field) },
      {
        head: 'Before',
        kind: 'text',
        cell: ({ from }) => (from === undefined ? absent('not set') : name(told(from))),
      },
      {
        head: 'After',
        kind: 'text',
        cell: ({ to }) => (to === undefined ? absent('not set') : name(told(to))),
      },
    ],
  })
}

function told(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function historyTable({ added, removed }: Diff['history']): Html | '' {
  const rows = [
    ...removed.map((step) => ({ step, how: 'removed' })),
    ...added.map((step) => ({ step, how: 'added' })),
  ]
  if (rows.length === 0) return ''
  return html`<h3>Build steps</h3>${table<{ step: StepChange; how: string }>({
    caption: 'Steps of the history that only one of the two has',
    none: '',
    rows,
    columns: [
      { head: 'How', cell: ({ how }) => how },
      {
        head: 'Step',
        kind: 'path',
        cell: ({ step }) => name(buildStep(step.createdBy ?? step.comment ?? '')),
      },
      {
        head: 'Unpacked',
        kind: 'number',
        cell: ({ step: { uncompressedBytes } }) =>
          uncompressedBytes === undefined ? '' : size(uncompressedBytes),
      },
    ],
  })}`
}
