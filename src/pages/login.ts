/** Signing in and out: the forms. */
import { html } from 'hono/html'
import { visible } from '../formats/escape.ts'
import { PLAIN } from './form.ts'
import { type Html, link, name, page } from './page.ts'

export type LoginView = {
  /** Where the reader goes afterwards: a path of this service. */
  readonly next: string
  /** What the form sends back. */
  readonly form: string
  /** Whether this service has tokens, and the reader has not given one yet. */
  readonly needsToken: boolean
  /** Whether the reader has given a token. */
  readonly hasToken: boolean
  /** Registries that the reader has credentials for. */
  readonly registries: readonly string[]
  /** The registry to fill in. */
  readonly registry?: string | undefined
  /** Why the last attempt failed. */
  readonly problem?: string | undefined
}

export function loginPage(view: LoginView): Html {
  const { next, form, needsToken, hasToken, registries, registry = '', problem } = view
  const isSignedIn = hasToken || registries.length > 0
  return page({
    title: 'Sign in',
    main: html`<div class="heading"><h1>Sign in</h1></div>
${problem !== undefined && html`<div class="problem" role="alert"><p>${visible(problem)}</p></div>`}
${hasToken && html`<p>You are signed in to this service.</p>`}
${
  registries.length > 0 &&
  html`<p>This browser has credentials for ${registries.map((one, at) => html`${at > 0 && ', '}${name(one)}`)}. Add another registry, or replace them.</p>`
}
<form class="login" method="post" action="/login">
<input type="hidden" name="form" value="${form}"><input type="hidden" name="next" value="${visible(next)}">
${
  needsToken &&
  html`<div class="field"><label for="token">Token of this service</label>
<input id="token" name="token" type="password" required autocomplete="current-password" ${SECRET}></div>`
}
<fieldset><legend>A private registry <span class="hint">${needsToken ? 'optional' : ''}</span></legend>
<div class="field"><label for="registry">Registry</label>
<input id="registry" name="registry" value="${visible(registry)}" placeholder="ghcr.io" ${PLAIN}></div>
<div class="field"><label for="username">User name</label>
<input id="username" name="username" ${PLAIN}></div>
<div class="field"><label for="password">Password or access token</label>
<input id="password" name="password" type="password" autocomplete="off" ${SECRET}></div>
</fieldset>
<button>Sign in</button>
</form>
<p class="quiet">What you enter is kept for 12 hours in one encrypted cookie of this browser, and nowhere else.</p>
${isSignedIn && signOut(form)}`,
  })
}

const SECRET = html`autocapitalize="none" spellcheck="false"`

/** For a service that nobody can sign in to. */
export function noLoginPage(): Html {
  return page({
    title: 'Sign in',
    main: html`<div class="heading"><h1>Sign in</h1></div>
<p>This service needs no token, so there is nothing to sign in to. Its pages show what it can read itself.</p>`,
  })
}

export function logoutPage(form: string): Html {
  return page({
    title: 'Sign out',
    main: html`<div class="heading"><h1>Sign out</h1></div>${signOut(form)}`,
  })
}

function signOut(form: string): Html {
  return html`<form class="logout" method="post" action="/logout"><input type="hidden" name="form" value="${form}"><button class="copy">Sign out</button></form>`
}

export function loginLink(next: string, registry?: string): string {
  return link('/login', { next, registry })
}
