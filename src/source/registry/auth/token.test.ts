import { afterEach, describe, expect, it } from 'vitest'
import { watchedClient } from '../../../../test/registry/client.ts'
import { type FixtureAuth, type FixtureOptions, FixtureRegistry } from '../../../../test/registry/fixture.ts'
import { makeImage, makeLayer } from '../../../../test/support/images.ts'
import { systemClock } from '../clock.ts'

const GOOD = { username: 'me', password: 'correct horse' }
const WRONG = { username: 'me', password: 'battery staple' }
const TOKENS: FixtureAuth = {
  kind: 'token',
  ...GOOD,
  identityToken: 'an-identity-token',
  registryToken: 'a-registry-token',
}

let registry: FixtureRegistry | undefined

afterEach(async () => {
  await registry?.close()
  registry = undefined
})

async function start(auth: FixtureAuth, options: FixtureOptions = {}): Promise<FixtureRegistry> {
  const started = await FixtureRegistry.start({ auth, ...options })
  registry = started
  const image = makeImage([await makeLayer([{ name: 'a', content: 'b' }])])
  for (const repository of ['public', 'other', 'private/secret']) started.push(repository, 'v1', image)
  return started
}

const at = (fixture: FixtureRegistry, repository = 'public') => ({ registry: fixture.host, repository })

const unauthorized = (fixture: FixtureRegistry) =>
  expect.objectContaining({
    code: 'unauthorized',
    fields: { registryStatus: 401, authenticate: `Registry realm="${fixture.host}"` },
  })

describe('without credentials', () => {
  it('an anonymous token is requested after a refusal and used from then on', async () => {
    const fixture = await start(TOKENS)
    const { client } = watchedClient()
    await client.resolve(at(fixture), 'v1', {})
    await client.manifest(at(fixture), 'v1', {})
    expect(fixture.requests.map(({ server, method, status }) => `${server} ${method} ${status}`)).toEqual([
      'registry HEAD 401',
      'token GET 200',
      'registry HEAD 200',
      'registry GET 200',
    ])
    expect(fixture.requests[1]?.path).toBe('/token?service=fixture&scope=repository%3Apublic%3Apull')
    expect(fixture.requests[1]?.authorization).toBeUndefined()
  })

  it('a repository that requires credentials is unauthorized', async () => {
    const tokens = await start(TOKENS)
    await expect(watchedClient().client.resolve(at(tokens, 'private/secret'), 'v1', {})).rejects.toThrow(
      unauthorized(tokens),
    )
    await tokens.close()
    const basic = await start({ kind: 'basic', ...GOOD })
    await expect(watchedClient().client.resolve(at(basic), 'v1', {})).rejects.toThrow(unauthorized(basic))
    expect(basic.requests).toHaveLength(1)
  })
})

describe('with a password', () => {
  it('Basic is sent after a refusal, and immediately from then on', async () => {
    const fixture = await start({ kind: 'basic', ...GOOD })
    const { client } = watchedClient()
    await client.resolve(at(fixture), 'v1', { credential: GOOD })
    await client.manifest(at(fixture), 'v1', { credential: GOOD })
    const sent = `Basic ${Buffer.from('me:correct horse').toString('base64')}`
    expect(fixture.requests.map(({ authorization, status }) => [authorization, status])).toEqual([
      [undefined, 401],
      [sent, 200],
      [sent, 200],
    ])
  })

  it('the token server gets the password, the registry only the token', async () => {
    const fixture = await start(TOKENS)
    await watchedClient().client.resolve(at(fixture, 'private/secret'), 'v1', { credential: GOOD })
    expect(
      fixture.requests.map(({ server, authorization }) => [server, authorization?.split(' ')[0]]),
    ).toEqual([
      ['registry', undefined],
      ['token', 'Basic'],
      ['registry', 'Bearer'],
    ])
  })

  it('a wrong password is unauthorized, and appears nowhere', async () => {
    for (const auth of [TOKENS, { kind: 'basic', ...GOOD } as const]) {
      const fixture = await start(auth)
      const refused = watchedClient().client.resolve(at(fixture), 'v1', { credential: WRONG })
      await expect(refused).rejects.toThrow(unauthorized(fixture))
      const told = JSON.stringify(await refused.catch((error) => error.toDocument()))
      expect(told).not.toContain('battery')
      expect(told).not.toContain(Buffer.from('me:battery staple').toString('base64'))
      await fixture.close()
    }
  })
})

