/** Exports over HTTP: complete and reproducible, and aborted if they cannot be complete. */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask, registryAuth } from '../support/ask.ts'
import { makeImage, makeLayer, packTar, type TestImage } from '../support/images.ts'
import { scanTar } from '../support/scan-tar.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const USER = { username: 'mara', password: 'p4ss-w0rd-of-mara' }
const LARGE = randomBytes(3_000_000)

const LOWER = [
  { name: './', type: 'directory', mode: 0o711, uid: 5 },
  { name: 'etc/' },
  { name: 'etc/passwd', content: 'app:x:1000:1001::/home/app:/bin/sh\n' },
  { name: 'etc/group', content: 'extra:x:2001:app\n' },
  { name: 'gone', content: 'hidden later' },
  { name: 'large', content: LARGE },
] as const
const UPPER = [
  { name: '.wh.gone', content: '' },
  { name: 'etc/alias', type: 'link', linkname: 'etc/passwd' },
  { name: 'link', type: 'symlink', linkname: 'etc' },
  { name: 'usr/node_modules/app/package.json', content: '{"name":"app","version":"1.0.0"}' },
] as const

/** Matches requests for the blob of the lowest layer. */
function blobPath({ layers }: TestImage): RegExp {
  return new RegExp(`/blobs/${layers[0]?.descriptor.digest}$`)
}

