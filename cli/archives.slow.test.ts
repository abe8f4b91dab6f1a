/** The command on local images: archives, layouts and an engine, read locally and uploaded to a service. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../test/registry/fixture.ts'
import { dockerSave, ociLayout, packArchive } from '../test/support/archives.ts'
import { TestEngine } from '../test/support/engine.ts'
import { digestOf, makeImage, makeLayer, type TestImage } from '../test/support/images.ts'
import { runLamina } from '../test/support/lamina.ts'
import { startService, type TestService } from '../test/support/service.ts'

let folder: string
let temporary: string
let registry: FixtureRegistry
let engine: TestEngine
let service: TestService
let image: TestImage
let pushed: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-cli-archives-'))
  temporary = await mkdtemp(join(folder, 'tmp-'))
  registry = await FixtureRegistry.start()
  engine = await TestEngine.start()
  service = await startService('node')
  const base = await makeLayer([{ name: 'bin/tool', content: 'a tool' }], { compression: 'none' })
  const above = await makeLayer([{ name: 'etc/large', content: 'x'.repeat(600_000) }], {
    compression: 'none',
  })
  image = makeImage([base, above])
  pushed = registry.push('app', 'dev', image)
  engine.add('app:dev', image)
  const saved = packArchive(dockerSave(image, ['app:dev']))
  await writeFile(join(folder, 'docker.tar'), saved)
  await writeFile(join(folder, 'docker.tar.gz'), gzipSync(saved))
  await writeFile(join(folder, 'cut.tar'), saved.subarray(0, saved.length / 2))
  const layout = ociLayout([{ image, name: 'dev' }])
  await writeFile(join(folder, 'oci.tar'), packArchive(layout))
  for (const [name, bytes] of Object.entries(layout)) {
    const path = join(folder, 'layout', name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
})

afterAll(async () => {
  await registry.close()
  await engine.stop()
  await service.stop()
  await rm(folder, { recursive: true, force: true })
})

const lamina = (words: readonly string[], env: Record<string, string> = {}, input?: Uint8Array) =>
  runLamina(
    words,
    {
      HOME: folder,
      TMPDIR: temporary,
      XDG_CACHE_HOME: join(folder, 'cache'),
      DOCKER_HOST: engine.address,
      ...env,
    },
    input,
  )

const REFERENCES = [
  ['docker-archive', 'docker.tar'],
  ['docker-archive', 'docker.tar:app:dev'],
  ['docker-archive', 'docker.tar.gz'],
  ['oci-archive', 'oci.tar:dev'],
  ['oci', 'layout'],
  ['oci', 'layout:dev'],
] as const

const REMOTE = [false, true].flatMap((remote) =>
  REFERENCES.map(([transport, path]) => ({ remote, transport, path })),
)

test.each(REMOTE)(
  'reports on $transport:$path, by a service: $remote',
  async ({ remote, transport, path }) => {
    const env = remote ? { LAMINA_SERVER: service.url } : {}
    const { code, out, err } = await lamina(
      ['report', `${transport}:${folder}/${path}`, '--format', 'json'],
      env,
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const report = JSON.parse(out)
    expect(report).toMatchObject({
      image: { transport: remote ? 'upload' : transport, id: image.config.descriptor.digest },
      counts: { layers: 2, files: 2 },
    })
    expect(report.image.registry).toBeUndefined()
    if (transport !== 'docker-archive') expect(report.image.digest).toBe(image.descriptor.digest)
    expect(await readdir(temporary)).toEqual([])
  },
)

test.each([{}, { server: true }])('reads an archive on stdin once: %j', async ({ server }) => {
  const env = server ? { LAMINA_SERVER: service.url } : {}
  const saved = packArchive(dockerSave(image, ['app:dev']))
  for (const input of [saved, gzipSync(saved)]) {
    const words = ['diff', 'docker-archive:-', 'docker-archive:-:app:dev', '--exit-code']
    expect(await lamina(words, env, input)).toMatchObject({ code: 0, err: '' })
  }
  expect(await lamina(['report', 'docker-archive:-'], env)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^lamina: [^\n]+ \[invalid_archive\]\n$/),
  })
})

test('an archive, an engine and a registry are compared and checked with each other', async () => {
  const words = ['diff', `docker-archive:${folder}/docker.tar`, pushed, '--exit-code']
  expect(await lamina(words)).toMatchObject({ code: 0, err: '' })
  expect(await lamina(['diff', 'docker-daemon:app:dev', pushed, '--exit-code'])).toMatchObject({ code: 0 })
  const grown = ['check', pushed, '--baseline', `oci:${folder}/layout`, '--max-growth', '0']
  expect(await lamina(grown)).toMatchObject({ code: 0, err: '' })
  const packed = ['check', `docker-archive:${folder}/docker.tar`, '--max-compressed', '1GB']
  expect(await lamina(packed)).toMatchObject({ code: 2, err: expect.stringContaining('not_compressed') })
})

test('what a pull of an uncompressed archive takes is unknown: no text and no badge tells it, JSON says how it is stored', async () => {
  const archive = `docker-archive:${folder}/docker.tar`
  expect((await lamina(['report', archive])).out).toContain('unknown until it is pushed')
  const json = JSON.parse((await lamina(['report', archive, '--format', 'json'])).out)
  expect(json.size).toMatchObject({ stored: 'uncompressed', compressedBytes: expect.any(Number) })
  const badge = await lamina(['badge', archive, '--metric', 'size'])
  expect(badge.out).toContain('unknown until it is pushed')
  const diff = JSON.parse((await lamina(['diff', archive, pushed, '--format', 'json'])).out)
  expect(diff.size.stored).toEqual({ from: 'uncompressed', to: 'uncompressed' })
  for (const format of ['text', 'markdown', 'html'])
    expect((await lamina(['diff', archive, pushed, '--format', format])).out).not.toMatch(/\bcompressed/i)
})

test('what was uploaded to a service is deleted afterwards', async () => {
  const env = { LAMINA_SERVER: service.url }
  for (const reference of [`docker-archive:${folder}/docker.tar`, 'docker-daemon:app:dev']) {
    const { code, out } = await lamina(['report', reference, '--format', 'json'], env)
    expect(code).toBe(0)
    const { reference: upload } = JSON.parse(out).image
    expect(upload).toMatch(/^upload:/)
    const asked = await fetch(`${service.url}/v1/uploads/${upload.slice('upload:'.length)}`)
    expect(asked.status).toBe(404)
  }
})

test.each([
  ['cut.tar', 'invalid_archive'],
  ['missing.tar', 'image_not_found'],
  ['docker.tar:other:tag', 'image_not_found'],
])('%s is reported in one line', async (path, code) => {
  for (const env of [{}, { LAMINA_SERVER: service.url }]) {
    const ended = await lamina(['report', `docker-archive:${folder}/${path}`], env)
    expect(ended).toMatchObject({ code: 2, out: '' })
    expect(ended.err).toMatch(new RegExp(`^lamina: [^\\n]+ \\[${code}\\]\\n$`))
  }
})

test('a service asked over HTTP does not read files of its own machine', async () => {
  const query = new URLSearchParams({ image: `docker-archive:${folder}/docker.tar` })
  const response = await fetch(`${service.url}/v1/report?${query}`)
  expect(await response.json()).toMatchObject({ status: 400, code: 'invalid_reference' })
})

test('the images of an engine, by DOCKER_HOST or the context', async () => {
  const id = image.config.descriptor.digest
  const items = [{ name: 'app:dev', id, created: '2023-11-14T22:13:20.000Z', bytes: 123_456 }]
  const listed = await lamina(['ls', 'docker-daemon:', '--format', 'json'])
  expect(listed).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse(listed.out)).toEqual({ items })
  const context = digestOf(Buffer.from('mine')).slice('sha256:'.length)
  const config = join(folder, 'docker-config')
  await mkdir(join(config, 'contexts/meta', context), { recursive: true })
  await writeFile(join(config, 'config.json'), JSON.stringify({ currentContext: 'mine' }))
  const meta = { Name: 'mine', Endpoints: { docker: { Host: engine.address } } }
  await writeFile(join(config, 'contexts/meta', context, 'meta.json'), JSON.stringify(meta))
  const env = { DOCKER_HOST: '', DOCKER_CONFIG: config }
  const text = await lamina(['ls', 'docker-daemon:'], env)
  expect(text).toMatchObject({ code: 0, err: '' })
  expect(text.out).toMatch(/^app:dev +[0-9a-f]{12} +2023-11-14 22:13 +123 kB$/m)
  expect(await lamina(['report', 'docker-daemon:app:dev'], env)).toMatchObject({ code: 0, err: '' })
})

test.each([
  [{ DOCKER_HOST: 'ssh://user@host' }, 'invalid_setting'],
  [{ DOCKER_HOST: 'unix:///nonexistent/docker.sock' }, 'registry_error'],
  [{ DOCKER_HOST: '', DOCKER_CONTEXT: 'unknown' }, 'invalid_setting'],
])('an unreachable engine is reported in one line: %j', async (env, code) => {
  for (const words of [
    ['ls', 'docker-daemon:'],
    ['report', 'docker-daemon:app:dev'],
  ])
    expect(await lamina(words, env)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(new RegExp(`^lamina: [^\\n]+ \\[${code}\\]\\n$`)),
    })
})
