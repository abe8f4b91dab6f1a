import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { startApp, type TestApp } from '../../../test/support/app.ts'
import { makeImage, makeLayer } from '../../../test/support/images.ts'
import { adviceSchema } from './advice.schema.ts'
import { verdictSchema } from './check.schema.ts'

const DOCKERFILE = `FROM scratch
# the first step
RUN apt-get update \\
 && apt-get install -y curl
COPY app/ /srv/app/
RUN chown -R 1000:1000 /srv/app
RUN rm /srv/app/.env
`
const STEPS = [
  'RUN /bin/sh -c apt-get update  && apt-get install -y curl # buildkit',
  'COPY app/ /srv/app/ # buildkit',
  'RUN /bin/sh -c chown -R 1000:1000 /srv/app # buildkit',
  'RUN /bin/sh -c rm /srv/app/.env # buildkit',
]
const HOSTILE = ['::error::x', '##[error]y', 'a|b', '<script>', '`code`', '\x1b[31mred', 'new\nline']

const sarifSchema = z.object({
  runs: z.tuple([
    z.object({
      results: z.array(
        z.object({
          ruleId: z.string(),
          level: z.string(),
          locations: z.tuple([
            z.object({ physicalLocation: z.object({ region: z.object({ startLine: z.number() }) }) }),
          ]),
        }),
      ),
    }),
  ]),
})

let registry: FixtureRegistry
let app: TestApp
let image: string
let base: string
let clean: string
let hostile: string
/** Has 15 files of build tools: 12 of 101 to 112 bytes in its first layer, 3 of 1 to 3 bytes in its second. */
let tools: string
/** What advice must not misread: one case a folder. */
let believed: string
let toolsBase: string

const text = (length: number, seed: string) => seed.repeat(length).slice(0, length)

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  const own = { uid: 1000, gid: 1000 }
  const layers = [
    await makeLayer([
      { name: 'var/lib/apt/lists/index', content: text(5000, 'lists') },
      { name: 'usr/bin/curl', content: text(300, 'curl') },
      { name: 'tmp/link', content: text(700, 'temporary') },
    ]),
    await makeLayer([
      { name: 'srv/app/main.js', content: text(1000, 'main') },
      { name: 'srv/app/.env', content: text(40, 'secret') },
      { name: 'srv/app/.git/config', content: text(90, 'git') },
      { name: 'srv/app/copy', content: text(300, 'curl') },
      { name: 'var/tmp/link', type: 'link', linkname: 'tmp/link' },
    ]),
    await makeLayer([
      { name: 'srv/app/main.js', content: text(1000, 'main'), ...own },
      { name: 'srv/app/.env', content: text(40, 'secret'), ...own },
    ]),
    await makeLayer([{ name: 'srv/app/.wh..env' }]),
  ]
  const history = STEPS.map((created_by) => ({ created_by }))
  image = registry.push('advice', 'app', makeImage(layers, { config: { history } }))
  base = registry.push(
    'advice',
    'base',
    makeImage(layers.slice(0, 1), { config: { history: history.slice(0, 1) } }),
  )
  clean = registry.push(
    'advice',
    'clean',
    makeImage([await makeLayer([{ name: 'usr/bin/app', content: 'app' }])]),
  )
  const names = HOSTILE.map((name, i) => ({ name: `tmp/${name}`, content: text(100 + i, name) }))
  hostile = registry.push('advice', 'hostile', makeImage([await makeLayer(names)]))
  const compiler = [
    await toolLayer(
      'gcc',
      Array.from({ length: 12 }, (_, i) => 101 + i),
    ),
    await toolLayer('make', [1, 2, 3]),
  ]
  tools = registry.push('advice', 'tools', makeImage(compiler))
  toolsBase = registry.push('advice', 'tools-base', makeImage(compiler.slice(0, 1)))
  believed = registry.push('advice', 'believed', await believedImage())
  app = startApp()
  for (const one of [image, base, clean, hostile, tools, toolsBase, believed]) {
    expect((await app.ask(`/v1/report?image=${one}&wait=60`)).status).toBe(200)
  }
})

afterAll(() => registry.close())

const BELIEVED = [
  'RUN /bin/sh -c git clone https://git.example/x /src && make # buildkit',
  'COPY --link conf /srv/ # buildkit',
  'RUN /bin/sh -c apt-get install -y less # buildkit',
  'RUN /bin/sh -c chmod 600 /srv/conf && ln /usr/share/one /usr/share/two # buildkit',
  'COPY conf /srv/ # buildkit',
  'RUN /bin/sh -c rm -rf /var/lib/apt/lists /opt/big # buildkit',
]

