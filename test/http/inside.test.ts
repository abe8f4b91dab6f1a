/** What is inside files, through HTTP on both hosts: lists, paths into archives, diffs, who may see them, and readers who leave. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { arOf } from '../support/ar.ts'
import { ask, type Query, registryAuth } from '../support/ask.ts'
import { buildElf } from '../support/elf.ts'
import { makeImage, makeLayer, packTar, type TestMember } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'
import { zipOf } from '../support/zip.ts'

const USER = { username: 'mara', password: 'p4ss-w0rd-of-mara' }
const HIDDEN = 'hidden-name-of-an-entry'

const inner = zipOf({ 'com/x/Inner.class': 'i'.repeat(300), 'META-INF/MANIFEST.MF': 'Version: 1\n' })
const jar = zipOf(
  { 'com/Main.class': 'm'.repeat(500), 'note.txt': 'a note' },
  { stored: { 'lib/inner.jar': inner } },
)
const nextJar = zipOf(
  { 'com/Main.class': 'n'.repeat(800), 'new.txt': 'new' },
  { stored: { 'lib/inner.jar': inner } },
)

function program(code: number): Uint8Array {
  return buildElf({
    sections: [
      { name: '.text', type: 1, flags: 6, data: new Uint8Array(code) },
      { name: '.rodata', type: 1, flags: 2, data: new Uint8Array(40) },
    ],
  })
}

async function files(archive: Uint8Array, code: number): Promise<readonly TestMember[]> {
  return [
    { name: 'opt/app.jar', content: archive },
    { name: 'opt/real!/file.txt', content: 'really there' },
    { name: 'opt/broken.jar', content: 'PK\x03\x04 and no end'.padEnd(900) },
    { name: 'opt/notes.txt', content: 'plain text' },
    { name: 'opt/names.zip', content: zipOf({ 'a!/b': 'b', 'a!/c': 'c' }) },
    { name: 'usr/bin/server', content: program(code), mode: 0o755 },
    { name: 'usr/lib/libx.a', content: arOf([{ name: 'one.o', content: Buffer.from('object') }]) },
    {
      name: 'opt/bundle.tar',
      content: await packTar([
        { name: 'first', content: 'first' },
        { name: 'soft', type: 'symlink', linkname: 'first' },
        { name: 'hard', type: 'link', linkname: 'first' },
      ]),
    },
  ]
}

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let image: string
  let next: string

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([startService(host), FixtureRegistry.start()])
    image = registry.push('app', 'v1', makeImage([await makeLayer(await files(jar, 500))]))
    next = registry.push('app', 'v2', makeImage([await makeLayer(await files(nextJar, 700))]))
    await Promise.all([image, next].map((one) => get('/v1/report', { image: one, wait: 60 })))
  })

  afterAll(() => Promise.all([service?.stop(), registry?.close()]))

  const get = (path: string, query: Query, headers: Record<string, string> = {}) =>
    ask(service.url, path, { query, headers })
  const inside = (path: string, more: Query = {}) => get('/v1/inside', { image, path, ...more })

  it('lists the entries of a zip in its order, or in another, and those that match', async () => {
    const { status, body } = await inside('opt/app.jar')
    expect(status).toBe(200)
    expect(body).toMatchObject({ path: 'opt/app.jar', bytes: jar.length, layer: 0, kind: 'zip' })
    const paths = async (more: Query) =>
      (await inside('opt/app.jar', more)).body.items.map(({ path }: { path: string }) => path)
    expect(await paths({})).toEqual(['com/Main.class', 'note.txt', 'lib/inner.jar'])
    expect(await paths({ sort: 'path' })).toEqual(['com/Main.class', 'lib/inner.jar', 'note.txt'])
    expect(await paths({ sort: '-bytes', limit: 1 })).toEqual(
      inner.length > 500 ? ['lib/inner.jar'] : ['com/Main.class'],
    )
    expect(await paths({ glob: '**/*.class' })).toEqual(['com/Main.class'])
    const csv = await get('/v1/inside', { image, path: 'opt/app.jar', format: 'csv' })
    expect(csv.body).toContain('note.txt,')
  })

  it('knows an ELF file, a tar and an ar', async () => {
    const elf = (await inside('usr/bin/server')).body
    expect(elf).toMatchObject({
      kind: 'elf',
      elf: { class: 64, machine: 'amd64', type: 'exec', stripped: true },
    })
    expect(elf.items[0]).toEqual({ name: '.text', type: 'PROGBITS', bytes: 500, area: 'code' })
    expect(elf.areas.reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0)).toBe(elf.bytes)
    const tar = (await inside('opt/bundle.tar')).body
    expect(tar.items.map(({ path, type }: { path: string; type: string }) => [path, type])).toEqual([
      ['first', 'file'],
      ['soft', 'symlink'],
      ['hard', 'hardlink'],
    ])
    const ar = (await inside('usr/lib/libx.a')).body
    expect([ar.kind, ar.items[0].path, ar.items[0].bytes]).toEqual(['ar', 'one.o', 6])
  })

  it('a path leads into an archive, and into one inside it', async () => {
    const nested = await inside('opt/app.jar!/lib/inner.jar')
    expect(nested.body).toMatchObject({
      path: 'opt/app.jar!/lib/inner.jar',
      bytes: inner.length,
      kind: 'zip',
    })
    expect(nested.body.items).toHaveLength(2)
    for (const [path, content] of [
      ['opt/app.jar!/note.txt', 'a note'],
      ['opt/app.jar!/lib/inner.jar!/META-INF/MANIFEST.MF', 'Version: 1\n'],
      ['opt/bundle.tar!/hard', 'first'],
      ['usr/lib/libx.a!/one.o', 'object'],
      ['opt/real!/file.txt', 'really there'],
    ] as const) {
      const file = await get('/v1/file', { image, path })
      expect([path, file.status, file.body]).toEqual([path, 200, content])
      const tag = file.headers.get('etag') ?? ''
      const again = await get('/v1/file', { image, path }, { 'if-none-match': tag })
      expect([path, again.status]).toEqual([path, 304])
    }
    const tags = await Promise.all(
      ['note.txt', 'com/Main.class'].map(async (name) =>
        (await get('/v1/file', { image, path: `opt/app.jar!/${name}` })).headers.get('etag'),
      ),
    )
    expect(new Set(tags).size).toBe(2)
  })

  it.each([
    ['opt/app.jar!/nothing', 404, 'path_not_found'],
    ['opt/app.jar!/com', 404, 'path_not_found'],
    ['opt/bundle.tar!/soft', 404, 'path_not_found'],
    ['opt/nothing.jar!/x', 404, 'path_not_found'],
    ['opt/notes.txt!/x', 422, 'unknown_format'],
    ['usr/bin/server!/.text', 422, 'unknown_format'],
    ['opt/broken.jar!/x', 422, 'invalid_archive'],
    ['a!/b!/c!/d!/e!/f', 400, 'invalid_parameter'],
  ])('%s is refused, by name', async (path, status, code) => {
    for (const route of ['/v1/inside', '/v1/file']) {
      const answer = await get(route, { image, path })
      expect([route, answer.status, answer.body.code]).toEqual([route, status, code])
    }
  })

  it.each([
    // As the ways of a treemap lead there.
    ['opt/app.jar!', 'com/'],
    ['opt/app.jar!/lib', 'inner.jar'],
    ['opt/app.jar!/lib/inner.jar!', 'META-INF/'],
    ['usr/bin/server!/code', '.text'],
    ['opt/names.zip!/a!', '>b<'],
    ['opt/app.jar!/note.txt', 'a note'],
  ])('%s has a page, and a treemap unless it is a file', async (path, text) => {
    for (const route of ['/files', '/map']) {
      const { status, body } = await get(route, { image, path })
      expect([route, status]).toEqual([route, 200])
      expect(body).toContain(text)
    }
  })

  it('a path that leads nowhere has no page', async () => {
    for (const path of [
      'opt/app.jar!/nothing',
      'opt/nothing!',
      'opt/app.jar!/note.txt!/x',
      'usr/bin/server!/heap',
    ])
      for (const route of ['/files', '/map'])
        expect([path, (await get(route, { image, path })).status >= 400]).toEqual([path, true])
  })

  it('says what changed inside a file', async () => {
    const diff = (path: string, more: Query = {}) =>
      get('/v1/diff/inside', { from: image, to: next, path, ...more })
    expect((await diff('opt/app.jar')).body).toMatchObject({
      kind: 'zip',
      items: [
        { path: 'com/Main.class', change: 'modified', fromBytes: 500, toBytes: 800, delta: 300 },
        { path: 'note.txt', change: 'removed', fromBytes: 6, toBytes: 0, delta: -6 },
        { path: 'new.txt', change: 'added', fromBytes: 0, toBytes: 3, delta: 3 },
      ],
    })
    expect((await diff('opt/app.jar', { change: 'added' })).body.items).toHaveLength(1)
    expect((await diff('usr/bin/server')).body.items).toEqual([
      { name: '.text', change: 'modified', fromBytes: 500, toBytes: 700, delta: 200 },
    ])
    expect((await diff('opt/app.jar!/lib/inner.jar')).body.items).toEqual([])
    const other = await diff('opt/app.jar', { toPath: 'usr/bin/server' })
    expect([other.status, other.body.code]).toEqual([422, 'unknown_format'])
    expect((await diff('opt/app.jar!/note.txt!/x')).status).toBe(422)
    expect((await diff('opt/gone.jar')).body.code).toBe('path_not_found')
  })

  it('shows nothing of a private image to those whom its registry does not show it', async () => {
    const closed = await FixtureRegistry.start({ auth: { kind: 'token', ...USER } })
    const hostile = await FixtureRegistry.start()
    try {
      const secret = makeImage([
        await makeLayer([{ name: 'app.jar', content: zipOf({ [HIDDEN]: HIDDEN.repeat(9) }) }]),
      ])
      const reference = closed.push('private/app', 'v1', secret)
      const { digest, mediaType } = secret.descriptor
      hostile.fault(
        { method: 'HEAD', path: /manifests/ },
        { status: 200, headers: { 'docker-content-digest': digest, 'content-type': mediaType } },
        99,
      )
      expect((await get('/v1/report', { image: reference, wait: 60 }, registryAuth(USER))).status).toBe(200)
      const claimed = `${hostile.host}/private/app@${digest}`
      for (const [route, query] of [
        ['/v1/inside', { path: 'app.jar' }],
        ['/v1/file', { path: `app.jar!/${HIDDEN}` }],
        ['/v1/diff/inside', { path: 'app.jar', from: reference, to: reference }],
        ['/files', { path: 'app.jar' }],
        ['/files', { path: `app.jar!/${HIDDEN}` }],
        ['/map', { path: 'app.jar' }],
        ['/diff', { path: 'app.jar', from: reference, to: reference }],
      ] as const) {
        const { from, ...one } = { from: undefined, ...query }
        const named = (of: string): Query =>
          from === undefined ? { ...one, image: of } : { ...one, from: of, to: of }
        // From now on it is known.
        expect((await get(route, named(reference), registryAuth(USER))).status).toBe(200)
        for (const [of, headers] of [
          [reference, {}],
          [reference, registryAuth({ ...USER, password: 'wrong' })],
          [claimed, {}],
        ] as const) {
          const answer = await get(route, named(of), headers)
          expect([route, answer.status >= 400]).toEqual([route, true])
          // A page repeats the path that was asked for.
          expect(JSON.stringify(answer.body)).not.toContain(HIDDEN.repeat(2))
          if (!('path' in one) || !one.path.includes(HIDDEN))
            expect(JSON.stringify(answer.body)).not.toContain(HIDDEN)
        }
      }
    } finally {
      await Promise.all([closed.close(), hostile.close()])
    }
  })

  it('what one registry gives is not shown to those who ask another', async () => {
    const lying = await FixtureRegistry.start()
    try {
      // A smaller file is read whole, and verified.
      const stored = { stored: { large: Buffer.alloc(400_000, 'x') } }
      const content = zipOf({ 'the-truth': '' }, stored)
      const lie = zipOf({ 'not-truth': '' }, stored)
      const layer = await makeLayer([{ name: 'app.zip', content }], { compression: 'none' })
      const made = makeImage([layer])
      const [honest, liar] = [registry.push('two', 'v1', made), lying.push('two', 'v1', made)]
      for (const one of [honest, liar]) await get('/v1/report', { image: one, wait: 60 })
      const changed = Buffer.from(layer.bytes ?? [])
      changed.set(lie, changed.indexOf(Buffer.from('PK\x03\x04')))
      lying.putBlob('two', changed, layer.descriptor.digest)
      const asked = async (of: string) =>
        (await get('/v1/inside', { image: of, path: 'app.zip' })).body.items[0].path
      expect(await asked(liar)).toBe('not-truth')
      expect(await asked(honest)).toBe('the-truth')
      const page = await get('/files', { image: honest, path: 'app.zip' })
      expect(page.body).toContain('the-truth')
      expect(page.body).not.toContain('not-truth')
    } finally {
      await lying.close()
    }
  })

  // workerd does not notice that a reader has left before it writes to them: there the reading ends when it is idle for 30 s.
  it.each(host === 'worker' ? [] : ['/v1/inside', '/map', '/v1/file'])(
    'a reader who leaves ends the reading: %s',
    async (route) => {
      const name = route.slice(1).replace('/', '-')
      const tar = await packTar([{ name: 'x', content: Buffer.alloc(3_000_000, host) }])
      const layer = await makeLayer([{ name: `${name}.tar`, content: tar }], { compression: 'none' })
      const large = registry.push('large', name, makeImage([layer]))
      await get('/v1/report', { image: large, wait: 60 })
      const query = { image: large, path: `${name}.tar${route === '/v1/file' ? '!/x' : ''}` }
      const blob = { method: 'GET', path: new RegExp(layer.descriptor.digest) }
      registry.fault(blob, { stallAfter: 4_096 }, 99)
      const before = registry.count(blob)
      const left = new AbortController()
      const address = `${service.url}${route}?${new URLSearchParams(query)}`
      const asked = fetch(address, { signal: left.signal }).catch(() => 'left')
      await expect.poll(() => registry.count(blob), { timeout: 30_000 }).toBeGreaterThan(before)
      left.abort()
      expect(await asked).toBe('left')
      await expect.poll(() => registry.openAnswers, { timeout: 30_000 }).toBe(0)
      registry.clearFaults()
      // The next one is not told of it.
      expect((await get(route, query)).status).toBe(200)
    },
  )
})
