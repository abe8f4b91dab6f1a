import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchedClient } from '../../../test/registry/client.ts'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { digestOf, makeImage, makeIndex, makeLayer, type TestImage } from '../../../test/support/images.ts'
import { selectImage } from '../../oci/select.ts'

const CONFIG_LIMIT = 8 * 1024 * 1024

let registry: FixtureRegistry
let image: TestImage

const at = (repository = 'app') => ({ registry: registry.host, repository })

beforeEach(async () => {
  registry = await FixtureRegistry.start()
  image = makeImage([await makeLayer([{ name: 'a', content: 'b' }])])
  registry.push('app', 'v1', image)
})

afterEach(() => registry.close())

const problem = (code: string, text: string) =>
  expect.objectContaining({ code, permanent: false, message: expect.stringContaining(text) })

describe('resolving', () => {
  it('is one HEAD, for all kinds of manifests', async () => {
    expect(await watchedClient().client.resolve(at(), 'v1', {})).toEqual({
      digest: image.descriptor.digest,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
    })
    expect(registry.requests).toMatchObject([{ method: 'HEAD', path: '/v2/app/manifests/v1' }])
    expect(registry.requests[0]?.headers.accept?.split(', ')).toEqual([
      'application/vnd.oci.image.index.v1+json',
      'application/vnd.oci.image.manifest.v1+json',
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'application/vnd.docker.distribution.manifest.v2+json',
    ])
    expect(registry.requests[0]?.headers['accept-encoding']).toBe('identity')
  })

  it.each([
    ['no digest', { headers: { 'docker-content-digest': null } }],
    ['a malformed digest', { headers: { 'docker-content-digest': 'sha256:abc' } }],
    ['a digest of another algorithm', { headers: { 'docker-content-digest': `sha512:${'a'.repeat(128)}` } }],
    ['405', { status: 405 }],
    ['501', { status: 501 }],
  ])('reads and hashes the manifest if the HEAD is answered with %s', async (_, fault) => {
    registry.fault({}, fault, 2)
    registry.fault({ method: 'GET' }, {})
    const resolved = await watchedClient().client.resolve(at(), 'v1', {})
    expect(resolved).toMatchObject({ digest: image.descriptor.digest })
    expect(Buffer.from(resolved.bytes ?? [])).toEqual(Buffer.from(image.bytes))
  })

  it('does not trust a HEAD that reports a digest other than the requested one', async () => {
    registry.fault({ method: 'HEAD' }, { headers: { 'docker-content-digest': digestOf(new Uint8Array(1)) } })
    expect(await watchedClient().client.resolve(at(), image.descriptor.digest, {})).toMatchObject({
      digest: image.descriptor.digest,
    })
  })

  it('a missing manifest is not found', async () => {
    const { client } = watchedClient()
    await expect(client.resolve(at(), 'v2', {})).rejects.toThrow(
      problem('image_not_found', `no tag \`v2\` in ${registry.host}/app`),
    )
    await expect(client.manifest(at('nothing/here'), 'v1', {})).rejects.toThrow(
      problem('image_not_found', 'NAME_UNKNOWN: repository name not known to registry'),
    )
    await expect(client.tags(at('nothing/here'), {}, { limit: 1 })).rejects.toThrow(
      problem('image_not_found', 'no repository `'),
    )
  })

  it('sends no request to an address that is not allowed', async () => {
    const { client, asked } = watchedClient()
    const repository = { registry: '169.254.169.254', repository: 'latest/meta-data' }
    await expect(client.resolve(repository, 'x', {})).rejects.toThrow(
      problem('forbidden_registry', 'LAMINA_PRIVATE_REGISTRIES'),
    )
    expect(asked).toEqual([])
  })
})