it('credentials that a registry echoes are not quoted', async () => {
  const fixture = await start({ kind: 'basic', ...GOOD })
  const encoded = Buffer.from('me:correct horse').toString('base64')
  const message = `you sent Basic ${encoded}, that is correct horse; also Bearer abc.def-ghi_jkl`
  const body = JSON.stringify({ errors: [{ code: 'ECHO', message }] })
  const { client } = watchedClient()
  await client.resolve(at(fixture), 'v1', { credential: GOOD })
  fixture.fault({}, { status: 400, body })
  await expect(client.manifest(at(fixture), 'v1', { credential: GOOD })).rejects.toThrow(
    '(ECHO: you sent Basic [redacted], that is [redacted]; also Bearer [redacted])',
  )
})

describe('with a token', () => {
  it('an identity token is exchanged with the OAuth2 POST', async () => {
    const fixture = await start(TOKENS)
    const { client } = watchedClient()
    const credential = { identitytoken: 'an-identity-token' }
    await client.resolve(at(fixture, 'private/secret'), 'v1', { credential })
    const [, exchange] = fixture.requests
    expect(exchange).toMatchObject({
      server: 'token',
      method: 'POST',
      path: '/token',
      authorization: undefined,
    })
    expect(Object.fromEntries(new URLSearchParams(exchange?.body))).toEqual({
      grant_type: 'refresh_token',
      service: 'fixture',
      client_id: 'lamina',
      scope: 'repository:private/secret:pull',
      refresh_token: 'an-identity-token',
    })
    await expect(
      client.resolve(at(fixture), 'v1', { credential: { identitytoken: 'wrong' } }),
    ).rejects.toThrow(unauthorized(fixture))
  })

  it('a registry token is sent as it is', async () => {
    const fixture = await start(TOKENS)
    const credential = { registrytoken: 'a-registry-token' }
    await watchedClient().client.resolve(at(fixture, 'private/secret'), 'v1', { credential })
    expect(fixture.requests.map(({ server, authorization }) => [server, authorization])).toEqual([
      ['registry', undefined],
      ['registry', 'Bearer a-registry-token'],
    ])
  })
})

