/** The index is the same whichever host makes it, byte for byte, and each host can answer from the other's. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../src/host.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer, type TestImage, type TestMember } from '../support/images.ts'
import { rpmDatabase, rpmHeader } from '../support/rpm.ts'
import {
  HOSTS,
  type HostName,
  spawnService,
  startService,
  type TestService,
  temporaryData,
} from '../support/service.ts'
import { copyObjects, storedIndex } from '../support/stored.ts'
import { member, pax, tar } from '../support/tar.ts'

/** Enough members for a table of several row groups, in random order. */
const MANY = 5_000

const PACKAGE = 'Package: p\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n'

async function everything(): Promise<TestImage> {
  const many: TestMember[] = Array.from({ length: MANY }, (_, i) => {
    const n = (i * 2_741) % MANY
    return { name: `usr/share/${n % 17}/file-${n}`, content: `${n % 100}`, uid: n % 3, mode: 0o644 }
  })
  const first = await makeLayer([
    { name: 'etc/' },
    { name: 'etc/original', content: 'content of a file' },
    { name: 'etc/copy', content: 'content of a file' },
    { name: 'etc/link', type: 'link', linkname: 'etc/original' },
    { name: 'etc/symlink', type: 'symlink', linkname: '../nowhere' },
    { name: 'etc/device', type: 'character-device', devmajor: 1, devminor: 3 },
    { name: 'etc/attributes', content: 'x', pax: { 'SCHILY.xattr.user.note': 'text' } },
    { name: 'gone/a', content: 'removed by a whiteout' },
    { name: 'hidden/a', content: 'removed by an opaque one' },
    { name: 'var/lib/dpkg/status', content: PACKAGE },
    { name: 'var/lib/dpkg/info/p.list', content: '/etc\n/etc/original\n' },
    { name: 'var/lib/rpm/rpmdb.sqlite', content: await rpmDatabase([rpmHeader(RPM)]) },
    ...many,
  ])
  const second = await makeLayer(
    [
      { name: 'gone/.wh.a' },
      { name: 'hidden/.wh..wh..opq' },
      { name: 'etc/below', type: 'link', linkname: 'etc/original' },
      { name: 'etc/copy', content: 'content of a file', mode: 0o600 },
      { name: 'nothing/.wh.was-here' },
    ],
    { compression: 'zstd' },
  )
  const names = tar(
    member({ name: 'caf\xe9/\xff' }, 'a name that is not UTF-8'),
    pax({ path: `long/${'n'.repeat(300)}/\xc3\xa9` }),
    member({ name: 'short' }, 'a long one'),
    member({ name: '/absolute' }, 'x'),
    member({ name: '../above' }, 'x'),
  )
  const third = await makeLayer(names, { compression: 'none' })
  return makeImage([first, second, third, first])
}

/** Its largest layer ends in the middle of a file, before all of the others are read. */
async function broken(): Promise<TestImage> {
  const whole = await makeLayer([{ name: 'cut', content: 'x'.repeat(10_000) }], { compression: 'none' })
  const cut = await makeLayer(whole.bytes?.subarray(0, 2_000) ?? new Uint8Array())
  const others = Array.from({ length: 6 }, (_, i) => makeLayer([{ name: `other-${i}`, content: 'x' }]))
  return makeImage([...(await Promise.all(others)), cut])
}

const RPM = {
  1000: 'r',
  1001: '1',
  1002: '2',
  1003: [3],
  1022: 'noarch',
  1116: [0],
  1117: ['original'],
  1118: ['/etc/'],
}

describe('an image with everything in it', () => {
  let registry: FixtureRegistry
  let services: Record<HostName, TestService>
  let references: readonly string[]
  let reports: Record<HostName, readonly unknown[]>
  let images: readonly TestImage[]

  const reportsOf = (url: string) =>
    Promise.all(
      references.map(async (image) => {
        const { status, body } = await ask(url, '/v1/report', { query: { image, wait: 60 } })
        return { status, body }
      }),
    )

  const others = async (url: string) => {
    const [image] = references
    const paths = ['/v1/files', '/v1/waste', '/v1/duplicates', '/v1/packages', '/v1/tree']
    return Promise.all(paths.map(async (path) => (await ask(url, path, { query: { image } })).body))
  }

  beforeAll(async () => {
    registry = await FixtureRegistry.start()
    images = [await everything(), makeImage([]), await broken()]
    references = images.map((image, i) => registry.push(`image-${i}`, 'v1', image))
    const [worker, node] = await Promise.all([startService('worker'), startService('node')])
    services = { worker, node }
    reports = { worker: await reportsOf(worker.url), node: await reportsOf(node.url) }
  })

  afterAll(async () => {
    await Promise.all([registry?.close(), ...HOSTS.map((host) => services?.[host].stop())])
  })

  it('both hosts give the same report', () => {
    expect(reports.worker).toMatchObject([{ status: 200 }, { status: 200 }, { status: 422 }])
    expect(reports.node).toEqual(reports.worker)
  })

  it('has the same index on both, byte for byte', async () => {
    const worker = await storedIndex(await services.worker.store())
    const node = await storedIndex(await services.node.store())
    expect(node).toEqual(worker)
    const kinds = new Set(Object.keys(node).map((key) => key.replace(/^(\w+)\/.*\//, '$1/')))
    expect([...kinds].sort()).toEqual([
      'images/files.parquet',
      'images/packages.parquet',
      'images/public',
      'layers/entries.parquet',
    ])
  })

  /** A host that has never seen the image, on another host's store. */
  async function startOn(
    host: HostName,
    stored: ObjectStore,
  ): Promise<{ url: string; stop(): Promise<unknown> }> {
    if (host === 'worker') {
      const service = await startService('worker')
      await copyObjects(stored, await service.store())
      return service
    }
    const data = await temporaryData()
    await mkdir(join(data, 'store'))
    await copyObjects(stored, new FolderStore(join(data, 'store')))
    const { url, end } = await spawnService('node', join(data, 'store'))
    return { url, stop: () => end('SIGKILL') }
  }

  it.each([
    ['worker', 'node'],
    ['node', 'worker'],
  ] as const)('of the %s host can be read by the %s host without any of its blobs', async (from, to) => {
    const reader = await startOn(to, await services[from].store())
    try {
      for (const [i, image] of images.entries())
        for (const digest of image.blobs.keys()) registry.removeBlob(`image-${i}`, digest)
      registry.forgetRequests()
      expect(await reportsOf(reader.url)).toEqual(reports[from])
      expect(await others(reader.url)).toEqual(await others(services[from].url))
      expect(registry.count({ path: /blobs/ })).toBe(0)
    } finally {
      await reader.stop()
    }
  })
})