describe('what is read is verified', () => {
  const other = new TextEncoder().encode('{"other":"bytes"}')

  it('a manifest, by the requested digest or the one that the registry reports', async () => {
    const { client } = watchedClient()
    registry.fault({}, { body: other }, 2)
    await expect(client.manifest(at(), image.descriptor.digest, {})).rejects.toThrow(
      problem('invalid_image', `${digestOf(other)} instead of ${image.descriptor.digest}`),
    )
    await expect(client.manifest(at(), 'v1', {})).rejects.toThrow(problem('invalid_image', digestOf(other)))
  })

  it('a config, by digest and size', async () => {
    const { client } = watchedClient()
    const { descriptor } = image.config
    const limit = { limit: CONFIG_LIMIT }
    expect(Buffer.from(await client.blobBytes(at(), descriptor, {}, limit))).toEqual(
      Buffer.from(image.config.bytes),
    )
    registry.fault({}, { body: other })
    await expect(client.blobBytes(at(), descriptor, {}, limit)).rejects.toThrow(
      problem('invalid_image', digestOf(other)),
    )
    await expect(client.blobBytes(at(), { ...descriptor, size: 1 }, {}, limit)).rejects.toThrow(
      expect.objectContaining({
        code: 'invalid_image',
        permanent: true,
        message: expect.stringContaining('says 1'),
      }),
    )
  })

  it("a missing config is the registry's fault", async () => {
    registry.removeBlob('app', image.config.descriptor.digest)
    const missing = watchedClient().client.blobBytes(
      at(),
      image.config.descriptor,
      {},
      { limit: CONFIG_LIMIT },
    )
    await expect(missing).rejects.toThrow(problem('registry_error', 'the config'))
  })
})

describe('limits hold while reading, whatever Content-Length says', () => {
  it.each([
    ['without an end', { endless: true }],
    ['of a gigabyte', { contentLength: 1_000_000_000, stallAfter: 100 }],
  ] as const)('a manifest %s', async (_, fault) => {
    registry.fault({ method: 'GET' }, fault)
    await expect(watchedClient().client.manifest(at(), 'v1', {})).rejects.toThrow(
      problem('too_large', `the limit of ${4 * 1024 * 1024} bytes`),
    )
    expect(registry.bytesSent({})).toBeLessThan(16_000_000)
  })

  it('a config without end, or one whose Content-Length is too large', async () => {
    const { client } = watchedClient()
    const { descriptor } = image.config
    registry.fault({}, { endless: true })
    await expect(client.blobBytes(at(), descriptor, {}, { limit: 1_000 })).rejects.toThrow(
      problem('too_large', '1000'),
    )
    registry.forgetRequests()
    await expect(
      client.blobBytes(at(), { ...descriptor, size: 1_001 }, {}, { limit: 1_000 }),
    ).rejects.toThrow(expect.objectContaining({ code: 'too_large', permanent: true }))
    expect(registry.requests).toEqual([])
  })

  it('a manifest shorter than its Content-Length was cut off, and is requested again', async () => {
    registry.fault({ method: 'GET' }, { contentLength: 100_000, resetAfter: image.bytes.byteLength })
    expect(await watchedClient().client.manifest(at(), 'v1', {})).toMatchObject({
      digest: image.descriptor.digest,
    })
    expect(registry.count({ method: 'GET' })).toBe(2)
  })

  it('a list of tags and an error without end', async () => {
    const { client } = watchedClient()
    registry.fault({}, { endless: true })
    await expect(client.tags(at(), {}, { limit: 10 })).rejects.toThrow(problem('too_large', 'list of tags'))
    registry.fault({}, { status: 404, endless: true })
    await expect(client.tags(at(), {}, { limit: 10 })).rejects.toThrow(problem('image_not_found', 'app'))
  })
})

describe('a HEAD confirms', () => {
  it('what the repository has, to this caller', async () => {
    await registry.close()
    registry = await FixtureRegistry.start({ auth: { kind: 'token', username: 'a', password: 'b' } })
    registry.push('private/app', 'v1', image)
    registry.push('other', 'v1', makeImage([]))
    const { client } = watchedClient()
    const caller = { credential: { username: 'a', password: 'b' } }
    const { digest } = image.descriptor
    const layer = image.layers[0]?.descriptor.digest ?? ''
    expect(await client.hasManifest(at('private/app'), digest, caller)).toBe(true)
    expect(await client.hasBlob(at('private/app'), layer, caller)).toBe(true)
    expect(await client.hasManifest(at('private/app'), digest, {})).toBe(false)
    expect(await client.hasBlob(at('private/app'), layer, {})).toBe(false)
    expect(await client.hasManifest(at('other'), digest, caller)).toBe(false)
    expect(await client.hasBlob(at('other'), layer, caller)).toBe(false)
    expect(await client.hasManifest(at('nothing'), digest, caller)).toBe(false)
  })

  it('nothing if the registry reports another digest or fails', async () => {
    const { client } = watchedClient()
    registry.fault({}, { headers: { 'docker-content-digest': digestOf(new Uint8Array(1)) } })
    expect(await client.hasManifest(at(), image.descriptor.digest, {})).toBe(false)
    registry.fault({}, { status: 500 }, 10)
    await expect(client.hasManifest(at(), image.descriptor.digest, {})).rejects.toThrow(
      expect.objectContaining({ code: 'registry_error' }),
    )
  })
})

