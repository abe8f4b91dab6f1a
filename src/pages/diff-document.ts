/** A diff as one HTML file to keep or print: it loads nothing and has no script. */
import { html } from 'hono/html'
import type { Diff } from '../diff/summary.ts'
import { viewDiff } from '../formats/diff-view.ts'
import { visible } from '../formats/escape.ts'
import { diffSections, piecesOf } from './diff/sections.ts'

const STYLE = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
  body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
  h1 { font-size: 1.4rem; overflow-wrap: anywhere }
  h2 { font-size: 1.1rem; margin-top: 2rem; break-after: avoid }
  table { border-collapse: collapse; width: 100% }
  tr { break-inside: avoid }
  th, td { border-bottom: 1px solid #8886; padding: .25rem .6rem; text-align: left; vertical-align: top; font-weight: normal }
  thead th { font-weight: 600 }
  code { overflow-wrap: anywhere }
  .scroll { overflow-x: auto }
  .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
  .bad { color: light-dark(#a40e26, #ff7b72) }
  .good { color: light-dark(#116329, #56d364) }
  .headline { font-size: 1.2rem; font-weight: 600 }
  .hidden-text { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden }
`

/** The style sheet is inline: a `Content-Security-Policy` needs `style-src 'unsafe-inline'`. */
export async function diffDocument(diff: Diff): Promise<string> {
  const view = viewDiff(diff)
  const { from, to } = view
  const document = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${visible(from.name)} → ${visible(to.name)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${piecesOf([from])} → ${piecesOf([to])}</h1>
${diffSections(view)}
</main>
</body>
</html>
`
  return document.toString()
}
