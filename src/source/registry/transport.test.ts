import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { plainFetch, testConfiguration, watchedClient } from '../../../test/registry/client.ts'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { makeImage, makeLayer } from '../../../test/support/images.ts'
import { Problem } from '../../problem.ts'
import { systemClock } from './clock.ts'
import { retryAfterOf } from './transport.ts'

const GOOD = { username: 'me', password: 'correct horse' }

let registry: FixtureRegistry
let digest: string

const at = () => ({ registry: registry.host, repository: 'app' })

async function restart(options: Parameters<typeof FixtureRegistry.start>[0] = {}): Promise<void> {
  await registry?.close()
  registry = await FixtureRegistry.start(options)
  const image = makeImage([await makeLayer([{ name: 'a', content: 'b' }])])
  digest = image.descriptor.digest
  registry.push('app', 'v1', image)
}

beforeEach(() => restart())
afterEach(() => registry.close())

const problem = (code: string, text: string, fields: object = {}) =>
  expect.objectContaining({
    code,
    message: expect.stringContaining(text),
    fields: expect.objectContaining(fields),
  })

describe('redirects', () => {
  const redirect = (location: string, times = 1) =>
    registry.fault({ server: 'registry' }, { status: 307, headers: { location } }, times)

  it('are followed, at most five', async () => {
    const { client } = watchedClient()
    redirect('/v2/app/manifests/v1', 5)
    expect(await client.resolve(at(), 'v1', {})).toMatchObject({ digest })
    redirect('/v2/app/manifests/v1', 6)
    await expect(client.resolve(at(), 'v1', {})).rejects.toThrow(
      problem('registry_error', 'more than 5 times'),
    )
    expect(registry.requests).toHaveLength(6 + 6)
  })

  it('carry the authorization within an origin, but never to another', async () => {
    await restart({ auth: { kind: 'basic', ...GOOD } })
    const { client } = watchedClient()
    await client.resolve(at(), 'v1', { credential: GOOD })
    registry.forgetRequests()
    redirect('/v2/app/manifests/v1')
    await client.resolve(at(), 'v1', { credential: GOOD })
    expect(registry.requests.map(({ authorization }) => authorization === undefined)).toEqual([false, false])
    registry.forgetRequests()
    redirect(`http://${registry.storageHost}/app/${digest}`)
    await client.resolve(at(), 'v1', { credential: GOOD }).catch(() => undefined)
    expect(
      registry.requests.map(({ server, authorization }) => [server, authorization === undefined]),
    ).toEqual([
      ['registry', false],
      ['storage', true],
    ])
  })

  it('do not carry it back either', async () => {
    await restart({ auth: { kind: 'basic', ...GOOD } })
    const { client } = watchedClient()
    await client.resolve(at(), 'v1', { credential: GOOD })
    registry.forgetRequests()
    redirect(`http://${registry.storageHost}/`)
    registry.fault(
      { server: 'storage' },
      { status: 302, headers: { location: `http://${registry.host}/v2/app/manifests/v1` } },
    )
    await client.resolve(at(), 'v1', { credential: GOOD }).catch(() => undefined)
    expect(registry.requests[2]).toMatchObject({ server: 'registry', authorization: undefined })
  })

  it.each([
    'http://169.254.169.254/latest/meta-data',
    'https://10.0.0.1/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://0xa9fea9fe/',
    'http://2852039166/',
    'http://192.168.1.1./',
    'https://user:pass@example.com/',
    'ftp://127.0.0.1/',
    '//[::1]:1/',
  ])('to %s are refused, though the registry itself may be reached', async (location) => {
    redirect(location)
    const { client, asked } = watchedClient()
    await expect(client.resolve(at(), 'v1', {})).rejects.toThrow(problem('forbidden_registry', 'redirect'))
    expect(asked.every((url) => new URL(url).host === registry.host)).toBe(true)
  })

  it.each(['http://127.0.0.1/', 'https://[::ffff:127.0.0.1]/', 'https://0x7f000001/', 'https://localhost./'])(
    'from a public registry to %s are refused, whatever is listed',
    async (location) => {
      const { client, asked } = watchedClient({
        configuration: testConfiguration({ LAMINA_PRIVATE_REGISTRIES: '127.0.0.0/8,[::1]:443' }),
        fetch: async () => new Response(null, { status: 302, headers: { location } }),
      })
      const repository = { registry: 'registry.example', repository: 'app' }
      await expect(client.resolve(repository, 'v1', {})).rejects.toThrow(
        problem('forbidden_registry', 'redirect'),
      )
      expect(asked).toHaveLength(1)
    },
  )

  it('to an invalid URL, or nowhere, are errors', async () => {
    redirect('http://[')
    await expect(watchedClient().client.resolve(at(), 'v1', {})).rejects.toThrow(
      problem('registry_error', 'redirected to an invalid URL'),
    )
    registry.fault({}, { status: 307 })
    await expect(watchedClient().client.resolve(at(), 'v1', {})).rejects.toThrow(
      problem('registry_error', '307', { registryStatus: 307 }),
    )
  })
})

