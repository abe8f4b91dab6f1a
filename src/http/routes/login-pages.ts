/** `/login` and `/logout`: the pages' sign-in. */
import { deleteCookie, setCookie } from 'hono/cookie'
import { isLoopback } from '../../configuration.ts'
import { parseRegistryConfig } from '../../oci/credential.ts'
import { loginPage, logoutPage, noLoginPage } from '../../pages/login.ts'
import { Problem } from '../../problem.ts'
import type { App, RequestContext } from '../backend.ts'
import { isFromHere, registryConfig } from '../middleware/session.ts'
import { tokenCheck } from '../middleware/tokens.ts'
import { nextPage } from '../next-page.ts'
import { type PageBackend, pageAnswer } from '../page-answers.ts'
import {
  isFormOf,
  MAX_COOKIE,
  type RegistryLogin,
  SESSION_COOKIE,
  SESSION_SECONDS,
  type Session,
  type Sessions,
} from '../session.ts'

export function addLoginPages(app: App, pages: PageBackend, sessions: Sessions): void {
  const { backend } = pages
  const { tokens } = backend.host.configuration
  const check = tokenCheck(tokens)

  const isKnown = ({ token }: Session): boolean => {
    try {
      check(token === undefined ? undefined : `Bearer ${token}`)
      return true
    } catch {
      return false
    }
  }

  async function formAnswer(c: RequestContext, session: Session, state: FormState): Promise<Response> {
    await keep(c, sessions, session)
    const view = {
      next: nextPage(state.next),
      form: session.form,
      needsToken: !isKnown(session),
      hasToken: session.token !== undefined && isKnown(session),
      registries: Object.keys(session.registries),
      registry: state.registry,
      problem: state.problem,
    }
    return forReader(c, await pageAnswer(pages, loginPage(view), { status: state.status ?? 200 }))
  }

  app.get('/login', async (c) => {
    if (!sessions.areOffered) return pageAnswer(pages, noLoginPage())
    return formAnswer(c, c.var.session ?? sessions.fresh(), c.req.query())
  })

  app.post('/login', async (c) => {
    if (!sessions.areOffered) return pageAnswer(pages, noLoginPage(), { status: 404 })
    const given = await fieldsOf(pages, c)
    const before = c.var.session
    const next = given.get('next') ?? undefined
    if (before === undefined || !isOwnForm(c, before, given)) {
      const problem = 'The form was open for too long, or this browser keeps no cookies. Sign in again.'
      return formAnswer(c, sessions.fresh(), { next, problem, status: 403 })
    }
    const [registry] = given.getAll('registry')
    const state = { next, registry }
    try {
      const session = signedIn(before, given, sessions.fresh())
      if (!isKnown(session)) throw new Problem('unauthorized', 'This is not a token of this service.')
      if ((await sessions.encrypt(session)).length > MAX_COOKIE)
        throw new Problem(
          'too_large',
          'These credentials do not fit in a cookie: sign in to fewer registries.',
        )
      await keep(c, sessions, session)
      return forReader(c, c.redirect(nextPage(next), 303))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return formAnswer(c, before, { ...state, problem: error.message, status: error.status })
    }
  })

  app.get('/logout', async (c) => {
    const { session } = c.var
    return session === undefined
      ? c.redirect('/', 303)
      : forReader(c, await pageAnswer(pages, logoutPage(session.form)))
  })

  app.post('/logout', async (c) => {
    const { session } = c.var
    const given = await fieldsOf(pages, c)
    if (session !== undefined && !isOwnForm(c, session, given))
      return forReader(c, await pageAnswer(pages, logoutPage(session.form), { status: 403 }))
    deleteCookie(c, SESSION_COOKIE, { path: '/', secure: isSecure(c) })
    const answer = forReader(c, c.redirect('/', 303))
    // The list of what was viewed lately names private images.
    answer.headers.set('Clear-Site-Data', '"storage"')
    return answer
  })
}

type FormState = {
  readonly next?: string | undefined
  readonly registry?: string | undefined
  readonly problem?: string | undefined
  readonly status?: number
}

async function fieldsOf({ backend }: PageBackend, c: RequestContext): Promise<URLSearchParams> {
  return new URLSearchParams(await backend.bodies.text(c.req.raw, backend.clientOf(c)))
}

function isOwnForm(c: RequestContext, session: Session, given: URLSearchParams): boolean {
  return isFromHere(c) && isFormOf(session, given.get('form') ?? undefined)
}

/**
 * What the form adds to a session, with another form token.
 *
 * @throws Problem `invalid_parameter` for a registry that cannot be one, or without a user name
 */
function signedIn(before: Session, given: URLSearchParams, fresh: Session): Session {
  const token = given.get('token') || before.token
  const registries: Record<string, RegistryLogin> = { ...before.registries }
  const [names, users, passwords] = ['registry', 'username', 'password'].map((field) => given.getAll(field))
  for (const [at, text] of (names ?? []).entries()) {
    const registry = text.trim()
    const [username, password] = [users?.[at]?.trim() ?? '', passwords?.[at] ?? '']
    if (registry === '' && username === '' && password === '') continue
    if (registry === '' || username === '' || password === '') {
      const detail = 'A registry needs its name, a user name and a password.'
      throw new Problem('invalid_parameter', detail, { parameter: 'registry' })
    }
    registries[registry] = { username, password }
  }
  parseRegistryConfig(registryConfig(registries))
  return { ...fresh, ...(token === undefined ? {} : { token }), registries }
}

async function keep(c: RequestContext, sessions: Sessions, session: Session): Promise<void> {
  setCookie(c, SESSION_COOKIE, await sessions.encrypt(session), {
    path: '/',
    httpOnly: true,
    sameSite: 'Lax',
    secure: isSecure(c),
    maxAge: Math.min(SESSION_SECONDS, Math.ceil((session.until - Date.now()) / 1000)),
  })
}

/** Browsers keep no secure cookie of a plain service, which only loopback may be; a proxy before it may speak TLS. */
function isSecure(c: RequestContext): boolean {
  return c.req.header('X-Forwarded-Proto') === 'https' || !isLoopback(new URL(c.req.url).hostname)
}

/** With the cookie that the context holds; for this reader alone, and not kept by the browser. */
function forReader(c: RequestContext, answer: Response): Response {
  const headers = new Headers(answer.headers)
  for (const cookie of c.res.headers.getSetCookie()) headers.append('Set-Cookie', cookie)
  headers.set('Cache-Control', 'no-store')
  return new Response(answer.body, { status: answer.status, headers })
}
