/** Who sees an uploaded image: those with its id and a token of the service, and nobody in any other way. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ociLayout, packArchive } from '../support/archives.ts'
import { ask, type Query } from '../support/ask.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const HIDDEN = 'hidden-name-of-a-file'
const NOBODY = 'A'.repeat(22)
const TOKEN = { Authorization: 'Bearer first' }

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let secret: TestImage
  let mine: string
  let known: string
  const others: Record<string, string> = {}

  const asked = (path: string, query: Query, headers: Record<string, string> = TOKEN) =>
    ask(service.url, path, { query, headers })
  const put = async (files: Readonly<Record<string, Uint8Array>>) => {
    const body = Buffer.from(packArchive(files))
    const answer = await fetch(`${service.url}/v1/uploads`, { method: 'PUT', headers: TOKEN, body })
    return { status: answer.status, body: await answer.json() }
  }

  beforeAll(async () => {
    service = await startService(host, { LAMINA_TOKENS: 'first,second' })
    registry = await FixtureRegistry.start()
    secret = makeImage([await makeLayer([{ name: HIDDEN, content: 'for those who have the id' }])])
    mine = (await put(ociLayout([{ image: secret, name: HIDDEN }]))).body.reference
    expect((await asked('/v1/report', { image: mine, wait: 60 })).status).toBe(200)
    known = registry.push('known', 'v1', makeImage([await makeLayer([{ name: 'a', content: 'known' }])]))
    expect((await asked('/v1/report', { image: known, wait: 60 })).status).toBe(200)

    const { digest, mediaType } = secret.descriptor
    // It claims to have the image, but serves nothing of it.
    registry.fault(
      { method: 'HEAD', path: /claims.manifests/ },
      { status: 200, headers: { 'docker-content-digest': digest, 'content-type': mediaType } },
      1000,
    )
    others.claimed = `${registry.host}/claims@${digest}`
    others.missing = `${registry.host}/nothing@${digest}`
    registry.putManifest('stolen', 'v1', mediaType, secret.bytes)
    registry.putBlob('stolen', secret.config.bytes)
    others.stolen = `${registry.host}/stolen:v1`
    const [layer] = secret.layers
    if (layer === undefined) throw new Error('the image has a layer')
    const naming = makeImage([{ ...layer, bytes: undefined }], { config: { author: 'eve' } })
    others.naming = registry.push('naming', 'v1', naming)
    others.nobody = `upload:${NOBODY}`
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  it('shows it to callers with the id and any token, and to no one without a token', async () => {
    const second = await asked('/v1/files', { image: mine }, { Authorization: 'Bearer second' })
    expect([second.status, JSON.stringify(second.body).includes(HIDDEN)]).toEqual([200, true])
    expect(second.headers.get('cache-control')).toBe('private, no-cache')
    for (const headers of [{}, { Authorization: 'Bearer third' }]) {
      expect((await asked('/v1/files', { image: mine }, headers)).status).toBe(401)
      expect((await asked('/badge/files.json', { image: mine }, headers)).body.message).toBe(
        'private or unknown',
      )
    }
  })

  it.each(['claimed', 'missing', 'stolen', 'naming', 'nobody'])(
    'shows nothing of it through %s',
    async (other) => {
      const image = others[other] ?? ''
      const wait = 60
      const questions: readonly (readonly [string, Query])[] = [
        ...[
          'report',
          'files',
          'tree',
          'waste',
          'duplicates',
          'packages',
          'advice',
          'export',
          'bundle',
          'sbom',
        ].map((name) => [`/v1/${name}`, { image, wait }] as const),
        ['/v1/files', { image, wait, layer: 0 }],
        ['/v1/file', { image, wait, path: HIDDEN }],
        ['/v1/file', { image, wait, path: HIDDEN, layer: 0 }],
        ['/v1/export', { image, wait, layer: 0 }],
        ['/v1/check', { image, wait, maxFiles: 10 }],
        ['/v1/check', { image: known, wait, baseline: image, maxGrowth: '1GB' }],
        ['/v1/diff', { from: image, to: known, wait }],
        ['/v1/diff/files', { from: known, to: image, wait }],
        ['/v1/diff/file', { from: known, to: image, wait, path: HIDDEN }],
      ]
      for (const [path, query] of questions) {
        const { status, body } = await asked(path, query)
        expect(status, `${path} ${JSON.stringify(body)}`).toBeGreaterThanOrEqual(400)
        const { path: _, ...told } = typeof body === 'object' && body !== null ? body : { told: body }
        // The request itself names the file.
        if (query.path === undefined) expect(JSON.stringify(told)).not.toContain(HIDDEN)
        expect(JSON.stringify(told)).not.toContain('for those who')
      }
      for (const metric of ['files', 'wasted', 'efficiency', 'uncompressed']) {
        const { body } = await asked(`/badge/${metric}.json`, { image })
        expect(['unavailable', 'unknown image', 'analysing…', 'private or unknown']).toContain(body.message)
      }
    },
  )

  it('is in no list, and named in no object stored for others', async () => {
    const id = mine.slice('upload:'.length)
    for (const path of ['/v1/images', '/v1/tags', '/v1/shared']) {
      const { status, body } = await asked(
        path,
        path === '/v1/shared'
          ? { image: [known, others.naming ?? ''] }
          : { repository: `${registry.host}/known` },
      )
      expect(JSON.stringify([status, body])).not.toContain(HIDDEN)
      expect(JSON.stringify([status, body])).not.toContain(id)
    }
    for await (const key of (await service.store()).list('')) {
      expect(key).not.toContain(id)
      expect(key).not.toContain(HIDDEN)
    }
  })

  it('is out of reach for an archive that only names its layer', async () => {
    const files = { ...ociLayout([{ image: secret }]) }
    for (const name of Object.keys(files))
      if (name.endsWith((secret.layers[0]?.descriptor.digest ?? '').slice('sha256:'.length)))
        delete files[name]
    const { status, body } = await put(files)
    expect([status, body.code]).toEqual([422, 'invalid_archive'])
  })
})
