/** The command as people and CI run it: in its own process, against a registry. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../test/registry/fixture.ts'
import { makeChunkedLayer } from '../test/support/chunked.ts'
import { digestOf, makeImage, makeLayer } from '../test/support/images.ts'
import { runLamina } from '../test/support/lamina.ts'

let registry: FixtureRegistry
let folder: string
let app: string
let other: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-cli-test-'))
  registry = await FixtureRegistry.start()
  const base = await makeLayer([
    { name: 'bin/tool', content: 'a tool' },
    { name: 'etc/a\nb', content: 'x' },
    { name: 'var/cache', content: 'x'.repeat(5000) },
  ])
  const above = await makeLayer([{ name: 'var/.wh.cache', content: '' }])
  app = registry.push('app', 'v1', makeImage([base, above]))
  other = registry.push('app', 'v2', makeImage([base]))
})

afterAll(async () => {
  await registry.close()
  await rm(folder, { recursive: true, force: true })
})

const lamina = (words: readonly string[], env: Record<string, string> = {}) =>
  runLamina(words, { HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), ...env })

test('a report, from the registry and then from the cache alone', async () => {
  const report = () => lamina(['report', app, '--format', 'json'], { NODE_COMPILE_CACHE: '' })
  const first = await report()
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse(first.out)).toMatchObject({ image: { reference: app }, waste: { bytes: 5000 } })
  registry.requests.length = 0
  expect(await report()).toEqual(first)
  expect(registry.requests.filter(({ path }) => path.includes('/blobs/'))).toEqual([])
  expect(await readdir(join(folder, 'cache'))).toEqual(['lamina'])
  // Its compiled code is cached, so the next command starts sooner.
  expect(await readdir(join(folder, 'cache/lamina'))).toContain('compiled')
})

test('with `--read toc` the command reads tables of contents, while it shows progress and with rules from a file', async () => {
  const noise = Array.from({ length: 3_000 }, (_, i) => digestOf(Buffer.from(`${i}`))).join('\n')
  const layer = await makeChunkedLayer('estargz', [{ name: 'noise', content: noise }])
  const tabled = registry.push('tabled', 'v1', makeImage([layer]))
  const policy = join(folder, 'policy.yaml')
  await writeFile(policy, 'maxWasted: 0\n')
  const asked = ['--read', 'toc', '--format', 'json']
  for (const words of [
    ['report', tabled],
    ['check', tabled, '--policy', policy],
    ['advice', tabled],
  ]) {
    const { code, out } = await lamina([...words, ...asked])
    expect({ code, verified: JSON.parse(out).image.verified }).toEqual({
      code: 0,
      verified: 'contents-table',
    })
  }
  const { digest, size } = layer.descriptor
  expect(registry.bytesSent({ path: new RegExp(digest) })).toBeLessThan(size / 2)
})

test('a list is complete, as lines with invisible characters escaped and as JSON', async () => {
  const { code, out, err } = await lamina(['files', app])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.split('\n').map((line) => line.split('  ').at(-1))).toEqual(
    expect.arrayContaining(['bin/tool', 'etc/a\\nb']),
  )
  const all = JSON.parse((await lamina(['files', app, '--format', 'json'])).out)
  expect(all.items.map(({ path }: { path: string }) => path)).toEqual(
    expect.arrayContaining(['bin', 'bin/tool', 'etc', 'etc/a\nb', 'var']),
  )
  expect(Object.keys(all)).toEqual(['items'])
  const page = JSON.parse((await lamina(['files', app, '--format', 'json', '--limit', '1'])).out)
  expect(page).toMatchObject({ items: [{ path: 'bin' }], nextCursor: expect.any(String) })
})

test('JSON has no character that a terminal acts on, and means the same; a CSV cell is exactly the name', async () => {
  const names = ['bell\x07', 'csi\u009b31m', 'esc\x1b[31m', 'rlo\u202egpj.exe', 'two\n::error::lines']
  const layer = await makeLayer(names.map((name) => ({ name, content: 'x' })))
  const hostile = registry.push('hostile', 'v1', makeImage([layer]))
  for (const format of ['json', 'ndjson']) {
    const { out } = await lamina(['files', hostile, '--format', format])
    expect(out).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]|^\s*::/mu)
    const items =
      format === 'json'
        ? JSON.parse(out).items
        : out
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line))
    expect(items.map(({ path }: { path: string }) => path)).toEqual(names)
  }
  const { out } = await lamina(['files', hostile, '--format', 'csv'])
  for (const name of names) expect(out).toContain(`\r\n${name.includes('\n') ? `"${name}"` : name},`)
})

test('what a repository stores is a whole list', async () => {
  const repository = `${registry.host}/many`
  const image = makeImage([await makeLayer([{ name: 'a' }])])
  for (let n = 0; n < 101; n++) registry.push('many', `t${n}`, image)
  const { code, out } = await lamina(['storage', repository, '--format', 'json'])
  const { items, nextCursor } = JSON.parse(out)
  expect([code, items.length, nextCursor]).toEqual([0, 101, undefined])
  expect((await lamina(['storage', repository, '--delete', 't*', '--limit', '1'])).out).toContain(
    'Deleting 101 tags frees',
  )
})

test('other compressions are measured without an analysis', async () => {
  const content = 'compresses well '.repeat(2_000)
  const image = makeImage([await makeLayer([{ name: 'a', content }], { compression: 'none' })])
  const reference = registry.push('compression', 'v1', image)
  registry.forgetRequests()
  const { code, out, err } = await lamina(['compression', reference, '--with', 'gzip:9', '--format', 'json'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const { layers, total } = JSON.parse(out)
  expect(layers).toMatchObject([{ index: 0, compression: 'none', measured: { 'gzip:9': {} } }])
  expect(total.measured['gzip:9'].saved).toBeGreaterThan(content.length / 2)
  expect(registry.count({ method: 'GET', path: new RegExp(image.layers[0]?.descriptor.digest ?? '') })).toBe(
    1,
  )
})

test('a path or a glob may follow the image', async () => {
  expect(await lamina(['cat', app, '/bin/tool'])).toEqual({ code: 0, out: 'a tool', err: '' })
  expect((await lamina(['tree', app, 'bin'])).out).toContain('tool')
  expect((await lamina(['files', app, 'bin/*'])).out).toMatch(/^\S+ +0:0 +6 B {2}bin\/tool\n$/)
})

test('the layers, and all steps, also those without a layer, the last one first', async () => {
  const layer = await makeLayer([{ name: 'srv/app', content: 'app' }])
  const long = `RUN ${'make everything && '.repeat(20)}true`
  const history = [
    { created_by: 'COPY app /srv/app', created: '2026-01-02T03:04:05Z' },
    { created_by: long, empty_layer: true },
  ]
  const built = registry.push('built', 'v1', makeImage([layer], { config: { history } }))
  const { out } = await lamina(['history', built])
  expect(out.split('\n').slice(4)).toEqual([
    expect.stringMatching(/ 0 B {2}RUN make everything .* true$/),
    expect.stringMatching(/^2026-01-02 03:04 +0 +[\d.]+ kB {2}COPY app \/srv\/app$/),
    '',
  ])
  const { items } = JSON.parse((await lamina(['history', built, '--format', 'json'])).out)
  expect(items).toMatchObject([{ createdBy: long }, { layer: 0, createdBy: 'COPY app /srv/app' }])
  expect((await lamina(['layers', built])).out).toMatch(/\n +0 .* 1 +– {2}COPY app \/srv\/app\n$/)
  expect((await lamina(['layers', built, '--format', 'csv'])).out).toContain(layer.descriptor.digest)
})

test('help speaks of flags where the API speaks of parameters', async () => {
  const bundle = (await lamina(['help', 'bundle'])).out.replace(/\s+/g, ' ')
  expect(bundle).toContain('--rootless For a user other than root')
  expect(bundle).toContain('--uid <N> With --rootless: the host user')
  const report = (await lamina(['help', 'report'])).out.replace(/\s+/g, ' ')
  expect(report).toMatch(
    /--color <VALUE> What colours mean in the treemap: the layer of most bytes.* \(layer, base, waste, type, package\)/,
  )
})

test('help and completion know the other name of a command', async () => {
  expect((await lamina(['help'])).out).toMatch(/^ {2}images, ls +List the images/m)
  expect((await lamina(['completion', 'bash'])).out).toMatch(/^ {4}ls\) flags='/m)
})

test('a gate exits with 1 when a rule is broken, and reports a problem in the requested format', async () => {
  expect(await lamina(['check', app, '--max-size', '1GB'])).toMatchObject({ code: 0, err: '' })
  const broken = await lamina(['check', app, '--max-size', '1kB', '--format', 'json'])
  expect(broken).toMatchObject({ code: 1, err: '' })
  expect(JSON.parse(broken.out)).toMatchObject({ pass: false })
  const missing = await lamina(['check', `${app}x`, '--max-size', '1kB', '--format', 'junit'])
  expect(missing.code).toBe(2)
  expect(missing.out).toContain('<error')
  expect(missing.err).toMatch(/^lamina: [^\n]+ \[image_not_found\]\n$/)
})

test('settings of a service, and unknown ones, do not stop it', async () => {
  const service = { LAMINA_DATA: '/nowhere', LAMINA_TOKENS: 'a b', LAMINA_KEY: 'short', S3_BUCKET: 'bucket' }
  expect(await lamina(['check', app, '--max-size', '1GB'], service)).toMatchObject({ code: 0, err: '' })
  const unknown = { LAMINA_IMAGE: app, LAMINA_REGISTRY: 'registry.example', LAMINA_EMPTY: '' }
  expect(await lamina(['check', app, '--max-size', '1GB'], unknown)).toMatchObject({
    code: 0,
    err: 'lamina: ignoring LAMINA_IMAGE, LAMINA_REGISTRY: not a setting\n',
  })
  const wrong = await lamina(['report', app], { LAMINA_MAX_ENTRIES: 'many' })
  expect(wrong).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^lamina: LAMINA_MAX_ENTRIES [^\n]+ \[invalid_setting\]\n$/),
  })
})

test('rules come from a file and from flags', async () => {
  const policy = join(folder, 'policy.yaml')
  await writeFile(policy, 'maxLayers: 5\n')
  expect(await lamina(['check', app, '--policy', policy])).toMatchObject({ code: 0 })
  expect(await lamina(['check', app, '--policy', policy, '--deny', 'bin/**'])).toMatchObject({ code: 1 })
  const twice = await lamina(['check', app, '--policy', policy, '--max-layers', '1'])
  expect(twice).toMatchObject({ code: 2, err: expect.stringContaining('--max-layers') })
})

test.each([
  [['reprot', 'x'], 'report'],
  [['report', 'x', '--platfrom', 'linux/amd64'], '--platform'],
  [['report'], 'IMAGE'],
  [['report', 'x', 'y'], 'arguments'],
  [['report', 'x', '--max-size', '1kB'], '--max-size'],
  [['report', 'library/UPPER'], 'invalid_reference'],
  [['help', 'nosuch'], "unknown command 'nosuch'"],
  [['cat', 'app:v1'], 'lamina cat IMAGE PATH'],
  [['bundle', 'app:v1'], 'lamina bundle IMAGE FOLDER'],
  [['files', 'app:v1', 'bin/*', '--glob', 'etc/*'], 'given twice'],
])('%j is reported in one line', async (words, said) => {
  const { code, out, err } = await lamina(words)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(/^lamina: [^\n]+ \[[a-z_]+\]\n$/)
  expect(err).toContain(said)
})

test('a diff exits with 1 when the images differ, if asked to', async () => {
  expect(await lamina(['diff', app, other])).toMatchObject({ code: 0 })
  expect(await lamina(['diff', app, other, '--exit-code'])).toMatchObject({ code: 1 })
  expect(await lamina(['diff', app, app, '--exit-code'])).toMatchObject({ code: 0 })
})

test('caches many images: one line each, exit code 2 if any failed', async () => {
  const { code, out, err } = await lamina(['index', app, `${app}x`, other])
  expect(code).toBe(2)
  expect(out.trim().split('\n').sort()).toEqual([`${app}  indexed`, `${other}  indexed`])
  expect(err).toMatch(/^\S+:v1x {2}[^\n]+ \[image_not_found\]\n$/)
})

test('a file is written completely or left unchanged', async () => {
  const file = join(folder, 'answer.json')
  await writeFile(file, 'before')
  const missing = await lamina(['report', `${app}x`, '--output', file])
  expect(missing).toMatchObject({ code: 2, out: '' })
  expect(await readFile(file, 'utf8')).toBe('before')
  expect(await lamina(['report', app, '--format', 'json', '--output', file])).toEqual({
    code: 0,
    out: '',
    err: '',
  })
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ image: { reference: app } })
  expect((await readdir(folder)).filter((name) => name.startsWith('.answer'))).toEqual([])
})

test('no other user of the machine can read the cache, not even one that an earlier version made', async () => {
  const home = await mkdtemp(join(folder, 'home-'))
  const cache = join(home, 'lamina')
  await mkdir(cache, { mode: 0o755 })
  expect(await lamina(['report', app], { XDG_CACHE_HOME: home })).toMatchObject({ code: 0, err: '' })
  expect((await stat(cache)).mode & 0o777).toBe(0o700)
})

test('it answers without its cache, and leaves nothing behind', async () => {
  const temporary = await mkdtemp(join(folder, 'tmp-'))
  const env = { TMPDIR: temporary, XDG_CACHE_HOME: join(folder, 'unused') }
  const unread = await lamina(['report', app, '--no-cache', '--format', 'json'], env)
  expect(unread).toMatchObject({ code: 0, err: '' })
  expect(await readdir(temporary)).toEqual([])
  expect(await readdir(folder)).not.toContain('unused')
  const refused = await lamina(['report', app, '--format', 'json'], {
    TMPDIR: temporary,
    XDG_CACHE_HOME: '/dev/null',
  })
  expect(refused).toMatchObject({ code: 0, out: unread.out })
  expect(refused.err).toMatch(/^lamina: [^\n]*\/dev\/null[^\n]*\n$/)
})
