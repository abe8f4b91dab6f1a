/** Registries whose names resolve to private addresses, which the ranges in the settings allow. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { canNameHosts, withHosts } from '../support/named-hosts.ts'
import { HOSTS, type SpawnedService, spawnCommand, temporaryData } from '../support/service.ts'

const NAME = 'registry.corp.test'
const START = {
  worker: 'workers/cloudflare/start.ts',
  node: 'workers/node/start.ts',
}

let registry: FixtureRegistry
let port: string

beforeAll(async () => {
  registry = await FixtureRegistry.start({ auth: { kind: 'token', username: 'me', password: 'secret' } })
  registry.push('app', 'v1', makeImage([await makeLayer([{ name: 'a', content: 'b' }])]))
  port = registry.host.split(':')[1] ?? ''
})

afterAll(() => registry.close())

describe.skipIf(!canNameHosts()).each(HOSTS)('on %s', (host) => {
  let data: string
  let service: SpawnedService | undefined

  const start = async (settings: Record<string, string>) => {
    const main = fileURLToPath(new URL(`../../${START[host]}`, import.meta.url))
    const command = withHosts([process.execPath, main], { [NAME]: '127.0.0.1' }, join(data, 'hosts'))
    service = await spawnCommand(command, data, settings)
    return service.url
  }
  const report = (url: string) =>
    ask(url, '/v1/report', { query: { image: `${NAME}:${port}/app:v1`, wait: 60 } })

  beforeAll(async () => {
    data = await temporaryData()
  })

  afterAll(async () => {
    await service?.end('SIGTERM')
    await rm(data, { recursive: true, force: true })
  })

  it('a range holds the address of a name, for its token server too', async () => {
    const url = await start({
      LAMINA_PRIVATE_REGISTRIES: '127.0.0.0/8',
      LAMINA_INSECURE_REGISTRIES: '127.0.0.0/8',
    })
    expect(await report(url)).toMatchObject({ status: 200, body: { size: { fileBytes: 1 } } })
    await service?.end('SIGTERM')
  })

  it('another range does not, and the refusal tells the line to set', async () => {
    const asked = registry.requests.length
    const url = await start({
      LAMINA_PRIVATE_REGISTRIES: '10.0.0.0/8',
      LAMINA_INSECURE_REGISTRIES: '127.0.0.0/8',
    })
    const { body } = await report(url)
    expect(body.detail).toContain(`LAMINA_PRIVATE_REGISTRIES=${NAME}`)
    expect(registry.requests).toHaveLength(asked)
    await service?.end('SIGTERM')
  })

  it('a range of addresses without TLS allows plain http only there', async () => {
    const asked = registry.requests.length
    const url = await start({
      LAMINA_PRIVATE_REGISTRIES: '127.0.0.0/8',
      LAMINA_INSECURE_REGISTRIES: '10.0.0.0/8',
    })
    expect((await report(url)).body.code).toBe('registry_error')
    expect(registry.requests).toHaveLength(asked)
    await service?.end('SIGTERM')
    service = undefined
  })
})
