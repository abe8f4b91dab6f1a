/** How a service ends: on request, still answering what it has begun; or killed, leaving nothing half-made to serve. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { rm, utimes } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startNode } from '../../workers/node/service.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { LONG, tries } from '../layers/tries.ts'
import { LOOPBACK_SETTINGS } from '../registry/client.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import {
  type HostName,
  type SpawnedService,
  spawnService,
  startService,
  type TestService,
  temporaryData,
} from '../support/service.ts'
import {
  blobPath,
  expectNothingWrong,
  expectWhole,
  MANY_PACKAGES,
  manifestPath,
  newSubject,
  reportOf,
  type Served,
} from '../support/subject.ts'

let registry: FixtureRegistry
/** This one is never interrupted: what it stores is right. */
let healthy: Served & Pick<TestService, 'stop'>

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  const service = await startService('node')
  healthy = { url: service.url, stop: service.stop, store: await service.store() }
})

afterEach(() => registry.clearFaults())

afterAll(async () => {
  await Promise.all([registry?.close(), healthy?.stop()])
})

/** When a service is killed in this round, in milliseconds below 500: the same in each run. */
function momentOf(round: number): number {
  return createHash('sha256').update(`${round}`).digest().readUInt16LE() % 500
}

/** A folder of data, removed after the test. */
async function ownData(): Promise<string> {
  const data = await temporaryData()
  onTestFinished(() => rm(data, { recursive: true, force: true }))
  return data
}

/** What a killed service leaves under `temporary/` is removed once it is a day old: here it is a day old. */
async function removeLeftovers(data: string): Promise<void> {
  for await (const key of new FolderStore(data).list('temporary/')) await utimes(join(data, key), 0, 0)
  await new FolderStore(data).cleaned()
}

/** A service in a separate process, ended after the test if the test has not done so. */
async function spawnOwn(host: HostName, data: string): Promise<SpawnedService> {
  const service = await spawnService(host, data)
  onTestFinished(async () => {
    if (!isGone(service)) await service.end('SIGKILL')
  })
  return service
}

async function accepts(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** A connection on which one request was answered and no other follows. */
async function idleConnection(url: string): Promise<{ readonly closed: Promise<unknown> }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const closed = once(socket, 'close')
  socket.write(`GET /healthz HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`)
  await once(socket, 'data')
  socket.resume()
  return { closed }
}

/** Whether any process is left of a service that led its process group. */
function isGone({ pid }: SpawnedService): boolean {
  try {
    process.kill(-pid, 0)
    return false
  } catch {
    return true
  }
}