async function believedImage() {
  const at = (seconds: number) => ({ mtime: new Date(seconds * 1000) })
  const layers = [
    await makeLayer([
      { name: 'src/.git/config', content: text(90, 'git') },
      { name: 'src/node_modules/x/.github/FUNDING.yml', content: 'github: x' },
      { name: 'usr/lib/python3/site-packages/x/Dockerfile', content: 'FROM scratch' },
      { name: 'srv/vendor/x/.npmrc', content: 'registry=x' },
      { name: 'srv/empty/.env', content: '' },
      { name: 'srv/one/.env', content: text(39, 'same') },
      { name: 'var/cache/debconf/templates.dat', content: text(900, 'debconf'), ...at(1) },
      { name: 'usr/share/one', content: text(800, 'linked'), ...at(1) },
      { name: 'var/lib/apt/lists/index', content: text(5000, 'lists') },
      { name: 'opt/big', content: text(1000, 'big') },
      { name: 'data/go/pkg/mod/cache/x', content: text(600, 'go') },
    ]),
    await makeLayer([
      { name: 'srv/conf', content: text(700, 'conf'), ...at(1) },
      { name: 'srv/two/.env', content: text(39, 'same') },
    ]),
    await makeLayer([{ name: 'var/cache/debconf/templates.dat', content: text(900, 'debconf'), ...at(2) }]),
    await makeLayer([
      { name: 'srv/conf', content: text(700, 'conf'), mode: 0o600, ...at(1) },
      { name: 'usr/share/one', content: text(800, 'linked'), ...at(1) },
      { name: 'usr/share/two', type: 'link', linkname: 'usr/share/one' },
    ]),
    await makeLayer([{ name: 'srv/conf', content: text(700, 'conf'), mode: 0o600, ...at(1) }]),
    await makeLayer([{ name: 'var/lib/apt/.wh.lists' }, { name: 'opt/.wh.big' }]),
  ]
  return makeImage(layers, { config: { history: BELIEVED.map((created_by) => ({ created_by })) } })
}

/** A package with files of these sizes, beside the packages before it. */
function toolLayer(name: string, sizes: readonly number[]) {
  const packages = name === 'make' ? ['gcc', 'make'] : [name]
  const paths = sizes.map((bytes) => `usr/lib/${name}/${bytes}`)
  return makeLayer([
    {
      name: 'var/lib/dpkg/status',
      content: packages
        .map((one) => `Package: ${one}\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n`)
        .join('\n'),
    },
    { name: `var/lib/dpkg/info/${name}.list`, content: paths.map((path) => `/${path}\n`).join('') },
    ...sizes.map((bytes, i) => ({ name: paths[i] ?? '', content: text(bytes, `${name} ${bytes} `) })),
  ])
}

async function advice(query: Record<string, string> = {}) {
  const response = await app.ask(`/v1/advice?${new URLSearchParams({ image, ...query })}`)
  expect(response.status).toBe(200)
  return adviceSchema.parse(await response.json())
}

