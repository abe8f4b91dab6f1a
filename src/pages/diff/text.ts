/** What changed in one text file, line by line: a page, whose lines the diff's page loads in place. */
import { html } from 'hono/html'
import type { Hunk, TextDiff } from '../../diff/text.ts'
import { visible } from '../../formats/escape.ts'
import { shortName } from '../../image/identity.ts'
import type { ImageIdentity } from '../../image/report.ts'
import { formatBytes } from '../../text/format.ts'
import { filesLink } from '../image-links.ts'
import { type Html, link, name, page } from '../page.ts'
import { type DiffParameters, diffLink, diffParameters, pairOf } from './address.ts'

/** Limits of one line, and of all lines together. */
const MAX_LINE = 1000
const MAX_LINES = 4000

export function textDiffPage(from: ImageIdentity, to: ImageIdentity, diff: TextDiff): Html {
  const parameters = diffParameters(from, to)
  const [before, after] = [visible(shortName(from)), visible(shortName(to))]
  return page({
    title: `/${diff.path} · ${before} → ${after}`,
    main: html`<div class="heading">
<p class="place">${before} → ${after}</p>
<h1 class="ways">${name(`/${diff.path}`)}</h1>
<p class="facts"><a href="${diffLink(parameters)}">The whole diff</a></p>
</div>
${textDiff(parameters, diff)}`,
  })
}

function textDiff(parameters: DiffParameters, diff: TextDiff): Html {
  const { path, pathBase64, from, to } = diff
  const asked = pathBase64 === undefined ? { path } : { pathBase64 }
  return html`<div class="textdiff" data-loaded>
<p class="facts">${from && html`<a href="${filesLink(parameters.from, diff)}">Before, ${formatBytes(from.bytes)}</a>`}
${to && html`<a href="${filesLink(parameters.to, diff)}">After, ${formatBytes(to.bytes)}</a>`}
<a href="${link('/v1/diff/file', { ...pairOf(parameters), ...asked })}">As a patch</a></p>
${linesOf(diff)}</div>`
}

function linesOf({ identical, binary, coarse, hunks }: TextDiff): Html {
  if (identical) return html`<p class="none">The content is the same.</p>`
  if (binary) return html`<p class="none">A binary file: its content differs.</p>`
  const lines = hunks.flatMap(rowsOf)
  const left = lines.length - MAX_LINES
  return html`${coarse && html`<p>The texts differ in too many places to find the smallest difference.</p>`}
<div class="scroll" tabindex="0" role="region" aria-label="Lines that changed"><table class="patch"><thead class="hidden-text"><tr><th scope="col">Before</th><th scope="col">After</th><th scope="col">Line</th></tr></thead><tbody>
${lines.slice(0, MAX_LINES)}</tbody></table></div>
${left > 0 && html`<p class="raw">… and ${left} more lines: see the patch.</p>`}`
}

const KINDS: Readonly<Record<string, string>> = { '+': 'added', '-': 'removed', '\\': 'quiet' }

function rowsOf({ fromStart, fromLines, toStart, toLines, lines }: Hunk): readonly Html[] {
  let [before, after] = [fromStart, toStart]
  const head = html`<tr class="hunk"><td colspan="3">@@ -${fromStart},${fromLines} +${toStart},${toLines} @@</td></tr>
`
  const rows = lines.map((line) => {
    const mark = line[0] ?? ' '
    const isNew = mark === '+'
    const isOld = mark === '-'
    const isRemark = mark === '\\'
    const text = `${line.slice(1, MAX_LINE)}${line.length > MAX_LINE ? '…' : ''}`
    const numbers = [isNew || isRemark ? '' : before++, isOld || isRemark ? '' : after++]
    return html`<tr class="${KINDS[mark] ?? ''}"><td>${numbers[0]}</td><td>${numbers[1]}</td><td><code>${mark}${text
      .replace(/\r?\n$/, '')
      .split('\t')
      .map(visible)
      .join('\t')}</code></td></tr>
`
  })
  return [head, ...rows]
}
