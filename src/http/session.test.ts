import { describe, expect, test, vi } from 'vitest'
import { isFormOf, SESSION_SECONDS, Sessions } from './session.ts'

const sessions = new Sessions({ tokens: ['first-token', 'second-token'] })
const session = {
  ...sessions.fresh(),
  token: 'first-token',
  registries: { 'ghcr.io': { username: 'me', password: 'pass-word' } },
}

test('a cookie says nothing to others, and everything to the service that made it', async () => {
  const cookie = await sessions.encrypt(session)
  expect(cookie).toMatch(/^[\w-]+$/)
  for (const secret of ['first-token', 'pass-word', 'ghcr.io', session.form])
    for (const text of [cookie, Buffer.from(cookie, 'base64url').toString('latin1')])
      expect(text).not.toContain(secret)
  expect(await sessions.open(cookie)).toEqual(session)
  // The order in which tokens are listed says nothing.
  expect(await new Sessions({ tokens: ['second-token', 'first-token'] }).open(cookie)).toEqual(session)
  expect(await sessions.encrypt(session)).not.toBe(cookie)
})

describe('no session is opened by', () => {
  test('a cookie of a service with other tokens or another key', async () => {
    const cookie = await sessions.encrypt(session)
    const key = new Uint8Array(32)
    for (const other of [{ tokens: ['first-token'] }, { tokens: ['first-token', 'second-token'], key }])
      expect(await new Sessions(other).open(cookie)).toBeUndefined()
    const keyed = await new Sessions({ tokens: ['a'], key }).encrypt(session)
    expect(await new Sessions({ tokens: ['b'], key }).open(keyed)).toEqual(session)
  })

  test('a cookie that was changed, cut or made up', async () => {
    const cookie = await sessions.encrypt(session)
    const bytes = Buffer.from(cookie, 'base64url')
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(await sessions.open(changed.toString('base64url'))).toBeUndefined()
    }
    for (const made of ['', 'x', cookie.slice(0, -2), 'A'.repeat(5000), undefined])
      expect(await sessions.open(made)).toBeUndefined()
  })

  test('a cookie of more than twelve hours', async () => {
    const cookie = await sessions.encrypt(session)
    vi.useFakeTimers({ now: session.until - 1, toFake: ['Date'] })
    try {
      expect(await sessions.open(cookie)).toEqual(session)
      vi.setSystemTime(session.until)
      expect(await sessions.open(cookie)).toBeUndefined()
    } finally {
      vi.useRealTimers()
    }
    expect(session.until - Date.now()).toBeLessThanOrEqual(SESSION_SECONDS * 1000)
  })

  test('any cookie, if the service has no secret', async () => {
    const open = new Sessions({ tokens: [] })
    expect(open.areOffered).toBe(false)
    expect(await open.open(await sessions.encrypt(session))).toBeUndefined()
  })
})

test('a form is known by its token', () => {
  expect(isFormOf(session, session.form)).toBe(true)
  for (const other of [undefined, '', session.form.slice(1), sessions.fresh().form])
    expect(isFormOf(session, other)).toBe(false)
})