describe('a name in a range of the lists', () => {
  const repository = { registry: 'registry.example', repository: 'app' }
  const configuration = testConfiguration({ LAMINA_PRIVATE_REGISTRIES: '10.0.0.0/8' })
  const notHere = () => new Problem('forbidden_registry', 'another address')
  const redirect = (location: string) => new Response(null, { status: 302, headers: { location } })
  const missing = () => new Response(null, { status: 404 })

  it('is asked for where it was found, and may lead to addresses of the lists', async () => {
    const reaches: string[] = []
    const { client } = watchedClient({
      configuration,
      fetch: async (url, _init, reach) => {
        reaches.push(`${url.host} ${reach}`)
        if (url.host === '10.0.0.5') return missing()
        if (reach !== 'listed') throw notHere()
        return redirect('https://10.0.0.5/')
      },
    })
    for (let i = 0; i < 2; i++)
      await expect(client.resolve(repository, 'v1', {})).rejects.toThrow(problem('image_not_found', 'v1'))
    expect(reaches).toEqual([
      'registry.example public',
      'registry.example listed',
      '10.0.0.5 private',
      'registry.example listed',
      '10.0.0.5 private',
    ])
  })

  it('that has another address since then may no longer lead there', async () => {
    let isPublic = false
    const { client } = watchedClient({
      configuration,
      fetch: async (url, _init, reach) => {
        if (url.host !== 'registry.example') throw new Error('reached')
        if ((reach === 'public') !== isPublic) throw notHere()
        return isPublic ? redirect('https://10.0.0.5/') : missing()
      },
    })
    await expect(client.resolve(repository, 'v1', {})).rejects.toThrow(problem('image_not_found', 'v1'))
    isPublic = true
    await expect(client.resolve(repository, 'v1', {})).rejects.toThrow(
      problem('forbidden_registry', 'redirect'),
    )
  })
})

describe('temporary failures are retried', () => {
  it.each([408, 429, 500, 502, 503, 504])(
    'after a %d, at most five times, with growing waits',
    async (status) => {
      const { client, slept } = watchedClient()
      registry.fault({}, { status })
      expect(await client.resolve(at(), 'v1', {})).toMatchObject({ digest })
      expect(slept).toHaveLength(1)
      slept.length = 0
      registry.fault({}, { status }, 100)
      await expect(client.resolve(at(), 'v1', {})).rejects.toMatchObject({
        fields: { registryStatus: status },
      })
      expect(slept).toHaveLength(5)
      for (const [i, milliseconds] of slept.entries()) {
        expect(milliseconds).toBeGreaterThanOrEqual(125 * 2 ** i)
        expect(milliseconds).toBeLessThanOrEqual(250 * 2 ** i)
      }
    },
  )

  it('after a reset, before the headers or in the body', async () => {
    const { client, slept } = watchedClient()
    registry.fault({ method: 'GET' }, { resetAfter: 10 })
    registry.fault({ method: 'GET' }, { resetAfter: 0 })
    expect(await client.manifest(at(), 'v1', {})).toMatchObject({ digest })
    expect(slept).toHaveLength(2)
    registry.fault({ method: 'GET' }, { resetAfter: 10 }, 100)
    await expect(client.manifest(at(), 'v1', {})).rejects.toThrow(problem('registry_error', 'dropped'))
  })

  it('after a stall, before the headers or in the body', async () => {
    const { client, slept } = watchedClient({ timeouts: { idleMilliseconds: 500 } })
    registry.fault({ method: 'GET' }, { stallAfter: 10 })
    registry.fault({ method: 'GET' }, { delayMilliseconds: 2_000 })
    expect(await client.manifest(at(), 'v1', {})).toMatchObject({ digest })
    expect(slept).toHaveLength(2)
  })

  it('until every attempt stalls', async () => {
    const { client } = watchedClient({ timeouts: { idleMilliseconds: 100 } })
    registry.fault({ method: 'GET' }, { stallAfter: 10 }, 100)
    await expect(client.manifest(at(), 'v1', {})).rejects.toThrow(problem('registry_timeout', 'in time'))
  })

  it.each([400, 404, 501])('but not after a %d', async (status) => {
    const { client, slept } = watchedClient()
    registry.fault({}, { status }, 100)
    await expect(client.manifest(at(), 'v1', {})).rejects.toMatchObject({
      fields: { registryStatus: status },
    })
    expect(slept).toEqual([])
  })

  it('nor if nothing listens', async () => {
    const { client, slept } = watchedClient()
    await registry.close()
    await expect(client.resolve(at(), 'v1', {})).rejects.toThrow(problem('registry_error', 'refused'))
    expect(slept).toEqual([])
  })
})

