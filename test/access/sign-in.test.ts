/** Signing in with a browser: what the cookie opens, and what it does not. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { registryAuth } from '../support/ask.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const TOKEN = 'open-sesame-0123456789'
const OWNER = { username: 'owner', password: 'Pass-word-0f-the-owner' }

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let image: string
  let page: string

  beforeAll(async () => {
    registry = await FixtureRegistry.start({ auth: { kind: 'basic', ...OWNER } })
    service = await startService(host, { LAMINA_TOKENS: `other,${TOKEN}` })
    image = registry.push(
      'private/app',
      'v1',
      makeImage([await makeLayer([{ name: 'a', content: 'private' }])]),
    )
    page = `/?${new URLSearchParams({ image })}`
    const headers = { Authorization: `Bearer ${TOKEN}`, ...registryAuth(OWNER) }
    const ready = await ask(`/v1/report?${new URLSearchParams({ image, wait: '60' })}`, { headers })
    expect(ready.status).toBe(200)
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(service.url + path, { redirect: 'manual', ...init })
  const browser = (cookie?: string) => ({
    Accept: 'text/html',
    ...(cookie === undefined ? {} : { Cookie: cookie }),
  })
  const cookieOf = (answer: Response) =>
    answer.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ')

  async function formOf(answer: Response): Promise<string> {
    return /name="form" value="([^"]+)"/.exec(await answer.text())?.[1] ?? ''
  }

  /** As a browser does it: opens the form, then sends it. */
  async function send(path: string, fields: Record<string, string>, from?: string): Promise<Response> {
    const shown = await ask(path, { headers: browser(from) })
    const cookie = cookieOf(shown) || (from ?? '')
    const body = new URLSearchParams({ form: await formOf(shown), ...fields })
    return ask(path.replace(/\?.*/, ''), { method: 'POST', body, headers: browser(cookie) })
  }

  const login = (fields: Record<string, string>, from?: string) =>
    send('/login', { next: page, ...fields }, from)
  const whole = () => ({ token: TOKEN, registry: registry.host, ...OWNER })

  it('a page leads to the form, and the form back to the page', async () => {
    const asked = await ask(page, { headers: browser() })
    expect([asked.status, asked.headers.get('Location')]).toEqual([
      303,
      `/login?${new URLSearchParams({ next: page })}`,
    ])
    const form = await (await ask(asked.headers.get('Location') ?? '')).text()
    expect(form).toContain('name="token"')
    const sent = await login(whole())
    expect([sent.status, sent.headers.get('Location'), sent.headers.get('Cache-Control')]).toEqual([
      303,
      page,
      'no-store',
    ])
    const [cookie = ''] = sent.headers.getSetCookie()
    expect(cookie).toMatch(/^lamina=[\w-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/)
    const shown = await ask(page, { headers: browser(cookieOf(sent)) })
    expect(shown.status).toBe(200)
    expect(await shown.text()).toContain('private/app')
  })

  it('the token alone opens no private image, whose page then leads to the form for its registry', async () => {
    const signedIn = cookieOf(await login({ token: TOKEN }))
    const refused = await ask(page, { headers: browser(signedIn) })
    expect(refused.status).toBe(401)
    const next = new URLSearchParams({ next: page, registry: registry.host })
    expect(await refused.text()).toContain(`href="/login?${next.toString().replaceAll('&', '&amp;')}"`)
    const wrong = cookieOf(
      await login({ registry: registry.host, username: 'owner', password: 'no' }, signedIn),
    )
    expect((await ask(page, { headers: browser(wrong) })).status).toBe(401)
    const added = cookieOf(await login({ registry: registry.host, ...OWNER }, signedIn))
    expect((await ask(page, { headers: browser(added) })).status).toBe(200)
  })

  it('the API takes the cookie from these pages only, and from no form of another site', async () => {
    const cookie = cookieOf(await login(whole()))
    const report = `/v1/report?${new URLSearchParams({ image })}`
    const from = async (site: string, init: RequestInit = {}) =>
      (await ask(report, { ...init, headers: { Cookie: cookie, 'Sec-Fetch-Site': site } })).status
    expect(await from('same-origin')).toBe(200)
    expect([await from('cross-site'), await from('same-site')]).toEqual([401, 401])
    const post = async (headers: Record<string, string>) => {
      const body = JSON.stringify({ image })
      const sent = { 'Content-Type': 'application/json', Cookie: cookie, ...headers }
      return (await ask('/v1/analyses', { method: 'POST', body, headers: sent })).status
    }
    expect(await post({})).toBe(401)
    expect(await post({ 'X-Form-Token': 'x' })).toBe(401)
    const form = await formOf(await ask('/logout', { headers: browser(cookie) }))
    expect(await post({ 'X-Form-Token': form })).toBe(200)
    // What a caller sends itself counts alone.
    const own = { Cookie: cookie, Authorization: 'Bearer wrong' }
    expect((await ask(report, { headers: own })).status).toBe(401)
  })

  it('a wrong token, a form of another browser and one of another site open nothing', async () => {
    const wrong = await login({ token: 'wrong' })
    expect(wrong.status).toBe(401)
    expect((await ask(page, { headers: browser(cookieOf(wrong)) })).status).toBe(303)
    const shown = await ask('/login')
    const body = new URLSearchParams({ form: await formOf(shown), token: TOKEN })
    const others = cookieOf(await ask('/login'))
    for (const headers of [
      browser(),
      browser(others),
      { ...browser(cookieOf(shown)), 'Sec-Fetch-Site': 'cross-site' },
    ]) {
      const sent = await ask('/login', { method: 'POST', body, headers })
      expect(sent.status).toBe(403)
      expect((await ask(page, { headers: browser(cookieOf(sent)) })).status).toBe(303)
    }
    const away = await login({ token: TOKEN, next: '//evil.example/' })
    expect(away.headers.get('Location')).toBe('/')
  })

  it('signing out needs the form, and removes the cookie', async () => {
    const cookie = cookieOf(await login(whole()))
    const forged = await ask('/logout', { method: 'POST', body: 'form=x', headers: browser(cookie) })
    expect([forged.status, forged.headers.getSetCookie()]).toEqual([403, []])
    const out = await send('/logout', {}, cookie)
    expect([out.status, out.headers.get('Location')]).toEqual([303, '/'])
    expect(out.headers.get('Clear-Site-Data')).toBe('"storage"')
    expect(out.headers.getSetCookie()).toEqual([expect.stringMatching(/^lamina=; Max-Age=0; Path=\/$/)])
  })

  it('no stored object and no answer has what was typed', async () => {
    const sent = await login(whole())
    const shown = await ask('/login', { headers: browser(cookieOf(sent)) })
    const texts = [JSON.stringify([...sent.headers]), await shown.text(), JSON.stringify([...shown.headers])]
    for (const entry of await readdir(service.data, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) texts.push((await readFile(join(entry.parentPath, entry.name))).toString('latin1'))
    }
    for (const text of texts) for (const secret of [TOKEN, OWNER.password]) expect(text).not.toContain(secret)
  })
})

it('beyond loopback the cookie is secure, and without tokens there is nothing to sign in to', async () => {
  const cookieAt = async (url: string, headers = {}) => {
    const app = startApp({ HOST: '0.0.0.0', LAMINA_TOKENS: TOKEN })
    return (await app.ask(url, { headers })).headers.getSetCookie()[0]
  }
  expect(await cookieAt('http://lamina.example/login')).toMatch(/; Secure/)
  expect(await cookieAt('http://127.0.0.1:8080/login')).not.toMatch(/; Secure/)
  expect(await cookieAt('http://localhost/login', { 'X-Forwarded-Proto': 'https' })).toMatch(/; Secure/)
  const open = await startApp().ask('/login')
  expect(open.headers.getSetCookie()).toEqual([])
  expect(await open.text()).toContain('nothing to sign in to')
})
