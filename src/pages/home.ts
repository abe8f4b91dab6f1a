/** The first page. */
import { html } from 'hono/html'
import { askForm } from './form.ts'
import { type Html, link, page } from './page.ts'

export function homePage(): Html {
  return page({
    title: 'What is inside a container image',
    main: html`<div class="lead"><h1>What is inside a container image?</h1>
<p>Where its bytes are, what is wasted, what changed since the last tag: read from the registry, without pulling it.</p></div>
${askForm()}
<ul class="examples" aria-label="Examples">
<li><a href="${link('/', { image: 'alpine:3.20' })}">alpine:3.20</a></li>
<li><a href="${link('/', { image: 'python:3.13-slim' })}">python:3.13-slim</a></li>
<li><a href="${link('/', { from: 'nginx:1.26', to: 'nginx:1.27' })}">nginx:1.26 → nginx:1.27</a></li>
</ul>
<div class="promises">
<div><h2>A report</h2><p>Size by layer, the largest files and directories, what later layers hide, what is there twice, which packages take how much.</p></div>
<div><h2>A gate</h2><p>One line of curl in any CI: it fails when the image grows, wastes or carries what it must not.</p></div>
<div><h2>A badge</h2><p>The size for a README, as an SVG that is never older than five minutes.</p></div>
<div><h2>An API</h2><p>All of it as JSON, tried out in the browser: <a href="/docs">the documentation</a>.</p></div>
</div>`,
  })
}