function post(path: string, body: object) {
  return app.ask(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
}

test('what to change, what it saves, and where it was done', async () => {
  const { savings, items } = await advice()
  expect(
    items.map(({ rule, kind, bytes, files, layer, byLayer }) => [rule, kind, bytes, files, layer, byLayer]),
  ).toEqual([
    ['package-cache', 'apt', 5000, 1, 0, undefined],
    ['metadata-only', undefined, 1000, 1, 1, 2],
    ['temporary', undefined, 700, 1, 0, undefined],
    ['duplicates', undefined, 300, 1, 0, undefined],
    ['build-context', 'git', 90, 1, 1, undefined],
    ['secret', 'environment', 80, 2, 1, undefined],
    ['removed', undefined, 40, 1, 1, 2],
    ['removed', undefined, 40, 1, 2, 3],
  ])
  // A hard link is one file, however many paths it has; a secret stored twice saves bytes where it is removed.
  expect(savings.bytes).toBe(5000 + 1000 + 700 + 90 + 40 + 40)
  expect(savings.percent).toBeCloseTo((100 * savings.bytes) / (6000 + 1430 + 1040), 6)
  expect(items[2]?.paths.map(({ path }) => path)).toEqual(['tmp/link', 'var/tmp/link'])
})

test('a fix refers to the build step', async () => {
  const { items } = await advice()
  const fixOf = (rule: string) => items.find((item) => item.rule === rule)?.fix
  expect(fixOf('metadata-only')).toContain(
    '`COPY --chown=1000:1000 app/ /srv/app/`, and remove `chown -R 1000:1000 /srv/app` from the RUN of layer 2',
  )
  expect(fixOf('package-cache')).toContain('rm -rf /var/lib/apt/lists/*')
  expect(fixOf('build-context')).toContain('`.dockerignore`, so that the COPY of layer 1')
  expect(fixOf('removed')).toContain('.dockerignore')
  for (const { fix } of items) expect(fix).not.toContain('\n')
})

describe('advice names no cause that is not there', () => {
  const metadata = async () => {
    const { items } = await advice({ image: believed })
    return items.filter(({ rule }) => rule === 'metadata-only')
  }

  test('what differs in a file that is stored again decides what is said of it', async () => {
    const items = await metadata()
    expect(items.map(({ layer, byLayer, title }) => [layer, byLayer, title])).toEqual([
      [0, 2, 'Files stored again with another time'],
      [0, 3, 'Files stored again unchanged'],
      [1, 3, 'Files stored again with another mode'],
      [3, 4, 'Files stored again unchanged'],
    ])
    const fixes = items.map(({ fix }) => fix)
    expect(fixes[0]).toContain('The RUN of layer 2 writes the same content again with another time')
    expect(fixes[1]).toContain('The RUN of layer 3 stores these files again and changes nothing in them')
    expect(fixes[2]).toContain('`COPY --chmod=600 --link conf /srv/`, and remove `chmod 600 /srv/conf`')
    for (const at of [0, 1, 3]) expect(fixes[at]).not.toMatch(/chown|chmod/)
    expect(fixes[2]).not.toContain('chown')
  })

  test('what a package brought is no build context and no secret, and an empty file is no secret', async () => {
    const { items } = await advice({ image: believed })
    const pathsOf = (rule: string) =>
      items
        .filter((item) => item.rule === rule)
        .map(({ kind, paths }) => [kind, paths.map(({ path }) => path)])
    expect(pathsOf('build-context')).toEqual([['git', ['src/.git/config']]])
    expect(pathsOf('secret')).toEqual([['environment', ['srv/one/.env', 'srv/two/.env']]])
  })

  test('.dockerignore is named only for what COPY or ADD brought', async () => {
    const { items } = await advice({ image: believed })
    const fix = items.find(({ rule }) => rule === 'build-context')?.fix
    expect(fix).toContain('in the RUN of layer 0, which creates them')
    expect(fix).not.toContain('.dockerignore')
  })

  test('a cache mount is at the directory that holds the cache, and what else was removed is told', async () => {
    const { items } = await advice({ image: believed })
    const go = items.find(({ kind }) => kind === 'go')?.fix
    expect(go).toContain('`RUN --mount=type=cache,target=/data/go/pkg/mod/cache …`')
    const removed = items.find(({ rule, byLayer }) => rule === 'removed' && byLayer === 5)?.fix
    expect(removed).toContain(
      '--mount=type=cache,target=/var/lib/apt/lists --mount=type=cache,target=/var/cache/apt',
    )
    expect(removed).toContain('remove the other 1.00 kB in the RUN that creates them')
  })

  test('files of several layers are told with all of them', async () => {
    const { items } = await advice({ image: believed })
    expect(items.find(({ rule }) => rule === 'secret')).toMatchObject({ files: 2, layers: [0, 1] })
    const told = await (await app.ask(`/v1/advice?image=${believed}&format=text`)).text()
    expect(told).toContain('2 files, layers 0 and 1')
  })
})

test('advice on a known image is made once for each question', async () => {
  const asked = [{}, { ignore: 'tmp/**' }, { format: 'text' }]
  const read = async (query: Record<string, string>) => {
    const before = app.store.reads
    const answer = await app.ask(`/v1/advice?${new URLSearchParams({ image, ...query })}`)
    return { text: await answer.text(), reads: app.store.reads - before }
  }
  for (const query of asked) {
    const { text: first } = await read(query)
    expect(await read(query)).toEqual({ text: first, reads: 0 })
  }
})

test('a clean image gets no advice', async () => {
  expect(await advice({ image: clean })).toMatchObject({ savings: { bytes: 0, percent: 0 }, items: [] })
  expect(await (await app.ask(`/v1/advice?image=${clean}&format=text`)).text()).toContain(
    'There is nothing to change.',
  )
})

test('ignored paths and what the base image stores are left out', async () => {
  const rulesOf = async (query: Record<string, string>) => (await advice(query)).items.map(({ rule }) => rule)
  expect(await rulesOf({ ignore: '**' })).toEqual([])
  expect(await rulesOf({ ignore: '{srv,tmp,var/tmp}/**' })).toEqual(['package-cache'])
  const own = await advice({ baseImage: base })
  expect(own.items.map(({ rule }) => rule)).not.toContain('package-cache')
  // The base image has one copy of the duplicate; this image's copy is the redundant one.
  expect(own.items.find(({ rule }) => rule === 'duplicates')).toMatchObject({
    bytes: 300,
    files: 1,
    paths: [{ path: 'srv/app/copy', bytes: 300, layer: 1 }],
  })
  expect(own.savings.bytes).toBe(1000 + 90 + 40 + 40)
  expect((await app.ask(`/v1/advice?image=${image}&baseImage=${clean}`)).status).toBe(422)
})

test.each([
  [{}, 12 * 101 + 66 + 6, 15],
  [{ ignore: 'usr/lib/gcc/10[1-4]' }, 8 * 101 + 4 + 5 + 6 + 7 + 8 + 9 + 10 + 11 + 6, 11],
  [{ ignore: 'usr/lib/make/2' }, 12 * 101 + 66 + 4, 14],
  [{ ignore: 'usr/lib/*/**' }, 0, 0],
])('with %j all other build tools still count, however small', async (query, bytes, files) => {
  const { items } = await advice({ image: tools, ...query })
  const item = items.find(({ rule }) => rule === 'build-tools')
  expect([item?.bytes ?? 0, item?.files ?? 0]).toEqual([bytes, files])
})

test('build tools of the base image are not counted', async () => {
  const { items } = await advice({ image: tools, baseImage: toolsBase })
  expect(items.find(({ rule }) => rule === 'build-tools')).toMatchObject({
    bytes: 6,
    files: 3,
    paths: [3, 2, 1].map((size) => ({ path: `usr/lib/make/${size}`, bytes: size, layer: 1 })),
  })
})

test('with a Dockerfile each item has the line number of its step', async () => {
  const response = await post('/v1/advice', { image, dockerfile: DOCKERFILE })
  const { items } = adviceSchema.parse(await response.json())
  expect(items.map(({ rule, line }) => [rule, line])).toEqual([
    ['package-cache', 3],
    ['metadata-only', 6],
    ['temporary', 3],
    ['duplicates', 3],
    ['build-context', 5],
    ['secret', 5],
    ['removed', 6],
    ['removed', 7],
  ])
})

test.each([
  [{ image: ['x'] }, 400],
  [{ image: 'x', lines: true }, 400],
  [{ image: 'x', dockerfile: 'x'.repeat(256 * 1024 + 1) }, 413],
])('a body that is refused: %j'.slice(0, 40), async (body, status) => {
  expect((await post('/v1/advice', body)).status).toBe(status)
})

describe('for people', () => {
  test('text fits 80 columns and contains no CI command', async () => {
    for (const one of [image, hostile]) {
      const lines = (await (await app.ask(`/v1/advice?image=${one}&format=text`)).text()).split('\n')
      for (const line of lines) {
        expect(Array.from(line).length).toBeLessThanOrEqual(80)
        expect(line).not.toMatch(/^\s*(?:::|##\[)|\p{Cc}/u)
      }
    }
    expect(await (await app.ask(`/v1/advice?image=${image}&format=text&color=1`)).text()).toContain(
      '\x1b[33mwarning',
    )
  })

  test('Markdown escapes names', async () => {
    const markdown = await (
      await app.ask(`/v1/advice?image=${hostile}`, { headers: { Accept: 'text/markdown' } })
    ).text()
    const html = micromark(markdown, {
      allowDangerousHtml: true,
      extensions: [gfm()],
      htmlExtensions: [gfmHtml()],
    })
    expect(html).not.toContain('<script>')
    expect(html.replace(/<[^>]+>/g, '')).toContain('tmp/a|b')
    expect(markdown).not.toMatch(/^\s*(?:::|##\[)/m)
  })

  test('a diff in Markdown lists what is new', async () => {
    const diff = async (from: string, to: string) =>
      (await app.ask(`/v1/diff?from=${from}&to=${to}&format=markdown`)).text()
    expect(await diff(base, image)).toMatch(/New advice: up to [\s\S]*Version control from the build context/)
    expect(await diff(base, image)).not.toContain('The cache of apt')
    expect(await diff(image, base)).not.toContain('New advice')
  })
})

describe('the gate', () => {
  test('checks the possible savings and the worst severity', async () => {
    const { savings } = await advice()
    const statusOf = async (rules: string) => (await app.ask(`/v1/check?image=${image}&${rules}`)).status
    expect(await statusOf(`maxSavings=${savings.bytes}`)).toBe(200)
    expect(await statusOf(`maxSavings=${savings.bytes - 1}`)).toBe(412)
    expect(await statusOf('maxSeverity=warning')).toBe(412)
    expect(await statusOf('maxSeverity=warning&ignore=**/.env')).toBe(200)
    expect(await statusOf('maxSeverity=error')).toBe(400)
  })

  test('a hidden secret is denied and reported as hidden, with its line', async () => {
    const response = await post('/v1/check', { image, policy: { deny: '**/.env' }, dockerfile: DOCKERFILE })
    expect(response.status).toBe(412)
    const { rules } = verdictSchema.parse(await response.json())
    expect(rules).toMatchObject([
      { actual: 1, line: 6, evidence: [{ path: 'srv/app/.env', layer: 2, hidden: true, line: 6 }] },
    ])
    expect((await app.ask(`/v1/check?image=${image}&denyShown=**/.env`)).status).toBe(200)
  })

  test('SARIF and code quality list advice with line numbers', async () => {
    const body = { image, policy: { maxLayers: 1 }, dockerfile: DOCKERFILE }
    const sarif = sarifSchema.parse(await (await post('/v1/check?format=sarif&advice=1', body)).json())
    const found = sarif.runs[0].results.map(({ ruleId, level, locations: [{ physicalLocation }] }) => [
      ruleId,
      level,
      physicalLocation.region.startLine,
    ])
    expect(found).toContainEqual(['advice/secret', 'error', 5])
    expect(found).toContainEqual(['advice/package-cache', 'warning', 3])
    const gitlab = await (await post('/v1/check?format=gitlab&advice=1', body)).json()
    expect(new Set(gitlab.map(({ fingerprint }: { fingerprint: string }) => fingerprint)).size).toBe(
      gitlab.length,
    )
    expect(gitlab).toContainEqual(
      expect.objectContaining({
        check_name: 'advice/secret',
        location: { path: 'Dockerfile', lines: { begin: 5 } },
      }),
    )
    const without = await (await post('/v1/check?format=gitlab', body)).json()
    expect(without).toHaveLength(1)
  })

  test('GitHub annotations point at the line', async () => {
    const body = { image, policy: { deny: '**/.env' }, dockerfile: DOCKERFILE }
    expect(await (await post('/v1/check?format=github', body)).text()).toMatch(
      /^::error file=Dockerfile,line=6,title=deny::/,
    )
  })
})

describe('a problem is reported in the requested format', () => {
  const query = 'image=UPPER%0A::warning::x%0D%23%23[error]y&maxSize=1GB'
  test.each([
    ['junit', 'application/xml', /<error message="[^"]+" type="invalid_reference">/],
    ['sarif', 'application/sarif+json', /"executionSuccessful": false/],
    ['gitlab', 'application/json', /"severity": "blocker"/],
    ['github', 'text/plain', /^::error file=Dockerfile,title=/],
    ['openmetrics', 'application/openmetrics-text', /lamina_problem_info\{code="invalid_reference"/],
    ['markdown', 'text/markdown', /^### ❌ Invalid image reference/],
    ['text', 'text/plain', /^ERROR {2}Invalid image reference: /],
  ])('%s', async (format, type, said) => {
    const response = await app.ask(`/v1/check?${query}&format=${format}`)
    const body = await response.text()
    expect([response.status, response.headers.get('content-type')?.startsWith(type)]).toEqual([400, true])
    expect(body).toMatch(said)
    expect(body).not.toMatch(/^\s*(?:::warning|##\[)/m)
  })

  test('a wrong format is an ordinary problem, and a missing token is reported in the requested format', async () => {
    const wrong = await app.ask(`/v1/check?${query}&format=docx`)
    expect(wrong.headers.get('content-type')).toBe('application/problem+json')
    const closed = startApp({ LAMINA_TOKENS: 'token' })
    const refused = await closed.ask(`/v1/check?${query}&format=text`)
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('Bearer'),
    ])
    expect(await refused.text()).toMatch(/^ERROR/)
  })
})
