/** The HTML pages. This file has the frame of every page, and the building blocks that several pages share. */
import { html, raw } from 'hono/html'
import { visible } from '../formats/escape.ts'
import { formatBytes } from '../text/format.ts'

/** Markup whose values have been escaped. */
export type Html = ReturnType<typeof html>

/** Pages load only what this service serves, run no inline script, have no inline style, and cannot be framed. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export type Page = {
  /** The title without the service's name. */
  readonly title: string
  readonly main: Html
  /** Markup for the head of this page only. */
  readonly head?: Html
  /** How a link to the page unfurls; by default by its title alone. */
  readonly preview?: Preview | undefined
  /** Scripts of this page, besides those of every page. */
  readonly scripts?: readonly string[]
  /** Scripts that render what is seen first: nothing is painted before they ran. */
  readonly early?: readonly string[]
}

/** What other sites show of a page. */
export type Preview = {
  readonly description: string
  /** An absolute address. */
  readonly picture?: string
}

/** The whole document. */
export function page({ title, main, head, preview, scripts = [], early = [] }: Page): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="expect" href="#foot" blocking="render">
<title>${visible(title)} · Lamina</title>
<meta property="og:site_name" content="Lamina">
<meta property="og:title" content="${visible(title)}">
${
  preview !== undefined &&
  html`<meta property="og:description" content="${visible(preview.description)}">
<meta name="description" content="${visible(preview.description)}">
${
  preview.picture !== undefined &&
  html`<meta property="og:image" content="${preview.picture}">
`
}`
}<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/frame.css">
<link rel="stylesheet" href="/assets/lamina.css">
<script type="module" src="/assets/lamina.js"></script>
${early.map(
  (script) => html`<script type="module" blocking="render" src="/assets/${script}"></script>
`,
)}${scripts.map(
  (script) => html`<script type="module" src="/assets/${script}"></script>
`,
)}${head}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
${TOP}
<main id="main" tabindex="-1">
${main}
</main>
<footer class="foot" id="foot">Lamina reads container images straight from the registry: no daemon, no pull.</footer>
</body>
</html>
`
}

const LOGO = raw(
  '<svg viewBox="0 0 32 32" aria-hidden="true"><path class="leaf-3" d="m16 17 13 5.5L16 28 3 22.5z"/>' +
    '<path class="leaf-2" d="m16 11 13 5.5L16 22 3 16.5z"/><path class="leaf-1" d="m16 4 13 5.5L16 15 3 9.5z"/></svg>',
)

/** The header of all pages. */
export const TOP = html`<header class="top">
<a class="brand" href="/">${LOGO}Lamina</a>
<nav aria-label="Service"><ul>
<li><a href="/#baseline">Compare</a></li>
<li><a href="/#ci">CI</a></li>
<li><a href="/#cli">CLI</a></li>
<li><a href="/docs">API</a></li>
</ul></nav>
</header>`

/** A name from an image, in visible characters on one line. */
export function name(text: string): Html {
  return html`<code><bdi>${visible(text)}</bdi></code>`
}

/** Text between backticks is code. */
export function withCode(text: string): readonly (string | Html)[] {
  return visible(text)
    .split('`')
    .map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))
}

/** A size in readable units; hovering over it shows the exact number of bytes. */
export function size(bytes: number): Html {
  return html`<data value="${bytes}" title="${exactBytes(bytes)}">${formatBytes(bytes)}</data>`
}

export function exactBytes(bytes: number): string {
  return `${bytes.toLocaleString('en')} bytes`
}

/** The list of headline figures. */
export function figures(items: readonly Figure[]): Html {
  return html`<dl class="figures">
${items.map(
  ({ label, value, tone = '', note }) =>
    html`<div><dt>${label}</dt><dd class="figure ${tone}">${value}</dd>${note && html`<dd>${note}</dd>`}</div>
`,
)}</dl>`
}

export type Figure = {
  readonly label: string
  readonly value: Html | string
  /** Whether the figure is good news or bad. */
  readonly tone?: 'good' | 'bad' | undefined
  readonly note?: Html | string | undefined
}

export type HtmlColumn<T> = {
  readonly head: string | Html | readonly (string | Html)[]
  /** A word does not wrap, a text wraps, a path wraps and takes all remaining width; `word` by default. */
  readonly kind?: 'number' | 'word' | 'text' | 'path'
  /** Hidden on phones. */
  readonly isMinor?: boolean
  readonly cell: (row: T, index: number) => Html | string | number | undefined
}

/** A table with its caption; the first column names the row. Shows `none` if there are no rows. */
export function table<T>(options: {
  /** Empty if a heading says it. */
  readonly caption: Html | string
  /** The table's name for screen readers; the caption by default. */
  readonly label?: string
  readonly none: string
  readonly columns: readonly HtmlColumn<T>[]
  readonly rows: readonly T[]
}): Html {
  const { caption, label = caption, none, columns, rows } = options
  if (rows.length === 0) return html`<p class="none">${none}</p>`
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table>
${caption !== '' && html`<caption>${caption}</caption>`}
<thead><tr>${columns.map(({ head, kind = 'word', isMinor }) => html`<th scope="col" class="${classOf(kind, isMinor)}">${head}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (row, index) => html`<tr>${columns.map(({ kind = 'word', isMinor, cell }, at) =>
    at === 0
      ? html`<th scope="row" class="${kind}">${cell(row, index)}</th>`
      : html`<td class="${classOf(kind, isMinor)}">${cell(row, index)}</td>`,
  )}</tr>
`,
)}</tbody>
</table></div>`
}

function classOf(kind: string, isMinor = false): string {
  return isMinor ? `${kind} minor` : kind
}

/** A figure with a bar that shows its share of the largest. */
export function measured(value: Html | string, part: number, whole: number, tone = ''): Html {
  const width = whole > 0 ? (100 * Math.min(Math.abs(part), whole)) / whole : 0
  return html`<div class="measured"><svg class="bar" aria-hidden="true"><rect class="${tone}" width="${width.toFixed(2)}%" height="100%"/></svg><span>${value}</span></div>`
}

/** Text to copy; the button needs scripts. `id` must be unique on the page. */
export function copyable(id: string, what: string, text: string): Html {
  return html`<div class="copyable"><pre id="${id}">${visible(text)}</pre>
${copyButton(id, what)}</div>`
}

/** Copies the text of the element with that id. */
export function copyButton(id: string, what: string): Html {
  return html`<button type="button" class="copy scripted" data-copies="${id}"><span aria-live="polite">Copy</span><span class="hidden-text"> ${what}</span></button>`
}

/** The URL of a call of this service with its parameters. */
export function link(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(parameters)) if (value !== undefined) query.set(key, value)
  return `${path}?${query}`
}
