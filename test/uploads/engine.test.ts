/** Images of a Docker Engine: saved once, read like those of a registry, and analysed as the engine reports them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startNode } from '../../workers/node/service.ts'
import { CERTIFICATE, PRIVATE_KEY } from '../registry/certificate.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask, type Query } from '../support/ask.ts'
import { TestEngine, type TestEngineOptions } from '../support/engine.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { SETTINGS, startService, type TestService, temporaryData } from '../support/service.ts'

const SLOW = { timeout: 60_000, interval: 100 }
const HIDDEN = 'hidden-name-of-a-file'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function startEngine(options?: TestEngineOptions): Promise<TestEngine> {
  const engine = await TestEngine.start(options)
  ends.push(() => engine.stop())
  return engine
}

async function startReader(engine: TestEngine, settings: Record<string, string> = {}): Promise<TestService> {
  const service = await startService('node', { LAMINA_DOCKER_HOST: engine.address, ...settings })
  ends.push(() => service.stop())
  return service
}

const report = (url: string, image: string, query: Query = {}) =>
  ask(url, '/v1/report', { query: { image, wait: 60, ...query } })

describe('an image of an engine', () => {
  let image: TestImage

  beforeAll(async () => {
    const base = await makeLayer([{ name: 'etc/base', content: 'base' }], { compression: 'none' })
    const top = await makeLayer([{ name: HIDDEN, content: 'of this engine' }], { compression: 'none' })
    image = makeImage([base, top])
  })

  it('has the same report as in a registry, by its name and by its ID', async () => {
    const engine = await startEngine()
    engine.add('app:dev', image)
    const registry = await FixtureRegistry.start()
    ends.push(() => registry.close())
    const service = await startReader(engine)
    const pushed = await report(service.url, registry.push('app', 'v1', image))
    const id = image.config.descriptor.digest
    for (const name of ['app:dev', id]) {
      const saved = await report(service.url, `docker-daemon:${name}`)
      expect(saved.status, JSON.stringify(saved.body)).toBe(200)
      expect(saved.body.image).toMatchObject({ transport: 'docker-daemon', id })
      expect(saved.body.image).not.toHaveProperty('registry')
      expect(saved.body.counts).toEqual(pushed.body.counts)
      expect(saved.body.layers.map((layer: { diffId: string }) => layer.diffId)).toEqual(
        image.layers.map(({ diffId }) => diffId),
      )
    }
    expect((await report(service.url, 'docker-daemon:not/here')).body.code).toBe('image_not_found')
  })

  it('is saved once into a file beside the store, and never again once its layers are indexed', async () => {
    const engine = await startEngine()
    engine.add('app:dev', image)
    const data = await temporaryData()
    ends.push(() => rm(data, { recursive: true, force: true }))
    for (let start = 0; start < 2; start++) {
      const service = await startReader(engine, { LAMINA_DATA: data })
      expect((await report(service.url, 'docker-daemon:app:dev')).status).toBe(200)
      const store = await import('../../workers/node/store/folder-store.ts').then(
        ({ FolderStore }) => new FolderStore(data),
      )
      for (const prefix of ['uploads/', 'archives/'])
        expect(await Array.fromAsync(store.list(prefix))).toEqual([])
      engine.add('app:again', image, 'tag')
      expect((await report(service.url, 'docker-daemon:app:again')).status).toBe(200)
      await service.stop()
    }
    expect(engine.savings).toBe(1)
  })

  it('keeps being saved after the first caller has left', async () => {
    const engine = await startEngine()
    engine.add('app:dev', image)
    const release = engine.holdSavings()
    const service = await startReader(engine)
    const leaving = new AbortController()
    const first = fetch(`${service.url}/v1/report?image=docker-daemon:app:dev`, { signal: leaving.signal })
    first.catch(() => {})
    await expect.poll(() => engine.savings, SLOW).toBe(1)
    leaving.abort()
    const second = report(service.url, 'docker-daemon:app:dev')
    release()
    expect((await second).status).toBe(200)
    expect(engine.savings).toBe(1)
  })

  it('is shown in no other way', async () => {
    const engine = await startEngine()
    engine.add('app:dev', image)
    const registry = await FixtureRegistry.start()
    ends.push(() => registry.close())
    const service = await startReader(engine)
    const { body } = await report(service.url, 'docker-daemon:app:dev')
    registry.putManifest('stolen', 'v1', image.descriptor.mediaType, image.bytes)
    registry.putBlob('stolen', image.config.bytes)
    for (const other of [
      `${registry.host}/stolen:v1`,
      `${registry.host}/none@${body.image.digest}`,
      `docker-daemon:other@${body.image.digest}`,
      `upload:${'A'.repeat(22)}`,
    ]) {
      const answer = await report(service.url, other)
      expect(answer.status, other).toBeGreaterThanOrEqual(400)
      expect(JSON.stringify(answer.body)).not.toContain(HIDDEN)
    }
  })

  it("is read over TCP, and over TLS with Docker's certificates", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lamina-certificates-'))
    ends.push(() => rm(folder, { recursive: true, force: true }))
    for (const [name, text] of [
      ['ca.pem', CERTIFICATE],
      ['cert.pem', CERTIFICATE],
      ['key.pem', PRIVATE_KEY],
    ] as const)
      await writeFile(join(folder, name), text)
    const tls = {
      cert: CERTIFICATE,
      key: PRIVATE_KEY,
      ca: CERTIFICATE,
      requestCert: true,
      rejectUnauthorized: true,
    }
    const plain = await startEngine({ tcp: true })
    const secret = await startEngine({ tcp: true, tls })
    const certificates = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder }
    for (const [engine, settings, status] of [
      [plain, {}, 200],
      [secret, certificates, 200],
      [secret, {}, 502],
      [plain, certificates, 502],
    ] as const) {
      engine.add('app:dev', image)
      const service = await startReader(engine, settings)
      expect((await report(service.url, 'docker-daemon:app:dev')).status).toBe(status)
      await service.stop()
    }
  })
})

describe('a service that watches its engine', () => {
  const analysed = async (url: string, outcome: string) => {
    const text = await (await fetch(`${url}/metrics`)).text()
    return Number(
      new RegExp(`^lamina_engine_images_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0,
    )
  }
  let made = 0
  const newImage = async () =>
    makeImage([await makeLayer([{ name: `file-${made++}`, content: 'new' }], { compression: 'none' })])

  it('analyses new images before anybody asks, including those added while the connection was broken', async () => {
    const engine = await startEngine()
    const service = await startReader(engine, { LAMINA_DOCKER_WATCH: '1' })
    await expect.poll(() => engine.listeners, SLOW).toBe(1)
    const first = await newImage()
    engine.add('app:one', first)
    await expect.poll(() => analysed(service.url, 'analysed'), SLOW).toBe(1)
    engine.add('app:two', first, 'tag')
    await expect.poll(() => analysed(service.url, 'known'), SLOW).toBe(1)
    expect((await report(service.url, 'docker-daemon:app:two', { wait: 0 })).status).toBe(200)
    expect(engine.savings).toBe(1)

    expect(engine.breakEvents()).toBe(1)
    engine.add('app:three', await newImage(), 'pull')
    await expect.poll(() => analysed(service.url, 'analysed'), SLOW).toBe(2)
    expect((await report(service.url, 'docker-daemon:app:three', { wait: 0 })).status).toBe(200)
    const asked = engine.requests.filter((path) => path.startsWith('/events'))
    expect(asked).toHaveLength(2)
    for (const path of asked) {
      const filters = JSON.parse(new URL(path, 'http://engine').searchParams.get('filters') ?? '')
      expect(filters).toEqual({ type: ['image'], event: ['pull', 'load', 'import', 'tag'] })
    }
  })

  it('analyses images side by side: one that takes long delays no other', async () => {
    const engine = await startEngine()
    const service = await startReader(engine, { LAMINA_DOCKER_WATCH: '1' })
    await expect.poll(() => engine.listeners, SLOW).toBe(1)
    const release = engine.holdSavings()
    for (const name of ['app:one', 'app:two']) engine.add(name, await newImage())
    await expect.poll(() => engine.savings, SLOW).toBe(2)
    release()
    await expect.poll(() => analysed(service.url, 'analysed'), SLOW).toBe(2)
  })

  it('starts before its engine does, and stops while it waits', async () => {
    const engine = await startEngine({ tcp: true })
    await engine.stop()
    const data = await temporaryData()
    const service = await startNode({
      ...SETTINGS,
      LAMINA_DATA: data,
      LAMINA_DOCKER_HOST: engine.address,
      LAMINA_DOCKER_WATCH: '1',
    })
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200)
    await service.stop()
    await rm(data, { recursive: true, force: true })
  })
})
