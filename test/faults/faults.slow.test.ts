/**
 * Failures beneath the Node host: its disk, its S3, its threads. It reports them, leaves nothing half-made, and answers the
 * same request correctly as soon as it can.
 */
import { spawnSync } from 'node:child_process'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { S3Store } from '../../workers/node/store/s3-store.ts'
import { LONG } from '../layers/tries.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { startS3, type TestS3 } from '../support/s3.ts'
import { S3Proxy, type StorageFault, type StorageRequest } from '../support/s3-proxy.ts'
import {
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
  newSubject,
  reportOf,
  type Served,
  type Subject,
} from '../support/subject.ts'

let registry: FixtureRegistry
/** Nothing ever fails beneath this one: what it stores is right. */
let healthy: SpawnedService & Served
let healthyData: string

beforeAll(async () => {
  healthyData = await temporaryData()
  registry = await FixtureRegistry.start()
  healthy = { ...(await spawnService('node', healthyData)), store: new FolderStore(healthyData) }
})

afterEach(() => registry.clearFaults())

afterAll(async () => {
  await Promise.all([registry?.close(), healthy?.end('SIGKILL')])
  await rm(healthyData, { recursive: true, force: true })
})

async function expectStoreError(url: string, subject: Subject): Promise<void> {
  const { status, headers, body } = await reportOf(url, subject)
  expect({ status, code: body.code }).toEqual({ status: 503, code: 'store_error' })
  expect(headers.get('content-type')).toBe('application/problem+json')
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(headers.get('cache-control')).toBe('no-store')
}

/** Both read a layer at the same time: it is sent once both have asked, so that neither finds the other's result. */
async function reportsOfBoth(services: readonly { readonly url: string }[], subject: Subject) {
  const { promise: until, resolve: release } = Promise.withResolvers<void>()
  const blob = { path: blobPath(subject, 0), method: 'GET' }
  registry.fault(blob, { until, drip: { bytes: 100_000, milliseconds: 20 } }, 2)
  const answers = Promise.all(services.map(({ url }) => reportOf(url, subject)))
  try {
    await expect.poll(() => registry.count(blob)).toBe(2)
  } finally {
    release()
  }
  return answers
}

const DISK_BYTES = 64 * 1024 * 1024

describe('a folder', () => {
  let disk: string
  let data: string
  let canMount: boolean
  let service: TestService
  let second: SpawnedService
  let deadly: string

  const mount = (...more: string[]) => spawnSync('mount', ['-t', 'tmpfs', ...more, 'tmpfs', disk])
  const incoming = () => readdir(join(data, '.incoming'))

  beforeAll(async () => {
    disk = await temporaryData()
    data = join(disk, 'data')
    canMount = mount('-o', `size=${DISK_BYTES}`).status === 0
    deadly = join(healthyData, 'deadly')
    const preload = `--import=${fileURLToPath(new URL('dying-thread.ts', import.meta.url))}`
    ;[service, second] = await Promise.all([
      startService('node', { LAMINA_DATA: data }),
      spawnService('node', data, { DEADLY_FILE: deadly }, [preload]),
    ])
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), second?.end('SIGKILL')])
    if (canMount) spawnSync('umount', [disk])
    await rm(disk, { recursive: true, force: true })
  })

  it('that is not a folder', async () => {
    await rm(data, { recursive: true, force: true })
    await writeFile(data, 'a file')
    const subject = await newSubject(registry)
    expect((await ask(service.url, '/readyz')).status).toBe(503)
    await expectStoreError(service.url, subject)
    await rm(data)
    expect((await ask(service.url, '/readyz')).status).toBe(200)
    await expectWhole({ url: service.url, store: new FolderStore(data) }, healthy, subject)
  })

  it('on a disk that is full', async ({ skip }) => {
    if (!canMount) skip('only root can mount a small disk')
    const subject = await newSubject(registry, MANY_PACKAGES)
    // Leaves room for a part of the package database.
    await mkdir(data, { recursive: true })
    await writeFile(join(disk, 'filler'), new Uint8Array(DISK_BYTES - 3_000_000))
    await expectStoreError(service.url, subject)
    expect(await incoming()).toEqual([])
    await expectNothingWrong(new FolderStore(data), healthy, subject)
    await rm(join(disk, 'filler'))
    await expectWhole({ url: service.url, store: new FolderStore(data) }, healthy, subject)
    expect(await incoming()).toEqual([])
  })

  it('whose layer thread dies in the middle', async () => {
    const subject = await newSubject(registry, MANY_PACKAGES)
    registry.fault({ path: blobPath(subject, 0), method: 'GET' }, { stallAfter: 4_000_000 }, 10)
    const answer = reportOf(second.url, subject)
    // Its database is being written to the store by now.
    await expect.poll(incoming).not.toEqual([])
    await writeFile(deadly, '')
    const { status, headers, body } = await answer
    expect({ status, code: body.code }).toEqual({ status: 500, code: 'internal_error' })
    expect(headers.get('content-type')).toBe('application/problem+json')
    registry.clearFaults()
    await expectNothingWrong(new FolderStore(data), healthy, subject)
    await rm(deadly)
    await expectWhole({ url: second.url, store: new FolderStore(data) }, healthy, subject)
  })

  it('in which two servers index the same layers at once', async () => {
    const subject = await newSubject(registry, MANY_PACKAGES)
    const answers = await reportsOfBoth([service, second], subject)
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(answers[0]?.body).toEqual(answers[1]?.body)
    await expectWhole({ url: service.url, store: new FolderStore(data) }, healthy, subject)
  })
})

