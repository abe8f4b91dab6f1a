/** Credentials go only to their registry: no answer, log, metric or stored object contains one. */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { registryAuth } from '../support/ask.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, type SpawnedService, spawnService, temporaryData } from '../support/service.ts'

const OWNER = { username: 'owner-of-it', password: 'Pass-word-of-the-0wner' }
const WRONG = { username: 'owner-of-it', password: 'Wr0ng-word-of-the-owner' }
const LENT = { username: 'lent-to-the-service', password: 'Pass-word-that-is-l3nt' }
const IDENTITY_TOKEN = 'identity-token-0123456789'
const REGISTRY_TOKEN = 'registry-token-0123456789'
const SERVICE_TOKEN = 'service-token-0123456789'
/** A name in the image, to check that the searched data contains what it should. */
const MARK = 'name-of-a-file-in-the-image'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const pair = ({ username, password }: typeof OWNER) => base64(`${username}:${password}`)

describe.each(HOSTS)('on %s', (host) => {
  const registries: FixtureRegistry[] = []
  const shown: string[] = []
  const secrets = new Set([IDENTITY_TOKEN, REGISTRY_TOKEN, SERVICE_TOKEN])
  let data: string
  let service: SpawnedService

  /** Keeps everything that callers receive. */
  async function tell(
    path: string,
    headers: Record<string, string>,
    init: RequestInit = {},
  ): Promise<number> {
    for (const name of ['x-registry-auth', 'x-registry-config'])
      if (headers[name] !== undefined) secrets.add(headers[name])
    const answer = await fetch(service.url + path, {
      ...init,
      headers: { authorization: `Bearer ${SERVICE_TOKEN}`, ...headers },
    })
    shown.push(JSON.stringify([...answer.headers]), await answer.text())
    return answer.status
  }

  const report = (image: string, headers: Record<string, string>) =>
    tell(`/v1/report?${new URLSearchParams({ image, wait: '60' })}`, headers)

  async function start(auth: Parameters<typeof FixtureRegistry.start>[0]): Promise<FixtureRegistry> {
    const registry = await FixtureRegistry.start(auth)
    registries.push(registry)
    return registry
  }

  beforeAll(async () => {
    for (const each of [OWNER, WRONG, LENT]) secrets.add(each.password).add(pair(each))
    const basic = await start({ auth: { kind: 'basic', ...OWNER } })
    const token = await start({
      auth: { kind: 'token', ...OWNER, identityToken: IDENTITY_TOKEN, registryToken: REGISTRY_TOKEN },
    })
    const lent = await start({ auth: { kind: 'token', ...LENT } })
    data = await temporaryData()
    service = await spawnService(host, data, {
      LAMINA_TOKENS: SERVICE_TOKEN,
      LAMINA_CREDENTIALS: JSON.stringify({ auths: { [lent.host]: { auth: pair(LENT) } } }),
    })
    const layer = (content: string) => makeLayer([{ name: MARK, content }])
    const config = (registry: FixtureRegistry, credential: object) => ({
      'x-registry-config': Buffer.from(JSON.stringify({ [registry.host]: credential })).toString('base64url'),
    })

    const closed = basic.push('closed', 'v1', makeImage([await layer('basic')]))
    expect(await report(closed, registryAuth(OWNER))).toBe(200)
    expect(await report(closed, registryAuth(WRONG))).toBe(401)
    expect(await report(closed, config(basic, WRONG))).toBe(401)

    const hidden = (tag: string, content: string) =>
      layer(content).then((one) => token.push('private/hidden', tag, makeImage([one])))
    const [v1, v2, v3] = [await hidden('v1', '1'), await hidden('v2', '2'), await hidden('v3', '3')]
    expect(await report(v1, config(token, OWNER))).toBe(200)
    expect(await report(v2, registryAuth({ identitytoken: IDENTITY_TOKEN }))).toBe(200)
    expect(await report(v3, registryAuth({ registrytoken: REGISTRY_TOKEN }))).toBe(200)
    expect(await report(v1, registryAuth(WRONG))).toBe(401)

    const own = lent.push('private/own', 'v1', makeImage([await layer('lent')]))
    expect(await report(own, {})).toBe(200)
    expect(await report(own, { authorization: 'Bearer no-such-token' })).toBe(401)

    // Analyses and their events; one fails with the registry's message, which echoes what it was sent.
    const words = `who is ${OWNER.username}:${OWNER.password}, ${pair(OWNER)}?`
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: words }] })
    const failing = basic.push('failing', 'v1', makeImage([await layer('failing')]))
    basic.fault({ method: 'GET', path: /failing\/blobs/ }, { status: 403, body }, 20)
    const post = { method: 'POST', body: JSON.stringify({ image: failing }) }
    const headers = { 'content-type': 'application/json', ...registryAuth(OWNER) }
    await tell('/v1/analyses', headers, post)
    const id = /"id":"([^"]+)"/.exec(shown.at(-1) ?? '')?.[1]
    if (id !== undefined) await tell(`/v1/analyses/${id}/events`, registryAuth(OWNER))
    expect(await report(failing, registryAuth(OWNER))).toBe(401)

    expect(await report(closed, { 'x-registry-auth': `${base64(OWNER.password)}!` })).toBe(400)
    await tell('/metrics', {})
    for (const { authorization } of registries.flatMap(({ requests }) => requests)) {
      const secret = authorization?.split(' ')[1]
      if (secret !== undefined) secrets.add(secret)
    }
  })

  afterAll(async () => {
    await Promise.all([service?.end('SIGKILL'), ...registries.map((registry) => registry.close())])
    await rm(data, { recursive: true, force: true })
  })

  const expectNone = (where: string, bytes: Buffer | string) => {
    for (const secret of secrets) expect(bytes.includes(secret), `${secret} in ${where}`).toBe(false)
  }

  it('reveals none to callers', () => {
    expect(shown.join('\n')).toContain(MARK)
    expectNone('answers', shown.join('\n'))
  })

  it('prints none', () => {
    if (host === 'node') expect(service.output()).toContain('private/hidden')
    expectNone('the output', service.output())
  })

  it('stores none', async () => {
    const files = (await readdir(data, { recursive: true, withFileTypes: true })).filter((file) =>
      file.isFile(),
    )
    let found = false
    for (const { parentPath, name } of files) {
      const bytes = await readFile(join(parentPath, name))
      found ||= bytes.includes(MARK)
      expectNone(name, bytes)
      expectNone('a name', join(parentPath, name))
    }
    expect(found).toBe(true)
  })

  it('sends them only to their registry', () => {
    expect(secrets.size).toBeGreaterThan(15)
    const sent = (registry: FixtureRegistry) =>
      registry.requests.map((request) => JSON.stringify(request)).join('\n')
    const [basic, token, lent] = registries.map(sent)
    expect(basic).not.toContain(IDENTITY_TOKEN)
    expect(lent).not.toContain(pair(OWNER))
    expect(basic).not.toContain(pair(LENT))
    expect(token).not.toContain(pair(LENT))
    expect([basic, token, lent].join('\n')).not.toContain(SERVICE_TOKEN)
  })
})
