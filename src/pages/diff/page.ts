/** The page about two images: what changed, where, and why. */
import { html } from 'hono/html'
import { type ComparedFigure, comparedFigures, countWords, viewDiff } from '../../formats/diff-view.ts'
import { visible } from '../../formats/escape.ts'
import { pullSentence } from '../../formats/update-view.ts'
import { shortName, sourceName } from '../../image/identity.ts'
import type { ImageIdentity } from '../../image/report.ts'
import type { DiffParts } from '../../service/images/diff.ts'
import { formatBytes, formatCount, formatDelta, formatPercent } from '../../text/format.ts'
import type { PathKey } from '../../text/path.ts'
import type { UpdateSummary } from '../../update/update.ts'
import { fold } from '../fold.ts'
import { askForm } from '../form.ts'
import { permanentParametersOf, reportLink } from '../image-links.ts'
import { type Figure, figures, type Html, link, page } from '../page.ts'
import { diffLink, diffParameters, pairOf } from './address.ts'
import { configBeside, historyBeside } from './beside.ts'
import { changeMap, changesBelow } from './map.ts'
import { packageChanges } from './packages.ts'
import { reasonsOf, rowsOf } from './sections.ts'
import { changeTree } from './tree.ts'

const SECTIONS = [
  ['map', 'Treemap'],
  ['changes', 'Changes'],
  ['packages', 'Packages'],
  ['layers', 'Layers'],
  ['config', 'Configuration'],
  ['history', 'History'],
  ['raw', 'Raw data'],
] as const

/** The diff, and what a machine with the first image downloads for the second. */
type DiffPageParts = DiffParts & { readonly update?: UpdateSummary }

/** The one legend of the page: sizes and lines of text have their own signs and colours. */
const COLOURS = html`<p class="quiet">Sizes: <span class="more">+ more bytes</span>, <span class="less">- fewer bytes</span>. Paths and lines of text: <span class="pill added">+ added</span> <span class="pill removed">− removed</span> <span class="pill modified">~ changed</span></p>`

/** @param shown the directory that the treemap shows; the root if nothing changed there */
export function diffPage({ diff, changes, history, update }: DiffPageParts, shown: PathKey = ''): Html {
  const { from, to } = diff
  const view = viewDiff(diff)
  const parameters = diffParameters(from, to)
  const ask = pairOf(parameters)
  const names = namesOf(from, to)
  const [before, after] = names
  const places = [...new Set([sourceName(from), sourceName(to)])].join(' → ')
  const platforms = [...new Set([from.platform, to.platform])].join(' → ')
  const layers = view.tables.find(({ id }) => id === 'layers')
  const permanent = { from: permanentParametersOf(from), to: permanentParametersOf(to) }
  return page({
    title: `${before} → ${after}`,
    preview: { description: view.headline },
    scripts: ['map.js'],
    main: html`<div class="heading" data-looked="${before} → ${after}">
<p class="place">${visible(places)}</p>
<h1>${before} <span class="arrow">→</span> ${after}</h1>
<p class="facts"><span>${visible(platforms)}</span>
<a href="${reportLink(parameters.from)}">Report of ${before}</a>
<a href="${reportLink(parameters.to)}">Report of ${after}</a>
<a href="${diffLink({ from: parameters.to, to: parameters.from })}">Swap</a>
<a href="${diffLink(permanent)}">Permanent link</a></p>
</div>
<p class="headline">${view.headline}</p>
${pullOf(update, link('/v1/update', { ...ask, format: 'text' }))}
${figures(comparedFigures(diff).map(figureOf))}
${reasonsOf(view)}
<nav class="contents" aria-label="On this page"><ul>
${SECTIONS.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}
</ul></nav>
<section id="map"><h2>What changed, by size</h2>
${changeMap(parameters, changesBelow(changes, shown) ?? changes)}
</section>
<section id="changes"><h2>Changes</h2>
${COLOURS}
${changeTree(parameters, changes)}
</section>
${fold({
  id: 'packages',
  title: 'Packages',
  note: countsOf(diff.packages),
  content: packageChanges(parameters, diff.packages),
})}
${fold({
  id: 'layers',
  title: 'Layers',
  note: countsOf(diff.layers),
  content: layers === undefined ? html`<p class="none">Both have the same layers.</p>` : rowsOf(layers),
})}
${fold({
  id: 'config',
  title: 'Configuration',
  note: diff.config.length === 0 ? 'the same' : `${formatCount(diff.config.length)} changed`,
  content: configBeside(diff.config, before, after),
})}
${fold({
  id: 'history',
  title: 'History',
  note: 'steps of both, side by side',
  content: historyBeside(history, before, after),
})}
${fold({
  id: 'raw',
  title: 'Raw data',
  note: 'JSON, Markdown, HTML',
  content: html`<ul class="plain"><li><a href="${link('/v1/diff', ask)}">Diff</a></li><li><a href="${link('/v1/diff/files', ask)}">All changed paths</a></li>
<li><a href="${link('/v1/diff', { ...ask, format: 'markdown' })}">Markdown for a pull request</a></li>
<li><a href="${link('/v1/diff', { ...ask, format: 'html' })}">One file to keep or print</a></li></ul>`,
})}
<section><h2>Compare other images</h2>${askForm({ image: to.reference, baseline: from.reference })}</section>`,
  })
}

/** `2 shared, 1 added`, by the names of the lists. */
function countsOf(lists: Readonly<Record<string, readonly unknown[]>>): string {
  const counts = Object.entries(lists).map(([what, list]) => [what, list.length] as const)
  return countWords(Object.fromEntries(counts)) || 'the same'
}

function pullOf(update: UpdateSummary | undefined, why: string): Html | false {
  const sentence = update && pullSentence(update)
  return sentence !== undefined && html`<p class="pull">${sentence} <a href="${why}">Why</a></p>`
}

/** The shortest names that tell them apart. */
function namesOf(from: ImageIdentity, to: ImageIdentity): readonly [string, string] {
  const short = [visible(shortName(from)), visible(shortName(to))] as const
  if (short[0] !== short[1]) return short
  if (from.platform !== to.platform)
    return [`${short[0]} ${visible(from.platform)}`, `${short[1]} ${visible(to.platform)}`]
  return short
}

function figureOf({ label, values, format }: ComparedFigure): Figure {
  const { from, to, delta } = values
  const percent =
    from === 0 || delta === 0 ? '' : ` (${delta > 0 ? '+' : ''}${formatPercent((100 * delta) / from)})`
  const grown = format === formatBytes ? formatDelta(delta) : `${delta > 0 ? '+' : ''}${format(delta)}`
  return {
    label,
    value: delta === 0 ? 'same' : grown,
    tone: delta > 0 ? 'bad' : delta < 0 ? 'good' : undefined,
    note: `${format(from)} → ${format(to)}${percent}`,
  }
}
