/** Images known from tables of contents (`read=toc`), on both hosts; a table never affects any other answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { type ChunkedOptions, FORMS, makeChunkedLayer } from '../support/chunked.ts'
import { digestOf, makeImage, makeLayer, type TestMember } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const STATUS = 'Package: base-files\nStatus: install ok installed\nVersion: 1.0\nArchitecture: amd64\n\n'
/** Incompressible. */
const LARGE = Array.from({ length: 3_000 }, (_, i) => digestOf(Buffer.from(`${i}`))).join('\n')
const MEMBERS: readonly TestMember[] = [
  { name: 'etc/', mode: 0o755 },
  { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\n' },
  { name: 'big', content: LARGE },
  { name: 'var/lib/dpkg/status', content: STATUS },
  { name: 'var/lib/dpkg/info/base-files.list', content: '/etc\n/etc/passwd\n' },
  { name: 'store/1.json', content: '{"name":"left-pad","version":"1.3.0"}' },
  { name: 'srv/node_modules/left-pad/package.json', type: 'link', linkname: 'store/1.json' },
  { name: 'last', content: 'the last' },
]

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let other: FixtureRegistry

  beforeAll(async () => {
    ;[service, registry, other] = await Promise.all([
      startService(host),
      FixtureRegistry.start(),
      FixtureRegistry.start(),
    ])
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close(), other?.close()])
  })

  const get = async (route: string, query: Record<string, string>) => {
    const answer = await fetch(`${service.url}${route}?${new URLSearchParams({ wait: '60', ...query })}`)
    const text = await answer.text()
    const body = answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text
    return { status: answer.status, etag: answer.headers.get('etag'), body }
  }

  describe.each(FORMS)('%s', (form) => {
    const push = async (tag: string, options: ChunkedOptions = {}, members = MEMBERS) => {
      const layer = await makeChunkedLayer(form, members, { chunkBytes: 65_536, ...options })
      const image = registry.push('app', `${tag}-${form.replace(':', '-')}`, makeImage([layer]))
      const { digest } = layer.descriptor
      return { image, layer, sent: () => registry.bytesSent({ path: new RegExp(digest) }) }
    }

    it('the report equals the full one, from its table and its package databases', async () => {
      const { image, layer, sent } = await push('equal')
      const toc = await get('/v1/report', { image, read: 'toc' })
      expect(toc.status).toBe(200)
      expect(toc.body.image.verified).toBe('contents-table')
      expect(sent()).toBeLessThan(layer.descriptor.size / 2)
      const listed = await get('/v1/files', { image, read: 'toc' })
      const packages = await get('/v1/packages', { image, read: 'toc' })
      const full = await get('/v1/report', { image })
      expect(full.body.image.verified).toBe('content')
      expect(full.etag).not.toBe(toc.etag)
      expect(toc.body.warnings).toEqual([{ code: 'notExamined', count: 1, layer: 0 }])
      expect(full.body.warnings).toEqual([])
      const told = ({ body: { image: _, layers, size, warnings: __, ...report } }: typeof toc) => ({
        ...report,
        fileBytes: size.fileBytes,
        layers: layers.map(({ verified: _, uncompressedBytes: ___, ...one }: Record<string, unknown>) => one),
      })
      expect(told(toc)).toEqual(told(full))
      expect(full.body.packages.byType).toEqual({ deb: 1, npm: 1 })
      expect(listed.body).toEqual((await get('/v1/files', { image })).body)
      expect(packages.body).toEqual((await get('/v1/packages', { image })).body)
      // From then on, what is known of the content is used.
      expect((await get('/v1/report', { image, read: 'toc' })).etag).toBe(full.etag)
    })

    it('reads a database that links to another name in a lower layer from its chunks', async () => {
      const name = 'srv/node_modules/left-pad/package.json'
      const content = '{"name":"left-pad","version":"1.3.0"}'
      const layers = [
        await makeChunkedLayer(form, [
          { name: 'big', content: LARGE },
          { name: 'store/2.json', content },
        ]),
        await makeChunkedLayer(form, [{ name, type: 'link', linkname: 'store/2.json' }]),
      ]
      const image = registry.push('app', `linked-${form.replace(':', '-')}`, makeImage(layers))
      const notExamined = { code: 'notExamined', count: 2, layer: 0 }
      for (const [query, warned] of [
        [{ read: 'toc' }, [notExamined]],
        [{}, []],
      ] as const) {
        const { packages, warnings } = (await get('/v1/report', { image, ...query })).body
        expect([packages.total, warnings]).toEqual([1, warned])
      }
    })

    it('a file is read from its chunks', async () => {
      const { image, sent } = await push('file', {}, [...MEMBERS, { name: 'more', content: 'more' }])
      await get('/v1/report', { image, read: 'toc' })
      const before = sent()
      expect((await get('/v1/file', { image, read: 'toc', path: 'last' })).body).toBe('the last')
      expect(sent() - before).toBeLessThan(200)
      expect((await get('/v1/file', { image, read: 'toc', path: 'big' })).body).toBe(LARGE)
    })

    it('a file whose chunks are damaged in the store is a temporary error', async () => {
      const { image } = await push('damaged', {}, [...MEMBERS, { name: 'damaged', content: 'damaged' }])
      const file = () => get('/v1/file', { image, read: 'toc', path: 'big' })
      expect((await file()).body).toBe(LARGE)
      const store = await service.store()
      for await (const key of store.list('layers/')) {
        if (!key.endsWith('/chunks.bin')) continue
        const bytes = new Uint8Array(await new Response((await store.get(key))?.body).arrayBuffer())
        // In each record, a byte of the chunk's offset.
        await store.put(
          key,
          bytes.map((byte, i) => byte ^ (i % 68 === 14 ? 1 : 0)),
        )
      }
      expect((await file()).body).toMatchObject({ code: 'store_error' })
      expect((await file()).body).toBe(LARGE)
    })

    it('an unknown size is not invented', async () => {
      const { image } = await push('size', {}, [...MEMBERS, { name: 'size', content: 'size' }])
      const report = await get('/v1/report', { image, read: 'toc' })
      expect(report.body.size.uncompressedBytes).toBeUndefined()
      const check = await get('/v1/check', { image, read: 'toc', maxSize: '1GB' })
      expect([check.status, check.body.code]).toEqual([422, 'size_unknown'])
      const files = await get('/v1/check', { image, read: 'toc', maxFiles: '100' })
      expect([files.status, files.body.image.verified]).toEqual([200, 'contents-table'])
    })

    it('a false table is refused, and affects no answer about the content', async () => {
      const change: ChunkedOptions['change'] = ({ entries }) => ({
        version: 1,
        entries: entries.filter(({ name }) => name !== 'last'),
      })
      const missing = await push('missing', { change })
      const toc = await get('/v1/files', { image: missing.image, read: 'toc', glob: 'last' })
      expect(toc.body.items).toEqual([])
      const full = await get('/v1/files', { image: missing.image, glob: 'last' })
      expect(full.body.items).toHaveLength(1)
      const digest = digestOf(Buffer.from('another'))
      const lying = await push('digest', { digest }, [...MEMBERS, { name: 'digest', content: 'digest' }])
      const refused = await get('/v1/report', { image: lying.image, read: 'toc' })
      expect([refused.status, refused.body.code]).toEqual([422, 'invalid_image'])
      expect(refused.body.detail).toContain('the table of contents')
      expect((await get('/v1/report', { image: lying.image })).status).toBe(200)
    })

    it('hard links in a table that point to each other resolve to nothing', async () => {
      const links = [
        { name: 'ring/a', type: 'hardlink', linkName: 'ring/b' },
        { name: 'ring/b', type: 'hardlink', linkName: 'ring/a' },
        { name: 'ring/self', type: 'hardlink', linkName: 'ring/self' },
      ]
      const change: ChunkedOptions['change'] = ({ version, entries }) => ({
        version,
        entries: [...entries, ...links],
      })
      const { image } = await push('ring', { change }, [...MEMBERS, { name: 'after', content: 'after' }])
      const warnings = async (query: Record<string, string>) =>
        (await get('/v1/report', { image, ...query })).body.warnings
      expect(await warnings({ read: 'toc' })).toEqual([
        { code: 'danglingHardlink', count: links.length, layer: 0, path: 'ring/a' },
        { code: 'notExamined', count: 1, layer: 0 },
      ])
      expect((await get('/v1/file', { image, read: 'toc', path: 'ring/a' })).body.code).toBe('path_not_found')
      expect(await warnings({})).toEqual([])
    })

    it('a registry that serves a layer with another table changes nothing for others', async () => {
      const members = [...MEMBERS, { name: 'poison', content: form }]
      const { image, layer } = await push('poison', {}, members)
      const change: ChunkedOptions['change'] = ({ entries }) => ({
        version: 1,
        entries: entries.filter(({ name }) => name !== 'poison'),
      })
      const evil = await makeChunkedLayer(form, members, { change })
      // The digest is the good layer's, the bytes and the table are not.
      const claimed = { ...evil, descriptor: { ...evil.descriptor, digest: layer.descriptor.digest } }
      const reference = other.push('evil', form.replace(':', '-'), makeImage([claimed]))
      const poisoned = await get('/v1/files', { image: reference, read: 'toc', glob: 'poison' })
      expect(poisoned.body.items).toEqual([])
      const good = await get('/v1/files', { image, read: 'toc', glob: 'poison' })
      expect(good.body.items).toHaveLength(1)
    })

    it('a layer with a name that the table cannot represent is read completely', async () => {
      const { image } = await push('unsaid', {}, [...MEMBERS, { name: '\ufffd', content: 'x' }])
      const { body } = await get('/v1/report', { image, read: 'toc' })
      expect(body.image.verified).toBe('content')
      expect(body.warnings).toEqual([{ code: 'tableNotUsed', count: 1, layer: 0 }])
    })
  })

  it('layers without a table are read completely, once for both modes', async () => {
    const plain = await makeLayer([{ name: 'base', content: 'base' }])
    const top = await makeChunkedLayer('estargz', [{ name: 'top', content: 'top' }])
    const image = registry.push('app', 'mixed', makeImage([plain, top]))
    const toc = await get('/v1/report', { image, read: 'toc' })
    expect(toc.body.layers.map(({ verified }: { verified: string }) => verified)).toEqual([
      'content',
      'contents-table',
    ])
    const members = await get('/v1/files', { image, read: 'toc', layer: '1' })
    expect(members.body.items.map(({ path }: { path: string }) => path)).toEqual(['top'])
    await get('/v1/report', { image })
    const blob = { path: new RegExp(plain.descriptor.digest) }
    expect(registry.count(blob)).toBe(1)
  })

  it('an analysis of tables reports its own state, and a page continues in the mode in which it began', async () => {
    const names = Array.from({ length: 30 }, (_, i) => ({ name: `f${i}`, content: `${i}` }))
    const layer = await makeChunkedLayer('estargz', names)
    const image = registry.push('app', 'paged', makeImage([layer]))
    const asked = await fetch(`${service.url}/v1/analyses`, {
      method: 'POST',
      body: JSON.stringify({ image, read: 'toc' }),
      headers: { 'Content-Type': 'application/json' },
    })
    const { links } = (await asked.json()) as { links: { self: string; report: string } }
    expect(links.report).toContain('read=toc')
    await get('/v1/report', { image, read: 'toc' })
    const analysis = await fetch(service.url + links.self)
    expect(await analysis.json()).toMatchObject({ status: 'succeeded' })
    const first = await get('/v1/files', { image, read: 'toc', limit: '20' })
    await get('/v1/report', { image })
    const cursor = first.body.nextCursor
    const second = await get('/v1/files', { image, read: 'toc', limit: '20', cursor })
    expect(second.body.items).toHaveLength(10)
  })

  it('`read` has two values', async () => {
    const image = registry.push('app', 'read', makeImage([await makeLayer([])]))
    const answer = await get('/v1/report', { image, read: 'table' })
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_parameter'])
  })
})
