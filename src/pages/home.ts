/** The first page. */
import { html } from 'hono/html'
import { askForm } from './form.ts'
import { type Html, link, page } from './page.ts'

/** Empty for a service that nobody signs in to. */
export type SignIn = {
  readonly isSignedIn?: boolean
  /** Whether images are shown only to readers who have signed in. */
  readonly needsToken?: boolean
  /** What posts must send back. */
  readonly form?: string | undefined
}

export function homePage({ isSignedIn, needsToken, form }: SignIn = {}): Html {
  return page({
    title: 'What is inside a container image',
    early: ['home.js'],
    main: html`<div class="lead"><h1>What is inside a container image?</h1>
<p>See where its bytes are, what is wasted, and what changed since the last tag: read from the registry, without a pull.</p></div>
${askForm()}
<ul class="examples" aria-label="Examples">
<li><a href="${link('/', { image: 'alpine:3.20' })}">alpine:3.20</a></li>
<li><a href="${link('/', { image: 'python:3.13-slim' })}">python:3.13-slim</a></li>
<li><a href="${link('/', { from: 'nginx:1.26', to: 'nginx:1.27' })}">nginx:1.26 → nginx:1.27</a></li>
</ul>
${isSignedIn === false && html`<p class="sign-in"><a href="/login">Sign in</a> ${needsToken ? 'with a token of this service to see images.' : 'to a registry to see its private images.'}</p>`}
${isSignedIn === true && html`<p class="sign-in quiet">Signed in. <a href="/login?next=/">Add a registry</a> <a href="/logout">Sign out</a></p>`}
<form class="drop scripted" data-drop="${form ?? ''}">
<label>Or drop the file of <code>docker save</code> here, or choose it: <input type="file" name="archive" accept=".tar,.gz,.tgz,.zst,application/x-tar"></label>
<progress aria-label="Upload" max="100" value="0" hidden></progress>
<p role="status" data-said></p>
</form>
<section id="looked" class="looked" hidden><h2>Recently viewed</h2><ul></ul>
<p class="quiet">Kept only in this browser. <button type="button" class="copy">Clear the list</button></p></section>
<div class="promises">
<div><h2>A report</h2><p>Size by layer, the largest files and directories, wasted and duplicate files, packages and their sizes.</p></div>
<div id="ci"><h2>A gate for CI</h2><p>One line in any CI: it fails when the image is too large, wastes too much or contains a forbidden file. The page of each image has the line for it.</p>
<pre><code>lamina check app:v2 --baseline app:v1 --max-growth 10%</code></pre></div>
<div id="cli"><h2>A command</h2><p>The same at home, for registries, a Docker Engine and archives.</p>
<pre><code>lamina report docker-daemon:app:dev
lamina diff app:v1 app:v2</code></pre></div>
<div><h2>A badge</h2><p>The image size for your README, as an SVG at most five minutes old.</p></div>
<div><h2>An API</h2><p>Everything as JSON. Try it in the browser: <a href="/docs">documentation</a>.</p></div>
</div>`,
  })
}