async function get(service: TestService, path: string, query: Record<string, string>) {
  const response = await fetch(`${service.url}${path}?${new URLSearchParams({ wait: '60', ...query })}`)
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) }
}

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let closed: FixtureRegistry
  let image: TestImage
  let reference: string

  beforeAll(async () => {
    service = await startService(host)
    registry = await FixtureRegistry.start()
    closed = await FixtureRegistry.start({ auth: { kind: 'token', ...USER } })
    const layers = [await makeLayer(LOWER), await makeLayer(UPPER, { compression: 'zstd' })]
    image = makeImage(layers, { config: { created: '2024-02-03T04:05:06.5Z', config: { User: 'app' } } })
    reference = registry.push('team/app', 'v1', image)
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close(), closed?.close()])
  })

  it('answers 503 until the image is analysed', async () => {
    const fresh = makeImage([await makeLayer([{ name: 'a', content: host }])])
    const name = registry.push('fresh', 'v1', fresh)
    const { promise: until, resolve: release } = Promise.withResolvers<void>()
    registry.fault({ path: blobPath(fresh), method: 'GET' }, { until }, 20)
    for (const path of ['/v1/export', '/v1/bundle', '/v1/sbom']) {
      const { status, body } = await ask(service.url, path, { query: { image: name, wait: 0 } })
      expect([status, body.code]).toStrictEqual([503, 'analysis_pending'])
    }
    release()
  })

  it('returns the merged file system as a tar, the same each time', async () => {
    const { response, bytes } = await get(service, '/v1/export', { image: reference })
    expect(response.headers.get('content-type')).toBe('application/x-tar')
    expect(response.headers.get('content-disposition')).toContain('filename="app-v1.tar"')
    const members = scanTar(bytes).map(({ member: { key, type, link }, content }) => [
      key.replaceAll('\0', '/'),
      type,
      link ?? (content.length > 100 ? content.length : content),
    ])
    expect(members).toStrictEqual([
      ['etc', 'directory', ''],
      ['usr', 'directory', ''],
      ['usr/node_modules', 'directory', ''],
      ['usr/node_modules/app', 'directory', ''],
      ['etc/alias', 'file', LOWER[2].content],
      ['etc/passwd', 'hardlink', 'etc/alias'],
      ['etc/group', 'file', LOWER[3].content],
      ['large', 'file', LARGE.length],
      ['usr/node_modules/app/package.json', 'file', UPPER[3].content],
      ['link', 'symlink', 'etc'],
    ])
    expect((await get(service, '/v1/export', { image: reference })).bytes).toStrictEqual(bytes)
    const again = await fetch(response.url, {
      headers: { 'If-None-Match': response.headers.get('etag') ?? '' },
    })
    expect(again.status).toBe(304)
  })

  it('returns a part of it, in which a hard link to a file outside becomes a file', async () => {
    const { bytes } = await get(service, '/v1/export', { image: reference, path: 'etc/passwd' })
    expect(scanTar(bytes).map(({ member: { key, type }, content }) => [key, type, content])).toStrictEqual([
      ['etc\0passwd', 'file', LOWER[2].content],
    ])
    const missing = await ask(service.url, '/v1/export', { query: { image: reference, path: 'gone' } })
    expect([missing.status, missing.body.code]).toStrictEqual([404, 'path_not_found'])
  })

  it('returns a layer byte for byte', async () => {
    for (const [layer, { diffId }] of image.layers.entries()) {
      const { bytes } = await get(service, '/v1/export', { image: reference, layer: String(layer) })
      expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(diffId)
    }
    const missing = await ask(service.url, '/v1/export', { query: { image: reference, layer: 2 } })
    expect([missing.status, missing.body.code]).toStrictEqual([404, 'layer_not_found'])
    expect(missing.body.detail).toContain('2 layers (0 to 1)')
  })

  it('returns what a layer has below a path, with the content of its hard links and without whiteouts', async () => {
    const lower = await makeLayer([
      { name: 'bin/other', content: 'gone' },
      { name: 'bin/tool', content: 'of the lower layer' },
    ])
    const upper = await makeLayer([
      { name: 'bin/.wh.other', content: '' },
      { name: 'bin/twice', content: 'first' },
      { name: 'bin/twice', content: 'second' },
      { name: 'lib/x', content: 'outside of the path' },
      { name: 'bin/x', type: 'link', linkname: 'lib/x' },
      { name: 'bin/low', type: 'link', linkname: 'bin/tool' },
      { name: 'bin/low2', type: 'link', linkname: 'bin/low' },
      { name: 'bin/s', type: 'symlink', linkname: 'x' },
    ])
    const name = registry.push('parts', host, makeImage([lower, upper]))
    const { response, bytes } = await get(service, '/v1/export', { image: name, layer: '1', path: 'bin' })
    expect(response.headers.get('content-disposition')).toContain(`"parts-${host}-layer-1.tar"`)
    const found = scanTar(bytes).map(({ member: { key, type, link }, content }) => [
      key,
      type,
      content || link,
    ])
    expect(found).toStrictEqual([
      ['bin\0low', 'file', 'of the lower layer'],
      ['bin\0low2', 'hardlink', 'bin/low'],
      ['bin\0twice', 'file', 'second'],
      ['bin\0x', 'file', 'outside of the path'],
      ['bin\0s', 'symlink', 'x'],
    ])
    const all = await get(service, '/v1/export', { image: name, layer: '1', path: '/' })
    expect(scanTar(all.bytes).map(({ member: { key } }) => key)).toContain('lib\0x')
    for (const [query, code] of [
      [{ layer: '1', path: 'bin/other' }, 'path_not_found'],
      [{ layer: '2', path: 'bin' }, 'layer_not_found'],
    ] as const) {
      const missing = await ask(service.url, '/v1/export', { query: { image: name, ...query } })
      expect([missing.status, missing.body.code]).toStrictEqual([404, code])
    }
  })

  it('returns a bundle whose config names the user of the image', async () => {
    const { bytes } = await get(service, '/v1/bundle', { image: reference })
    const [config, root, ...rest] = scanTar(bytes)
    expect(config?.member.key).toBe('config.json')
    const { body } = await ask(service.url, '/v1/runtime-config', { query: { image: reference } })
    expect(JSON.parse(config?.content ?? '')).toStrictEqual(body)
    expect(body.process.user).toStrictEqual({ uid: 1000, gid: 1001, additionalGids: [2001] })
    expect(body.process.env).toContain('HOME=/home/app')
    expect(root?.member).toMatchObject({ key: 'rootfs', type: 'directory', mode: 0o711, uid: 5 })
    expect(rest.every(({ member }) => member.key.startsWith('rootfs\0'))).toBe(true)
    expect(rest.find(({ member }) => member.key === 'rootfs\0usr')?.member.mtime).toBe(
      Date.UTC(2024, 1, 3, 4, 5, 6, 500) * 1000,
    )
  })

  it('maps the caller for a rootless runtime', async () => {
    const query = { image: reference, rootless: '1', uid: 1234 }
    const { body } = await ask(service.url, '/v1/runtime-config', { query })
    expect(body.linux.uidMappings).toStrictEqual([{ containerID: 0, hostID: 1234, size: 1 }])
    expect(body.linux.gidMappings).toStrictEqual([{ containerID: 0, hostID: 1000, size: 1 }])
  })

  it.each([
    ['cyclonedx', 'application/vnd.cyclonedx+json', 'components'],
    ['spdx', 'application/spdx+json', 'packages'],
  ])('returns a bill of materials as %s', async (format, type, list) => {
    const { response, bytes } = await get(service, '/v1/sbom', { image: reference, format })
    expect(response.headers.get('content-type')).toBe(type)
    const names = JSON.parse(new TextDecoder().decode(bytes))[list].map(({ name }: { name: string }) => name)
    expect(names.at(-1)).toBe('app')
  })

  it('shows nothing of a private image to others', async () => {
    const hidden = closed.push('private/app', 'v1', image)
    for (const path of ['/v1/export', '/v1/bundle', '/v1/runtime-config', '/v1/sbom']) {
      const query = { image: hidden, wait: 60 }
      const own = await fetch(`${service.url}${path}?${new URLSearchParams({ image: hidden, wait: '60' })}`, {
        headers: registryAuth(USER),
      })
      await own.arrayBuffer()
      expect(own.status).toBe(200)
      expect(own.headers.get('cache-control')).toBe('private, no-cache')
      expect((await ask(service.url, path, { query })).status).toBe(401)
    }
  })

  describe('aborts if the registry', () => {
    const blob = () => ({ path: blobPath(image), method: 'GET' })

    it.each<Record<string, string>>([{}, { layer: '0' }])('dies midway (%j)', async (query) => {
      await get(service, '/v1/export', { image: reference })
      // After the cut the rest is requested again, and is gone by then.
      registry.fault(blob(), { status: 404 }, 20)
      registry.fault(blob(), { resetAfter: 1_000_000 })
      await expect(get(service, '/v1/export', { image: reference, ...query })).rejects.toThrow()
      registry.clearFaults()
      const { response } = await get(service, '/v1/export', { image: reference, ...query })
      expect(response.status).toBe(200)
    })

    it('sends other bytes midway', async () => {
      const tar = await packTar([
        ...LOWER.slice(0, -1),
        { name: 'large', content: randomBytes(LARGE.length) },
      ])
      registry.fault(blob(), { body: tar }, 20)
      await expect(get(service, '/v1/export', { image: reference })).rejects.toThrow()
      registry.clearFaults()
    })

    it('has a layer whose diffId is not the config\u2019s', async () => {
      const layer = await makeLayer([{ name: 'a', content: 'a' }])
      const lying = makeImage([{ ...layer, diffId: `sha256:${'0'.repeat(64)}` }])
      const query = { image: registry.push('lying', 'v1', lying), layer: 0 }
      const { status, body } = await ask(service.url, '/v1/export', { query })
      expect([status, body.code, body.layer]).toStrictEqual([422, 'invalid_image', 0])
    })
  })

  it('stops reading when the client leaves', async () => {
    // workerd notices that the client has left when it writes to it: bytes keep coming.
    const slow =
      host === 'worker' ? { drip: { bytes: 100_000, milliseconds: 100 } } : { stallAfter: 2_000_000 }
    registry.fault({ path: blobPath(image), method: 'GET' }, slow, 20)
    const leaving = new AbortController()
    const url = `${service.url}/v1/export?${new URLSearchParams({ image: reference })}`
    const reader = (await fetch(url, { signal: leaving.signal })).body?.getReader()
    await reader?.read()
    await expect.poll(() => registry.openAnswers).toBe(1)
    leaving.abort()
    await expect.poll(() => registry.openAnswers).toBe(0)
  })
})