describe('a token is kept', () => {
  it('for concurrent requests: fifty requests fetch one token', async () => {
    const fixture = await start(TOKENS)
    const { client } = watchedClient()
    await Promise.all(Array.from({ length: 50 }, () => client.resolve(at(fixture), 'v1', {})))
    expect(fixture.count({ server: 'token' })).toBe(1)
    expect(fixture.count({ server: 'registry', status: 200 })).toBe(50)
  })

  it('only for its repository and its credentials', async () => {
    const fixture = await start(TOKENS)
    const { client } = watchedClient()
    await client.resolve(at(fixture), 'v1', { credential: GOOD })
    await client.resolve(at(fixture), 'v1', {})
    await client.resolve(at(fixture, 'other'), 'v1', { credential: GOOD })
    expect(fixture.count({ server: 'token' })).toBe(3)
    await expect(client.resolve(at(fixture, 'private/secret'), 'v1', {})).rejects.toThrow(
      unauthorized(fixture),
    )
  })

  it('for its lifetime', async () => {
    const fixture = await start({ kind: 'token', ...GOOD, expiresIn: 100 })
    let now = 1_700_000_000_000
    const { client } = watchedClient({ clock: { ...systemClock, now: () => now } })
    // The registry's clock and ours differ by years: the token's lifetime counts, not its start by another clock.
    await client.resolve(at(fixture), 'v1', {})
    now += 80_000
    await client.resolve(at(fixture), 'v1', {})
    expect(fixture.count({ server: 'token' })).toBe(1)
    now += 19_000
    await client.resolve(at(fixture), 'v1', {})
    expect(fixture.count({ server: 'token' })).toBe(2)
  })

  it('for a minute if it does not state its lifetime', async () => {
    const fixture = await start({ kind: 'token', ...GOOD, expiresIn: null })
    let now = Date.now()
    const { client } = watchedClient({ clock: { ...systemClock, now: () => now } })
    await client.resolve(at(fixture), 'v1', {})
    now += 50_000
    await client.resolve(at(fixture), 'v1', {})
    expect(fixture.count({ server: 'token' })).toBe(1)
    now += 10_000
    await client.resolve(at(fixture), 'v1', {})
    expect(fixture.count({ server: 'token' })).toBe(2)
  })

  it('until it expires midway, and is then renewed once', async () => {
    const fixture = await start(TOKENS)
    const { client } = watchedClient()
    await client.resolve(at(fixture), 'v1', {})
    fixture.expireTokens()
    await Promise.all(Array.from({ length: 10 }, () => client.manifest(at(fixture), 'v1', {})))
    expect(fixture.count({ server: 'token' })).toBe(2)
  })

  it('and not requested over and over if the new one is refused too', async () => {
    const fixture = await start(TOKENS)
    const { client } = watchedClient()
    await client.resolve(at(fixture), 'v1', {})
    fixture.fault({ server: 'registry' }, { status: 401, headers: challenge(fixture) }, 10)
    await expect(client.resolve(at(fixture), 'v1', {})).rejects.toThrow(unauthorized(fixture))
    expect(fixture.count({ server: 'token' })).toBe(2)
    expect(fixture.count({ server: 'registry', status: 401 })).toBe(3)
  })

  it('a caller who leaves does not cancel the token for the others', async () => {
    const fixture = await start(TOKENS)
    fixture.fault({ server: 'token' }, { delayMilliseconds: 200 })
    const { client } = watchedClient()
    const hurry = new AbortController()
    const first = client.resolve(at(fixture), 'v1', { signal: hurry.signal })
    await expect.poll(() => fixture.count({ server: 'token' })).toBe(1)
    const second = client.resolve(at(fixture), 'v1', {})
    await expect.poll(() => fixture.count({ server: 'registry', status: 401 })).toBe(2)
    hurry.abort(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
    expect(await second).toHaveProperty('digest')
    expect(fixture.count({ server: 'token' })).toBe(1)
  })
})

const challenge = (fixture: FixtureRegistry) => ({
  'www-authenticate': `Bearer realm="http://${fixture.tokenHost}/token",service="fixture"`,
})

describe('a registry with an unusual challenge', () => {
  it('may name several scopes: each is a parameter', async () => {
    const fixture = await start(TOKENS)
    const scope = 'repository:public:pull repository:other:pull'
    fixture.fault(
      { server: 'registry' },
      {
        status: 401,
        headers: { 'www-authenticate': `${challenge(fixture)['www-authenticate']},scope="${scope}"` },
      },
    )
    await watchedClient().client.resolve(at(fixture), 'v1', {})
    const asked = fixture.requests.find(({ server }) => server === 'token')
    expect(new URL(asked?.path ?? '', 'http://h').searchParams.getAll('scope')).toEqual([
      'repository:public:pull',
      'repository:other:pull',
    ])
  })

  it('may offer Basic and Bearer: Bearer is preferred', async () => {
    const fixture = await start(TOKENS)
    const headers = { 'www-authenticate': `Basic realm="x", ${challenge(fixture)['www-authenticate']}` }
    fixture.fault({ server: 'registry' }, { status: 401, headers })
    await watchedClient().client.resolve(at(fixture), 'v1', { credential: GOOD })
    expect(fixture.count({ server: 'token' })).toBe(1)
  })

  it.each([
    'https://169.254.169.254/token',
    'http://[::ffff:127.0.0.1]:1/token',
    'http://2130706433:25/token',
    'https://10.0.0.1/token',
    'ftp://127.0.0.1/token',
    'http://user:pass@127.0.0.1:5000/token',
  ])('may not send clients to the token server %s', async (realm) => {
    const fixture = await start({ ...TOKENS, kind: 'token', realm })
    const { client, asked } = watchedClient()
    await expect(client.resolve(at(fixture), 'v1', { credential: GOOD })).rejects.toThrow(
      expect.objectContaining({
        code: 'forbidden_registry',
        message: expect.stringContaining('token server'),
      }),
    )
    expect(asked.every((url) => new URL(url).host === fixture.host)).toBe(true)
  })

  it('may have its token server on another host', async () => {
    const fixture = await start(TOKENS)
    expect(fixture.tokenHost).not.toBe(fixture.host)
    await expect(watchedClient().client.resolve(at(fixture), 'v1', {})).resolves.toHaveProperty('digest')
  })

  it.each([
    ['an invalid URL', { 'www-authenticate': 'Bearer realm="not an address"' }, 'registry_error'],
    ['no realm', { 'www-authenticate': 'Bearer service="x"' }, 'unauthorized'],
    ['no challenge', {}, 'unauthorized'],
    ['another scheme', { 'www-authenticate': 'Negotiate' }, 'unauthorized'],
  ])('names %s', async (_, headers, code) => {
    const fixture = await start(TOKENS)
    fixture.fault({ server: 'registry' }, { status: 401, headers })
    await expect(watchedClient().client.resolve(at(fixture), 'v1', { credential: GOOD })).rejects.toThrow(
      expect.objectContaining({ code }),
    )
  })
})

describe('a token server that fails', () => {
  it.each([
    ['answers 403', { status: 403 }, 'unauthorized'],
    ['answers 501', { status: 501 }, 'registry_error'],
    ['answers with something other than JSON', { body: '<html>' }, 'registry_error'],
    ['answers without a token', { body: '{}' }, 'registry_error'],
    [
      'answers with a token that would split the header',
      { body: '{"token":"a\\r\\nx: y"}' },
      'registry_error',
    ],
    ['answers with an endless token', { endless: true }, 'too_large'],
    ['answers with a token of a gigabyte', { contentLength: 1_000_000_000 }, 'too_large'],
    [
      'redirects to a private address',
      { status: 302, headers: { location: 'https://10.0.0.1/' } },
      'forbidden_registry',
    ],
  ] as const)('%s: %s', async (_, fault, code) => {
    const fixture = await start(TOKENS)
    fixture.fault({ server: 'token' }, fault)
    await expect(watchedClient().client.resolve(at(fixture), 'v1', {})).rejects.toThrow(
      expect.objectContaining({ code }),
    )
    expect(fixture.bytesSent({ server: 'token' })).toBeLessThan(16_000_000)
  })

  it('only briefly is asked again', async () => {
    const fixture = await start(TOKENS)
    fixture.fault({ server: 'token' }, { status: 503 })
    fixture.fault({ server: 'token' }, { resetAfter: 5 })
    fixture.fault({ server: 'token' }, { resetAfter: 0 })
    const { client, slept } = watchedClient()
    await client.resolve(at(fixture), 'v1', {})
    expect(slept).toHaveLength(3)
  })

  it('a redirect to another origin does not get the password', async () => {
    const fixture = await start(TOKENS)
    const headers = { location: `http://${fixture.storageHost}/token` }
    fixture.fault({ server: 'token' }, { status: 307, headers })
    await watchedClient()
      .client.resolve(at(fixture), 'v1', { credential: GOOD })
      .catch(() => undefined)
    const [redirected] = fixture.requests.filter(({ server }) => server === 'storage')
    expect(redirected).toMatchObject({ path: '/token', authorization: undefined })
  })

  it('is not followed with an identity token', async () => {
    const fixture = await start(TOKENS)
    const headers = { location: `http://${fixture.storageHost}/token` }
    fixture.fault({ server: 'token' }, { status: 307, headers })
    const credential = { identitytoken: 'an-identity-token' }
    await expect(watchedClient().client.resolve(at(fixture), 'v1', { credential })).rejects.toThrow(
      expect.objectContaining({ code: 'registry_error' }),
    )
    expect(fixture.count({ server: 'storage' })).toBe(0)
  })
})
