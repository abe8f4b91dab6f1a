/** What a reader takes along: the badge's and the gate's line, filled in. */
import { html } from 'hono/html'
import type { Report } from '../image/report.ts'
import { copyable, type Html, link } from './page.ts'

/** @param origin `scheme://host[:port]` of this service */
export function adopted({ image, size }: Report, origin: string): Html {
  const page = origin + link('/', { image: image.reference })
  const badge = link('/badge/size.svg', { image: image.reference })
  return html`<section id="adopt"><h2>Badge and gate</h2>
<h3>A badge for the README</h3>
<p class="badge"><img src="${badge}" alt="Size of the image"></p>
${copyable('badge-markdown', 'the badge', `[![size](${origin}${badge})](${page})`)}
<h3>A gate for CI</h3>
<p>It fails when the compressed size of the next build is more than a tenth larger. More rules are in <a href="/docs">the documentation</a>.</p>
${copyable('gate-line', 'the gate', gateLine(image.reference, size.compressedBytes, origin))}
</section>`
}

/** A line for a shell, as the documentation has it. */
export function gateLine(reference: string, compressedBytes: number, origin: string): string {
  const limit = Math.max(1, Math.ceil((compressedBytes * 1.1) / 1e6))
  return [
    'curl -sS --fail-with-body --retry 20 --retry-max-time 1800',
    `-G ${quoted(`${origin}/v1/check`)} --data-urlencode ${quoted(`image=${reference}`)}`,
    `-d maxCompressed=${limit}MB -d format=text`,
  ].join(' ')
}

/** A word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