describe('tags', () => {
  const tag = (i: number) => `v1.${String(i).padStart(3, '0')}`

  beforeEach(async () => {
    await registry.close()
    registry = await FixtureRegistry.start({ pageSize: 20 })
    for (let i = 0; i < 120; i++) registry.push('many', tag(i), image)
  })

  it("are read through the registry's pages until ours is full", async () => {
    const { client } = watchedClient()
    const names: string[] = []
    let after: string | undefined
    let pages = 0
    do {
      const page = await client.tags(at('many'), {}, { limit: 50, ...(after === undefined ? {} : { after }) })
      names.push(...page.names)
      after = page.next
      pages++
    } while (after !== undefined)
    expect(names).toEqual(Array.from({ length: 120 }, (_, i) => tag(i)))
    expect(pages).toBe(3)
  })

  it('arrive completely if there is room', async () => {
    const page = await watchedClient().client.tags(at('many'), {}, { limit: 1_000 })
    expect(page.names).toHaveLength(120)
    expect(page.next).toBeUndefined()
  })

  it('are split into pages even for a registry that has none', async () => {
    const body = JSON.stringify({ name: 'many', tags: ['a', 'b', 'c', 'd', 'e'] })
    registry.fault({}, { body, headers: { link: null } }, 10)
    const { client } = watchedClient()
    const first = await client.tags(at('many'), {}, { limit: 3 })
    expect(first.names).toEqual(['a', 'b', 'c'])
    expect(await client.tags(at('many'), {}, { limit: 3, after: first.next ?? '' })).toEqual({
      names: ['d', 'e'],
    })
  })

  it.each([
    ['http://169.254.169.254/v2/many/tags/list?last=x', 'forbidden_registry'],
    ['https://10.0.0.1/?last=x', 'forbidden_registry'],
    ['http://[', 'registry_error'],
  ])('a link to the page %s is not followed', async (link, code) => {
    registry.fault({}, { headers: { link: `<${link}>; rel="next"` } }, 10)
    await expect(watchedClient().client.tags(at('many'), {}, { limit: 100 })).rejects.toThrow(
      expect.objectContaining({ code }),
    )
    expect(registry.requests).toHaveLength(1)
  })

  it('only the query of a link is used', async () => {
    const link = `<http://${registry.storageHost}/elsewhere?n=20&last=${tag(19)}>; rel="next"`
    registry.fault({}, { headers: { link } })
    const page = await watchedClient().client.tags(at('many'), {}, { limit: 1_000 })
    expect(page.names).toHaveLength(120)
    expect(registry.count({ server: 'storage' })).toBe(0)
  })

  it('terminate if the pages lead back to themselves', async () => {
    registry.fault({}, { headers: { link: '</v2/many/tags/list?n=100>; rel="next"' } }, 100)
    await expect(watchedClient().client.tags(at('many'), {}, { limit: 100 })).rejects.toThrow(
      problem('registry_error', 'form a loop'),
    )
    let page = 0
    registry.clearFaults()
    for (; page < 100; page++)
      registry.fault(
        {},
        { headers: { link: `</v2/many/tags/list?n=1&page=${page}>; rel="next"` }, body: '{"tags":[]}' },
      )
    const { next } = await watchedClient().client.tags(at('many'), {}, { limit: 100 })
    expect(next).toMatch(/^0\?n=1&page=/)
  })
})

it('a new image costs one HEAD, a GET for each manifest and its config, and two requests for a token', async () => {
  await registry.close()
  registry = await FixtureRegistry.start({ auth: { kind: 'token', username: 'a', password: 'b' } })
  const index = makeIndex([[image, { platform: { os: 'linux', architecture: 'amd64' } }]])
  registry.push('app', 'v1', index)
  const { client } = watchedClient()
  const { digest } = await client.resolve(at(), 'v1', {})
  const top = await client.manifest(at(), digest, {})
  await selectImage({
    top,
    platform: undefined,
    read: async (descriptor, kind) =>
      kind === 'manifest'
        ? (await client.manifest(at(), descriptor.digest, {})).bytes
        : client.blobBytes(at(), descriptor, {}, { limit: CONFIG_LIMIT }),
  })
  expect(registry.requests.map(({ server, method, status }) => `${server} ${method} ${status}`)).toEqual([
    'registry HEAD 401',
    'token GET 200',
    'registry HEAD 200',
    'registry GET 200',
    'registry GET 200',
    'registry GET 200',
  ])
})