describe('Retry-After', () => {
  it('is respected', async () => {
    const { client, slept } = watchedClient()
    registry.fault({}, { status: 429, headers: { 'retry-after': '7' } })
    await client.resolve(at(), 'v1', {})
    expect(slept).toEqual([7_000])
  })

  it("up to the request's own time limit; then the rate limit is reported with the time to wait", async () => {
    const { client, slept } = watchedClient()
    const body = JSON.stringify({
      errors: [{ code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit.' }],
    })
    registry.fault({ method: 'GET' }, { status: 429, headers: { 'retry-after': '7' }, body }, 10)
    await expect(client.manifest(at(), 'v1', { deadline: Date.now() + 1_000 })).rejects.toThrow(
      problem('registry_error', `rate limited by registry ${registry.host} for ${registry.host}/app:v1`, {
        retryAfter: 7,
        registryStatus: 429,
      }),
    )
    await expect(client.manifest(at(), 'v1', { deadline: Date.now() + 1_000 })).rejects.toThrow(
      'pull rate limit',
    )
    expect(slept).toEqual([])
  })

  it('but never longer than all retries together may take', async () => {
    const { client, slept } = watchedClient()
    registry.fault({}, { status: 503, headers: { 'retry-after': '25' } }, 10)
    await expect(client.resolve(at(), 'v1', {})).rejects.toMatchObject({ fields: { retryAfter: 25 } })
    expect(slept).toEqual([25_000, 25_000])
  })

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Tue, 14 Nov 2023 22:13:30 GMT', 10_000],
    ['Tue, 14 Nov 2023 22:13:00 GMT', 0],
    // No registry means years: at most a day is believed and passed on to callers.
    ['86401', 86_400_000],
    [`1${'0'.repeat(30)}`, 86_400_000],
    ['9'.repeat(400), 86_400_000],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 86_400_000],
    ['1e+30', undefined],
    ['soon', undefined],
    [undefined, undefined],
  ])('%s', (value, milliseconds) => {
    const headers = value === undefined ? {} : { 'retry-after': value }
    expect(retryAfterOf(new Response(null, { headers }), 1_700_000_000_000)).toBe(milliseconds)
  })
})

