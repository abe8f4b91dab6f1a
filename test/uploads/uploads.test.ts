/** Uploads: how archives are read, who sees them, and that nothing of them remains. */
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { blobName, dockerSave, ociLayout, packArchive } from '../support/archives.ts'
import { ask, type Query } from '../support/ask.ts'
import { makeImage, makeIndex, makeLayer, type TestImage } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'
import { header } from '../support/tar.ts'

const HIDDEN = 'hidden-name-of-a-file'
const NOBODY = 'A'.repeat(22)

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let packed: TestImage
  let plain: TestImage

  beforeAll(async () => {
    service = await startService(host, { LAMINA_MAX_UPLOAD_BYTES: '4MB' })
    registry = await FixtureRegistry.start()
    packed = makeImage([await makeLayer([{ name: HIDDEN, content: 'for those who have the id' }])])
    plain = makeImage([await makeLayer([{ name: 'etc/plain', content: 'plain' }], { compression: 'none' })])
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  const upload = async (bytes: Uint8Array, method = 'POST') => {
    const answer = await fetch(`${service.url}/v1/uploads`, { method, body: Buffer.from(bytes) })
    return { status: answer.status, headers: answer.headers, body: await answer.json() }
  }
  const taken = async (bytes: Uint8Array): Promise<string> => {
    const { status, body } = await upload(bytes)
    expect(status, JSON.stringify(body)).toBe(201)
    return body.id
  }
  const report = (image: string, query: Query = {}) =>
    ask(service.url, '/v1/report', { query: { image, wait: 60, ...query } })
  const remove = (id: string) => fetch(`${service.url}/v1/uploads/${id}`, { method: 'DELETE' })
  const keys = async () => {
    const found: string[] = []
    for await (const key of (await service.store()).list('')) found.push(key)
    return found
  }

  it('accepts an OCI layout, and says what is in it', async () => {
    const archive = packArchive(ociLayout([{ image: packed, name: 'v1' }]))
    const { status, headers, body } = await upload(archive, 'PUT')
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`/v1/uploads/${body.id}`)
    expect(body).toMatchObject({
      reference: `upload:${body.id}`,
      bytes: archive.length,
      images: [
        {
          reference: `upload:${body.id}`,
          names: ['v1'],
          digest: packed.descriptor.digest,
          id: packed.config.descriptor.digest,
        },
      ],
    })
    expect(Buffer.from(body.id, 'base64url')).toHaveLength(16)
    for (const way of ['', ':v1', `@${packed.descriptor.digest}`]) {
      const answer = await report(`upload:${body.id}${way}`)
      expect(answer.status).toBe(200)
      expect(answer.body.image).toMatchObject({ transport: 'upload', digest: packed.descriptor.digest })
      expect(answer.body.image).not.toHaveProperty('registry')
      expect(answer.headers.get('cache-control')).toBe('private, no-cache')
    }
    expect((await report(`upload:${body.id}:v2`)).body.code).toBe('image_not_found')
  })

  it('accepts a gzipped docker save, and creates the manifest that skopeo would', async () => {
    const { body } = await upload(gzipSync(packArchive(dockerSave(plain, ['docker.io/library/app:v1']))))
    const [layer] = plain.layers
    const docker = 'application/vnd.docker'
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: `${docker}.distribution.manifest.v2+json`,
      config: {
        mediaType: `${docker}.container.image.v1+json`,
        size: plain.config.bytes.length,
        digest: plain.config.descriptor.digest,
      },
      layers: [
        {
          mediaType: `${docker}.image.rootfs.diff.tar.gzip`,
          size: layer?.descriptor.size,
          digest: layer?.diffId,
        },
      ],
    })
    const digest = `sha256:${Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(manifest))).toString('hex')}`
    expect(body.images).toMatchObject([{ names: ['app:v1'], digest }])
    const { body: told } = await report(body.reference)
    expect(told.layers).toMatchObject([{ compression: 'none', diffId: layer?.diffId }])
    const query = { image: body.reference, maxCompressed: '1GB' }
    expect((await ask(service.url, '/v1/check', { query })).body.code).toBe('not_compressed')
    const baseline = registry.push('delta', 'v1', packed)
    for (const query of [
      { image: body.reference, baseline },
      { image: baseline, baseline: body.reference },
    ]) {
      const badge = await ask(service.url, '/badge/delta.json', { query })
      expect([badge.status, badge.body.message]).toEqual([200, 'unknown until it is pushed'])
    }
  })

  it('compares an upload with an image in a registry', async () => {
    const pushed = registry.push('app', 'v1', packed)
    const id = await taken(packArchive(ociLayout([{ image: packed }])))
    const { body } = await ask(service.url, '/v1/diff', {
      query: { from: pushed, to: `upload:${id}`, wait: 60 },
    })
    expect(body).toMatchObject({
      identical: true,
      from: { transport: 'docker' },
      to: { transport: 'upload' },
    })
  })

  it('chooses from several images by name, digest or platform, and never guesses', async () => {
    const id = await taken(
      packArchive(
        ociLayout([
          { image: packed, name: 'one' },
          { image: plain, name: 'two' },
        ]),
      ),
    )
    const { status, body } = await report(`upload:${id}`)
    expect([status, body.code]).toEqual([400, 'invalid_reference'])
    expect(body.detail).toContain('"one"')
    expect((await report(`upload:${id}:two`)).body.image.digest).toBe(plain.descriptor.digest)
  })

  it('offers only the platforms of an index that are in the archive', async () => {
    const arm = makeImage(packed.layers, { platform: { os: 'linux', architecture: 'arm64' } })
    const files = ociLayout([{ image: makeIndex([[packed], [arm]]), name: 'v1' }])
    const { [blobName(arm.descriptor.digest)]: _, ...rest } = files
    const id = await taken(packArchive(rest))
    expect((await report(`upload:${id}`)).body.image.digest).toBe(packed.descriptor.digest)
    expect((await report(`upload:${id}`, { platform: 'linux/arm64' })).body.code).toBe('platform_not_found')
  })

  const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte))
  it.each([
    ['a text', async () => Buffer.from('Cannot connect to the Docker daemon')],
    ['nothing', async () => new Uint8Array(0)],
    ['a layer', async () => packed.layers[0]?.bytes ?? new Uint8Array(0)],
    [
      'an archive without its end',
      async () => packArchive(ociLayout([{ image: packed }])).subarray(0, -1024),
    ],
    [
      'gzip without its end',
      async () => gzipSync(packArchive(ociLayout([{ image: packed }]))).subarray(0, -8),
    ],
    [
      'an archive with the wrong layer',
      async () => {
        const files = ociLayout([{ image: packed }])
        const name = blobName(packed.layers[0]?.descriptor.digest ?? '')
        return packArchive({ ...files, [name]: flipped(files[name] ?? new Uint8Array(0)) })
      },
    ],
    [
      'a config outside the archive',
      async () =>
        packArchive({
          'manifest.json': Buffer.from('[{"Config":"../../../etc/passwd","RepoTags":["a:b"],"Layers":[]}]'),
        }),
    ],
  ])('refuses %s, and keeps nothing of it', async (_, archive) => {
    const before = await keys()
    const { status, body } = await upload(await archive())
    expect([status, body.code]).toEqual([422, 'invalid_archive'])
    expect(JSON.stringify(body)).not.toContain('root:')
    expect(await keys()).toEqual(before)
  })

  it('refuses what is too large, compressed or not, and at once if the Content-Length says so', async () => {
    const before = await keys()
    const bomb = gzipSync(packArchive({ ...ociLayout([{ image: packed }]), big: new Uint8Array(8_000_000) }))
    expect((await upload(bomb)).body.code).toBe('too_large')
    const early = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request(`${service.url}/v1/uploads`, {
        method: 'POST',
        headers: { 'content-length': 2 ** 42 },
      })
      asked.on('response', ({ statusCode }) => resolve(statusCode)).on('error', reject)
      asked.flushHeaders()
    })
    expect(early).toBe(413)
    expect(await keys()).toEqual(before)
  })

  it('gives the reason for refusing an archive even to a client that reads only after sending everything', async () => {
    const { hostname, port } = new URL(service.url)
    const socket = connect(Number(port), hostname).on('error', () => {})
    const body = Buffer.concat([header({ name: 'large', size: 2 ** 33 }), Buffer.alloc(12_000_000)])
    const head = `PUT /v1/uploads HTTP/1.1\r\nHost: ${hostname}:${port}\r\nTransfer-Encoding: chunked\r\n\r\n`
    socket.pause()
    socket.write(`${head}${body.length.toString(16)}\r\n`)
    await new Promise((sent) => socket.write(body, sent))
    socket.write('\r\n0\r\n\r\n')
    socket.resume()
    const [answer] = await Promise.race([once(socket, 'data'), once(socket, 'close')])
    socket.destroy()
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('keeps nothing of an upload that its client aborted', async () => {
    const before = await keys()
    const archive = packArchive(ociLayout([{ image: packed }]))
    const asked = request(`${service.url}/v1/uploads`, {
      method: 'POST',
      headers: { 'content-length': archive.length },
    })
    asked.on('error', () => {})
    asked.write(archive.subarray(0, 2_000))
    // Its start is recorded before anything else: from then on it is in progress.
    await expect.poll(keys).not.toEqual(before)
    asked.destroy()
    await expect.poll(keys).toEqual(before)
  })

  it('shows nothing without the id, and nothing after a deletion', async () => {
    const secret = makeImage([await makeLayer([{ name: HIDDEN, content: `only here, on ${host}` }])])
    const before = await keys()
    const archive = packArchive(ociLayout([{ image: secret }]))
    const [id, copy] = [await taken(archive), await taken(archive)]
    const { headers } = await report(`upload:${id}`)
    expect((await keys()).join()).not.toContain(id)
    registry.putManifest('stolen', 'v1', secret.descriptor.mediaType, secret.bytes)
    registry.putBlob('stolen', secret.config.bytes)
    for (const reference of [
      `${registry.host}/stolen:v1`,
      `${registry.host}/none@${secret.descriptor.digest}`,
      `upload:${NOBODY}`,
    ]) {
      const answer = await report(reference)
      expect(answer.status, reference).toBeGreaterThanOrEqual(400)
      expect(JSON.stringify(answer.body)).not.toContain(HIDDEN)
    }
    expect((await remove(id)).status).toBe(204)
    expect((await remove(id)).status).toBe(404)
    const gone = await fetch(`${service.url}/v1/report?image=upload:${id}`, {
      headers: { 'If-None-Match': headers.get('etag') ?? '' },
    })
    expect([gone.status, (await gone.json()).code]).toEqual([404, 'upload_not_found'])
    const badge = await fetch(`${service.url}/badge/size.json?image=upload:${id}`)
    expect((await badge.json()).message).toBe('unknown image')
    expect((await report(`upload:${copy}`)).status).toBe(200)
    expect((await remove(copy)).status).toBe(204)
    const left = (await keys()).filter((key) => !before.includes(key) && !key.startsWith('analyses/'))
    expect(left.filter((key) => /^(uploads|archives|layers)\//.test(key))).toEqual([])
  })

  it.each([
    'docker-archive:app.tar',
    'oci-archive:/etc/passwd',
    'oci:folder',
    'dir:/tmp',
    `docker://upload:${NOBODY}`,
    'upload:',
    `upload:${NOBODY}@sha256:12`,
  ])('does not read %s', async (image) => {
    const { status, body } = await report(image)
    expect([status, body.code]).toEqual([400, 'invalid_reference'])
  })
})

describe.each(HOSTS)('on %s, where uploads live for two seconds and callers need a token', (host) => {
  it('an upload expires, and is shown only with a token', async () => {
    const service = await startService(host, { LAMINA_UPLOAD_SECONDS: '2', LAMINA_TOKENS: 'token' })
    try {
      const image = makeImage([await makeLayer([{ name: 'a', content: 'b' }])])
      const archive = packArchive(ociLayout([{ image }]))
      const post = (headers: Record<string, string>) =>
        fetch(`${service.url}/v1/uploads`, { method: 'POST', headers, body: Buffer.from(archive) })
      expect((await post({})).status).toBe(401)
      const { reference } = await (await post({ Authorization: 'Bearer token' })).json()
      const badge = await (await fetch(`${service.url}/badge/size.json?image=${reference}`)).json()
      expect(badge.message).toBe('private or unknown')
      const store = await service.store()
      const held = async () =>
        (await Array.fromAsync(store.list(''))).filter((key) => /^(uploads|archives)\//.test(key))
      await expect.poll(held).toEqual([])
    } finally {
      await service.stop()
    }
  })
})