describe('an S3', () => {
  let s3: TestS3
  let proxy: S3Proxy
  let store: S3Store
  let service: TestService

  beforeAll(async () => {
    s3 = await startS3()
    proxy = await S3Proxy.start(s3.settings.S3_ENDPOINT ?? '')
    for (const [name, value] of Object.entries(s3.settings)) vi.stubEnv(name, value)
    service = await startService('node', { ...s3.settings, S3_ENDPOINT: proxy.endpoint })
    const { S3_ENDPOINT: endpoint = '', S3_BUCKET: bucket = '', S3_REGION: region = '' } = s3.settings
    store = new S3Store({ endpoint, bucket, region })
  })

  afterEach(() => proxy.clearFaults())

  afterAll(async () => {
    vi.unstubAllEnvs()
    await service?.stop()
    await proxy?.close()
    await s3?.stop()
  })

  const isWrite = ({ method }: StorageRequest) => method === 'PUT' || method === 'POST'
  const isPart = ({ path }: StorageRequest) => path.includes('partNumber=2')
  const isTable = ({ method, path }: StorageRequest) => method === 'GET' && path.includes('entries.parquet')

  it.each<[string, (request: StorageRequest) => boolean, StorageFault, packages?: number]>([
    ['that refuses everything', () => true, { kind: 'refuse', status: 403, code: 'AccessDenied' }],
    ['that refuses to write', isWrite, { kind: 'refuse', status: 500, code: 'InternalError' }],
    [
      'whose upload is interrupted in the middle of a part',
      isPart,
      { kind: 'cutRequest', bytes: 100_000 },
      MANY_PACKAGES,
    ],
    ['whose tables are cut off while they are read', isTable, { kind: 'cutAnswer', bytes: 100 }],
  ])('%s', async (_, matches, fault, packages) => {
    const subject = await newSubject(registry, packages)
    proxy.fault(matches, fault)
    await expectStoreError(service.url, subject)
    await expectNothingWrong(store, healthy, subject)
    proxy.clearFaults()
    await expectWhole({ url: service.url, store }, healthy, subject)
  })

  if (LONG)
    it('that never answers', async () => {
      const subject = await newSubject(registry)
      proxy.fault(isWrite, { kind: 'hang' })
      await expectStoreError(service.url, subject)
      proxy.clearFaults()
      await expectWhole({ url: service.url, store }, healthy, subject)
    }, 120_000)

  it('in whose bucket two servers index the same layers at once', async () => {
    const second = await spawnService('node', healthyData, s3.settings)
    try {
      const subject = await newSubject(registry)
      const answers = await reportsOfBoth([service, second], subject)
      expect(answers.map(({ status }) => status)).toEqual([200, 200])
      await expectWhole({ url: second.url, store }, healthy, subject)
    } finally {
      await second.end('SIGKILL')
    }
  })
})
