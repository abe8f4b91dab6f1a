/** Shows an error to somebody in a browser, with what to do about it. */
import { html } from 'hono/html'
import { visible } from '../formats/escape.ts'
import { parseImageReference } from '../oci/image-reference.ts'
import type { Problem, ProblemCode } from '../problem.ts'
import { askForm, type FormValues } from './form.ts'
import { type Html, link, name, page, withCode } from './page.ts'

/** What a reader can do about a problem whose message does not say so. */
const ADVICE: Partial<Record<ProblemCode, string>> = {
  invalid_reference:
    'Write it as for docker pull: nginx, ghcr.io/owner/name:tag, localhost:5000/name@sha256:…',
  unauthorized:
    'These pages show only what this service can read itself. The API takes a registry’s credentials in X-Registry-Auth; see the documentation.',
  upload_not_found: 'Uploads are removed some time after their last use; send the archive again.',
  image_not_found: 'Check the name and the tag. Some registries give the same answer for private images.',
  rate_limited: 'Too many analyses were started in the last minute. Try again in a moment.',
  registry_timeout: 'The registry did not answer in time. Try again in a moment.',
  registry_error: 'Try again in a moment, or check the registry’s name.',
}

/** The page that shows a problem. */
export type FailureView = {
  readonly values?: FormValues
  /** Where the reader can sign in for it. */
  readonly login?: string | undefined
}

export function failurePage(problem: Problem, { values = {}, login }: FailureView = {}): Html {
  const { image, platforms = [] } = problem.fields
  return page({
    title: problem.title,
    main: html`<div class="heading"><h1>${problem.title}</h1></div>
<div class="problem" role="alert">
<p>${withCode(asSentence(problem.message))}</p>
<p class="quiet">${image !== undefined && html`Image: ${name(image)} · `}Code: <code>${problem.code}</code></p>
</div>
${login !== undefined && html`<p><a class="action" href="${login}">Sign in</a> with credentials that can read it.</p>`}
${login === undefined && ADVICE[problem.code] && html`<p>${ADVICE[problem.code]}</p>`}
${problem.code === 'image_not_found' && tagsOf(values.image ?? values.baseline)}
${
  platforms.length > 0 &&
  html`<h2>Available platforms</h2><ul class="plain">${platforms.map((platform) =>
    image === undefined
      ? html`<li>${name(platform)}</li>`
      : html`<li><a href="${link('/', { image, platform })}">${visible(platform)}</a></li>`,
  )}</ul>`
}
<h2>Look at another image</h2>
${askForm(values)}`,
  })
}

/** Begins with a capital, unless the first word is a name. */
function asSentence(message: string): string {
  return message.replace(/^[a-z]+(?= )/, (word) => word.charAt(0).toUpperCase() + word.slice(1))
}

/** The tags that the reader may have meant. */
function tagsOf(text = ''): Html | '' {
  try {
    const reference = parseImageReference(text)
    if (reference.transport !== 'docker') return ''
    const { registry, repository, tag } = reference
    const address = link('/tags', { repository: `${registry}/${repository}`, tag })
    return html`<p><a class="action" href="${address}">Tags of ${visible(repository)}</a></p>`
  } catch {
    return ''
  }
}