describe('the caller', () => {
  it('who leaves ends both the wait between attempts and a running request', async () => {
    const { client } = watchedClient({ clock: systemClock })
    registry.fault({}, { status: 503, headers: { 'retry-after': '50' } })
    await expect(client.resolve(at(), 'v1', { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout')
    registry.fault({}, { until: new Promise(() => undefined) })
    await expect(client.resolve(at(), 'v1', { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout')
  })
})

describe('the scheme', () => {
  it('of an insecure registry is found once, and remembered', async () => {
    const { client, asked } = watchedClient()
    await client.resolve(at(), 'v1', {})
    await client.resolve(at(), 'v1', {})
    expect(asked.map((url) => new URL(url).protocol)).toEqual(['https:', 'http:', 'http:'])
  })

  it('is https for all others: plain http is not even tried', async () => {
    const configuration = testConfiguration({ LAMINA_PRIVATE_REGISTRIES: '127.0.0.0/8' })
    const { client, asked } = watchedClient({ configuration })
    await expect(client.resolve(at(), 'v1', {})).rejects.toThrow(
      problem(
        'registry_error',
        `to allow plain HTTP, add it to LAMINA_INSECURE_REGISTRIES: LAMINA_INSECURE_REGISTRIES=${registry.host}`,
      ),
    )
    expect(asked.map((url) => new URL(url).protocol)).toEqual(['https:'])
    expect(registry.requests).toEqual([])
  })

  it('stays https if the certificate is untrusted, even for an insecure registry', async () => {
    await restart({ tls: true })
    const { client, asked } = watchedClient()
    await expect(client.resolve(at(), 'v1', {})).rejects.toThrow(problem('registry_error', 'certificate'))
    expect(asked.map((url) => new URL(url).protocol)).toEqual(['https:'])
  })

  it('does not fall back to plain http for a server that speaks TLS, even if the runtime hides why TLS failed', async () => {
    await restart({ tls: true })
    const { client } = watchedClient({
      fetch: async (url, init, reach) => {
        if (url.protocol === 'https:') throw new Error('internal error; reference = abc')
        return plainFetch(url, init, reach)
      },
    })
    await expect(client.resolve(at(), 'v1', {})).rejects.toThrow(
      problem('registry_error', `could not read ${registry.host}/app:v1`),
    )
  })

  it('nor on a port other than the one where TLS failed', async () => {
    const { client, asked } = watchedClient({
      configuration: testConfiguration({ LAMINA_INSECURE_REGISTRIES: 'registry.example' }),
      fetch: async () => {
        throw new Error('internal error; reference = abc')
      },
    })
    const repository = { registry: 'registry.example', repository: 'a' }
    await expect(client.resolve(repository, 'v1', {})).rejects.toThrow(
      problem('registry_error', 'could not connect to registry.example'),
    )
    expect(asked).toEqual(['https://registry.example/v2/a/manifests/v1'])
  })
})

describe("a registry's error is quoted", () => {
  it('only its code and message, in one line of at most 500 characters', async () => {
    const body = JSON.stringify({
      errors: [
        { code: 'DENIED', message: 'no\nsuch\u001b[31m luck', detail: 'inside' },
        { code: 'UNKNOWN', message: 'x'.repeat(1_000) },
      ],
      secret: 'inside',
    })
    registry.fault({ method: 'GET' }, { status: 400, body })
    const told = await watchedClient()
      .client.manifest(at(), 'v1', {})
      .catch((error) => error.message)
    expect(told).toContain('(DENIED: no such [31m luck; UNKNOWN: xxx')
    expect(told).not.toContain('inside')
    expect(told.length).toBeLessThan(700)
  })

  it.each(['<html>', '[]', '{"errors":"x"}', '{"errors":[{"code":1}]}', ''])(
    'unless it is %j',
    async (body) => {
      registry.fault({ method: 'GET' }, { status: 400, body })
      await expect(watchedClient().client.manifest(at(), 'v1', {})).rejects.toThrow(
        `${registry.host} answered 400 for ${registry.host}/app:v1`,
      )
    },
  )

  it.each([401, 403])('a %d behind a redirect does not count as unauthorized', async (status) => {
    await restart({ redirectBlobs: true })
    const descriptor = { mediaType: 'x', digest: registry.putBlob('app', new Uint8Array(10)), size: 10 }
    const headers = { 'www-authenticate': 'Basic realm="storage"' }
    registry.fault({ server: 'storage' }, { status, headers })
    const told = watchedClient().client.blob(at(), descriptor, { credential: GOOD })
    await expect(told).rejects.toThrow(problem('registry_error', String(status), { registryStatus: status }))
    await expect(told).rejects.toMatchObject({ message: expect.not.stringContaining('secret-signature') })
    expect(registry.requests.map(({ authorization }) => authorization)).toEqual([undefined, undefined])
  })
})
