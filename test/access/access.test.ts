/** Who may see what: a digest is not a secret, and a registry that claims one learns nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask, registryAuth } from '../support/ask.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const USER = { username: 'mara', password: 'p4ss-w0rd-of-mara' }
const HIDDEN = 'hidden-name-of-a-file'

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let closed: FixtureRegistry
  let hostile: FixtureRegistry
  let image: TestImage
  let reference: string

  const report = (of: string, headers: Record<string, string> = {}) =>
    ask(service.url, '/v1/report', { query: { image: of, wait: 60 }, headers })

  beforeAll(async () => {
    service = await startService(host)
    closed = await FixtureRegistry.start({ auth: { kind: 'token', ...USER } })
    hostile = await FixtureRegistry.start()
    const layer = await makeLayer([{ name: HIDDEN, content: 'for mara alone' }])
    image = makeImage([layer])
    reference = closed.push('private/app', 'v1', image)
    expect((await report(reference, registryAuth(USER))).status).toBe(200)
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), closed?.close(), hostile?.close()])
  })

  it('shows a private image to those who may read it in its registry', async () => {
    const answer = await report(reference, registryAuth(USER))
    expect(answer.body.image.digest).toBe(image.descriptor.digest)
    expect(answer.headers.get('cache-control')).toContain('private')
  })

  it.each([
    '/v1/report',
    '/v1/files',
    '/v1/tree',
    '/v1/waste',
    '/v1/duplicates',
    '/v1/packages',
    '/v1/config',
  ])('shows nothing of it on %s without credentials, or with wrong ones', async (path) => {
    // From now on the answer is stored.
    const query = { image: reference }
    expect((await ask(service.url, path, { query, headers: registryAuth(USER) })).status).toBe(200)
    for (const headers of [{}, registryAuth({ ...USER, password: 'wrong' })]) {
      const answer = await ask(service.url, path, { query, headers })
      expect(answer.status).toBe(401)
      expect(answer.body.code).toBe('unauthorized')
      expect(JSON.stringify(answer.body)).not.toContain(HIDDEN)
      expect(answer.headers.get('www-authenticate')).toBe(`Registry realm="${closed.host}"`)
    }
  })

  it('reveals nothing to another registry that answers HEAD for its digest', async () => {
    const { digest, mediaType } = image.descriptor
    hostile.fault(
      { method: 'HEAD', path: /manifests/ },
      { status: 200, headers: { 'docker-content-digest': digest, 'content-type': mediaType } },
      10,
    )
    const answer = await report(`${hostile.host}/private/app@${digest}`)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(JSON.stringify(answer.body)).not.toContain(HIDDEN)
    hostile.clearFaults()
  })

  it('reveals nothing to another registry that has its manifest and config, but not its layers', async () => {
    const { digest, mediaType } = image.descriptor
    hostile.putManifest('stolen', 'v1', mediaType, image.bytes)
    hostile.putBlob('stolen', image.config.bytes)
    const answer = await report(`${hostile.host}/stolen@${digest}`)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(JSON.stringify(answer.body)).not.toContain(HIDDEN)
    expect(hostile.count({ method: 'GET', path: /blobs/ })).toBeGreaterThan(0)
  })

  it('reveals nothing to another registry whose own image names its layers', async () => {
    const [layer] = image.layers
    const own = makeImage([{ ...layer!, bytes: undefined }], { config: { author: 'eve' } })
    const answer = await report(hostile.push('own', 'v1', own))
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(JSON.stringify(answer.body)).not.toContain(HIDDEN)
  })

  it('is not misled about the real image by a registry that serves other bytes under its digests', async () => {
    const layer = await makeLayer([{ name: 'true', content: 'bytes' }])
    const other = makeImage([layer])
    const lying = await makeLayer([{ name: 'false', content: 'other bytes' }])
    hostile.push('lying', 'v1', makeImage([layer]))
    hostile.putBlob('lying', lying.bytes ?? new Uint8Array(), layer.descriptor.digest)
    const lied = await report(`${hostile.host}/lying:v1`)
    expect(lied.status).toBe(422)
    expect(lied.body.code).toBe('invalid_image')
    const honest = await report(closed.push('public/other', 'v1', other))
    expect(honest.status).toBe(200)
    expect(honest.body.counts.files).toBe(1)
  })

  it('shows through another registry what that registry serves itself', async () => {
    const answer = await report(hostile.push('copy', 'v1', image))
    expect(answer.status).toBe(200)
    expect(
      hostile.bytesSent({ path: new RegExp(`blobs/${image.layers[0]?.descriptor.digest}`) }),
    ).toBeGreaterThan(0)
  })

  it('shows everybody what a registry served without credentials, and does not read its layers again', async () => {
    const layer = await makeLayer([{ name: 'known', content: 'to all' }])
    const known = makeImage([layer])
    expect((await report(closed.push('public/known', 'v1', known))).status).toBe(200)
    hostile.push('mirror', 'v1', known)
    hostile.forgetRequests()
    expect((await report(`${hostile.host}/mirror:v1`)).status).toBe(200)
    expect(hostile.count({ path: /blobs/ })).toBe(0)
  })
})