describe('the Node host when told to stop', () => {
  it('answers requests in progress and nothing else', async () => {
    const data = await ownData()
    const service = await spawnOwn('node', data)
    const slow = await newSubject(registry, MANY_PACKAGES)
    registry.fault(
      { path: blobPath(slow, 0), method: 'GET' },
      { drip: { bytes: 600_000, milliseconds: 120 } },
    )
    const report = reportOf(service.url, slow)
    await expect.poll(() => registry.count({ path: blobPath(slow, 0), method: 'GET' })).toBe(1)
    const { headers } = await fetch(`${service.url}/v1/report?image=${slow.reference}`)
    const events = fetch(`${service.url}${headers.get('location')}/events`).then((answer) => answer.text())
    // A request that has not reached an analysis.
    const other = await newSubject(registry)
    const head = { path: manifestPath(other), method: 'HEAD' }
    registry.fault(head, { delayMilliseconds: 300 })
    const config = ask(service.url, '/v1/config', { query: { image: other.reference } })
    await expect.poll(() => registry.count(head)).toBe(1)
    const idle = await idleConnection(service.url)
    let isAnswered = false
    void report.then(() => {
      isAnswered = true
    })
    const ended = service.end('SIGTERM')
    await expect.poll(() => accepts(service.url)).toBe(false)
    await idle.closed
    // Idle connections do not delay it longer than that.
    expect(isAnswered).toBe(false)
    expect((await config).status).toBe(200)
    const { status, body } = await report
    expect({ status, body }).toEqual({ status: 200, body: (await reportOf(healthy.url, slow)).body })
    expect((await events).trimEnd().split('\n\n').at(-1)).toContain('event: succeeded')
    expect(await ended).toBe(0)
    expect(isGone(service)).toBe(true)
    await expectNothingWrong(new FolderStore(data), healthy, slow)
  })

  it('is no longer ready, but keeps accepting connections for a while', async () => {
    const service = await spawnService('node', await ownData(), { LAMINA_DRAIN_SECONDS: '8' })
    const ready = async () => (await fetch(`${service.url}/readyz`)).status
    expect(await ready()).toBe(200)
    const ended = service.end('SIGTERM')
    await expect.poll(ready, { interval: 20 }).toBe(503)
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200)
    expect(await ended).toBe(0)
  })

  it('ends on SIGINT too', async () => {
    const service = await spawnOwn('node', await ownData())
    expect(await service.end('SIGINT')).toBe(0)
  })

  it('does not wait for connections that were never used', async () => {
    const data = await ownData()
    const service = await startNode({ ...LOOPBACK_SETTINGS, PORT: '0', LAMINA_DATA: data })
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
    await once(socket, 'connect')
    // Connections are accepted in turn: by now that one is, too.
    await (await fetch(`${service.url}/healthz`)).text()
    const closed = once(socket, 'close')
    // Without a limit.
    await service.stop()
    await closed
  })

  it('does not wait beyond its limit', async () => {
    const data = await ownData()
    const service = await startNode({ ...LOOPBACK_SETTINGS, PORT: '0', LAMINA_DATA: data })
    const hanging = await newSubject(registry)
    registry.fault({ path: blobPath(hanging, 0), method: 'GET' }, { stallAfter: 100 }, 10)
    const report = reportOf(service.url, hanging).catch(() => 'cut off')
    await expect.poll(() => registry.count({ path: blobPath(hanging, 0), method: 'GET' })).toBe(1)
    await service.stop(300)
    expect(await report).toBe('cut off')
    registry.clearFaults()
    await expectNothingWrong(new FolderStore(data), healthy, hanging)
  })

  if (LONG)
    it('ends eventually, whatever hangs', async () => {
      const data = await ownData()
      const service = await spawnOwn('node', data)
      const hanging = await newSubject(registry)
      registry.fault(
        { path: blobPath(hanging, 0), method: 'GET' },
        { drip: { bytes: 1, milliseconds: 5_000 } },
        10,
      )
      const report = reportOf(service.url, hanging).catch(() => 'cut off')
      await expect.poll(() => registry.count({ path: blobPath(hanging, 0), method: 'GET' })).toBe(1)
      expect(await service.end('SIGTERM')).toBe(0)
      expect(await report).toBe('cut off')
    })
})

describe('the Node host when killed', () => {
  it('at any moment serves nothing half-made afterwards, and finishes the work', async () => {
    const data = await ownData()
    const store = new FolderStore(data)
    let service = await spawnOwn('node', data)
    for (let round = 0; round < tries(2, 40); round++) {
      const subject = await newSubject(registry, MANY_PACKAGES)
      registry.fault({ path: /blobs/, method: 'GET' }, { drip: { bytes: 500_000, milliseconds: 20 } }, 10)
      const report = reportOf(service.url, subject).catch(() => undefined)
      await expect.poll(() => registry.count({ path: blobPath(subject, 0), method: 'GET' })).toBe(1)
      await sleep(momentOf(round))
      await service.end('SIGKILL')
      registry.clearFaults()
      await report
      await expectNothingWrong(store, healthy, subject)
      await removeLeftovers(data)
      service = await spawnOwn('node', data)
      await expectWhole({ url: service.url, store }, healthy, subject)
    }
  })
})

describe('the Worker when told to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('by %s ends at once together with its runtime', async (signal) => {
    const data = await ownData()
    const service = await spawnOwn('worker', data)
    const subject = await newSubject(registry)
    registry.fault({ path: blobPath(subject, 0), method: 'GET' }, { stallAfter: 100 }, 10)
    const report = reportOf(service.url, subject).catch(() => 'cut off')
    await expect.poll(() => registry.count({ path: blobPath(subject, 0), method: 'GET' })).toBe(1)
    expect(await service.end(signal)).toBe(0)
    expect(await report).toBe('cut off')
    expect(await accepts(service.url)).toBe(false)
    expect(isGone(service)).toBe(true)
  })
})
