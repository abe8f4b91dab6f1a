/** Uploads in parts: in any order, again after a break, with the checks of every upload, and nothing of them remains. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ObjectStore } from '../../src/host.ts'
import { ociLayout, packArchive } from '../support/archives.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { s3Store, startS3, type TestS3 } from '../support/s3.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const LIMIT_BYTES = 16_000_000

describe.each([...HOSTS, 's3'] as const)('on %s', (host) => {
  let service: TestService
  let s3: TestS3 | undefined
  let store: ObjectStore
  let archive: Uint8Array

  beforeAll(async () => {
    s3 = host === 's3' ? await startS3() : undefined
    for (const [setting, value] of Object.entries(s3?.settings ?? {})) vi.stubEnv(setting, value)
    const settings = { LAMINA_MAX_UPLOAD_BYTES: `${LIMIT_BYTES}`, ...s3?.settings }
    service = await startService(host === 'worker' ? 'worker' : 'node', settings)
    store = s3 === undefined ? await service.store() : s3Store(s3)
    const layer = await makeLayer([{ name: 'large', content: randomBytes(9_000_000) }], {
      compression: 'none',
    })
    archive = packArchive(ociLayout([{ image: makeImage([layer]) }]))
  })

  afterAll(async () => {
    await service?.stop()
    await s3?.stop()
    vi.unstubAllEnvs()
  })

  const call = async (method: string, path: string, body?: Uint8Array | object) => {
    const isBytes = body instanceof Uint8Array
    const headers: Record<string, string> = body && !isBytes ? { 'Content-Type': 'application/json' } : {}
    const sent = body === undefined ? {} : { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }
    const answer = await fetch(`${service.url}/v1/uploads${path}`, { method, headers, ...sent })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const begin = async (bytes = archive) => {
    const { status, body } = await call('POST', '?parts=1')
    expect(status).toBe(201)
    const { id, partBytes } = body
    const count = Math.ceil(bytes.length / partBytes)
    const part = (n: number) => bytes.subarray(n * partBytes, (n + 1) * partBytes)
    const put = (n: number, content = part(n)) => call('PUT', `/${id}/parts/${n}`, content)
    return { id, partBytes, count, put, complete: () => call('POST', `/${id}/complete`, { parts: count }) }
  }
  const report = (id: string) =>
    ask(service.url, '/v1/report', { query: { image: `upload:${id}`, wait: 60 } })
  const keys = async () => Array.fromAsync(store.list('archives/'))

  it('parts in any order and side by side are the archive; one sent again replaces the first', async () => {
    const { id, partBytes, count, put, complete } = await begin()
    expect(count).toBe(3)
    expect((await put(1, new Uint8Array(partBytes))).status).toBe(204)
    const sent = await Promise.all([2, 1, 0].map((n) => put(n)))
    expect(sent.map(({ status }) => status)).toEqual([204, 204, 204])
    const { status, body } = await complete()
    expect({ status, body }).toMatchObject({ status: 201, body: { id, bytes: archive.length } })
    expect((await report(id)).status).toBe(200)
    expect((await keys()).filter((key) => key.includes('/sent/'))).toEqual([])
    // As after an answer that was lost.
    expect(await complete()).toMatchObject({ status: 201, body: { id, bytes: archive.length } })
    expect((await put(0)).status).toBe(404)
    expect((await call('DELETE', `/${id}`)).status).toBe(204)
    expect(await keys()).toEqual([])
  })

  it('tells what has arrived, and names a missing part; until it is complete it has no image', async () => {
    const { id, partBytes, put, complete } = await begin()
    await put(0)
    await put(2)
    const { body } = await call('GET', `/${id}`)
    expect(body).toEqual({ id, partBytes, parts: [0, 2], expiresAt: expect.stringMatching(/Z$/) })
    const missing = await complete()
    expect(missing).toMatchObject({ status: 409, body: { code: 'upload_incomplete' } })
    expect(missing.body.detail).toContain('part 1 is missing')
    expect(await report(id)).toMatchObject({ status: 409, body: { code: 'upload_incomplete' } })
    await put(1)
    expect((await complete()).status).toBe(201)
    expect((await report(id)).status).toBe(200)
    await call('DELETE', `/${id}`)
  })

  it('refuses parts of another size, too many, and an archive that is none, of which nothing remains', async () => {
    const { id, partBytes, put, complete } = await begin()
    expect((await put(0, new Uint8Array(partBytes + 1))).body.code).toBe('too_large')
    expect((await put(0, new Uint8Array(0))).body.code).toBe('invalid_archive')
    expect((await put(9, new Uint8Array(1))).body.code).toBe('too_large')
    for (const n of [0, 1, 2]) await put(n, new Uint8Array(1000))
    expect(await complete()).toMatchObject({ status: 422, body: { code: 'invalid_archive' } })
    expect((await call('GET', `/${id}`)).status).toBe(404)
    expect(await keys()).toEqual([])
  })

  it('is deleted before it is complete', async () => {
    const { id, put, complete } = await begin()
    await put(0)
    expect((await call('DELETE', `/${id}`)).status).toBe(204)
    expect((await put(1)).status).toBe(404)
    expect((await complete()).status).toBe(404)
    expect((await report(id)).body.code).toBe('upload_not_found')
    expect(await keys()).toEqual([])
  })
})

describe.each(HOSTS)('on %s, an upload that nobody goes on with', (host) => {
  it('expires', async () => {
    const service = await startService(host, { LAMINA_UPLOAD_SECONDS: '1' })
    try {
      const begun = await fetch(`${service.url}/v1/uploads?parts=1`, { method: 'POST' })
      const { id } = await begun.json()
      const path = `${service.url}/v1/uploads/${id}`
      await fetch(`${path}/parts/0`, { method: 'PUT', body: 'x' })
      const store = await service.store()
      await expect.poll(async () => Array.fromAsync(store.list('archives/'))).toEqual([])
      expect((await fetch(path)).status).toBe(404)
    } finally {
      await service.stop()
    }
  })
})
