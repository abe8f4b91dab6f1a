/** The published artifacts as users run them: the npm package, the GitHub Action, the GitLab component. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { FixtureRegistry } from '../test/registry/fixture.ts'
import { TestEngine } from '../test/support/engine.ts'
import { TestForge } from '../test/support/forge.ts'
import { makeImage, makeLayer, type TestImage } from '../test/support/images.ts'
import { startService } from '../test/support/service.ts'
import { release } from './release.ts'
import { releaseNotes } from './release-pages.ts'
import { VERSION } from './version.ts'

let folder: string
let released: string
let registry: FixtureRegistry
let app: string
let other: string
let wasteful: TestImage

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-release-test-'))
  released = join(folder, 'release')
  await release(released)
  registry = await FixtureRegistry.start({ auth: { kind: 'basic', username: 'mara', password: 'p4ss' } })
  const base = await makeLayer([
    { name: 'bin/tool', content: 'a tool' },
    { name: 'var/cache', content: 'x'.repeat(5000) },
  ])
  const above = await makeLayer([{ name: 'var/.wh.cache', content: '' }])
  wasteful = makeImage([base, above])
  app = registry.push('app', 'v1', wasteful)
  other = registry.push('app', 'main', makeImage([base]))
  await mkdir(join(folder, 'docker'))
  const auth = Buffer.from('mara:p4ss').toString('base64')
  const { host } = new URL(`http://${app}`)
  await writeFile(join(folder, 'docker/config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
})

afterAll(async () => {
  await registry.close()
  await rm(folder, { recursive: true, force: true })
})

type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

/** The state that `docker login` leaves behind. */
function machine(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    XDG_CACHE_HOME: `${folder}/cache`,
    DOCKER_CONFIG: `${folder}/docker`,
  }
}

async function run(
  command: string,
  words: readonly string[],
  { cwd = folder, env = {} }: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<Ended> {
  const child = spawn(command, words, {
    cwd,
    env: { ...machine(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}

test('the same sources give the same bytes', async () => {
  const again = join(folder, 'again')
  await release(again)
  const sums = await readFile(join(released, 'SHA256SUMS'), 'utf8')
  expect(await readFile(join(again, 'SHA256SUMS'), 'utf8')).toBe(sums)
  const checked = await run('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: released })
  expect(checked).toEqual({ code: 0, out: '', err: '' })
  for (const file of [`lamina-oci-${VERSION}.tgz`, `lamina-image-${VERSION}.tar.gz`, 'action/action.yml'])
    expect(sums).toContain(`  ${file}\n`)
})

test('its pages are made of its own facts', async () => {
  const sums = await readFile(join(released, 'SHA256SUMS'), 'utf8')
  const archive = `lamina-oci-${VERSION}.tgz`
  const digest = new RegExp(`^([0-9a-f]{64})  ${archive}$`, 'm').exec(sums)?.[1] ?? ''
  const description = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  const url = `${description.homepage}/releases/download/v${VERSION}/${archive}`
  const formula = await readFile(join(released, 'lamina.rb'), 'utf8')
  expect(formula).toContain(`  url "${url}"\n  sha256 "${digest}"\n`)
  const page = await readFile(join(released, 'INSTALL.md'), 'utf8')
  expect(page).toContain(`npm install --global ${url}\n`)
  expect(page).toContain(`echo '${digest}  ${archive}' | sha256sum --check\n`)
  expect(page).toContain(`ghcr.io/example/lamina:${VERSION}\n`)
  expect(await readFile(join(released, 'NOTES.md'), 'utf8')).toMatch(/^### Added\n/)
  expect(await readFile(join(released, 'image-gate.yml'), 'utf8')).toContain(`npx --yes ${url}\n`)
})

test('a version without notes is not released', () => {
  const changelog = '# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2026-12-02\n\n- New.\n\n## 1.1.0\n\nOld.\n'
  expect(releaseNotes(changelog, '1.2.0')).toBe('- New.\n')
  expect(releaseNotes(changelog, '1.1.0')).toBe('Old.\n')
  expect(() => releaseNotes(changelog, '1.3.0')).toThrow(/no section ## 1\.3\.0/)
  expect(() => releaseNotes(changelog, '1x2.0')).toThrow(/no section/)
})

describe('the npm package', () => {
  let main: string

  beforeAll(async () => {
    const archive = join(released, `lamina-oci-${VERSION}.tgz`)
    expect((await stat(archive)).size).toBeLessThan(15_000_000)
    await run('tar', ['-xzf', archive, '-C', folder])
    main = join(folder, 'package/lamina.js')
  })

  test('has a command and no dependencies', async () => {
    const description = JSON.parse(await readFile(join(folder, 'package/package.json'), 'utf8'))
    expect(description).toMatchObject({
      name: 'lamina-oci',
      version: VERSION,
      bin: { lamina: 'lamina.js' },
      repository: { type: 'git', url: expect.stringMatching(/^git\+https:/) },
      homepage: expect.stringMatching(/^https:/),
      bugs: expect.stringMatching(/^https:/),
    })
    expect(Object.keys(description)).not.toContain('dependencies')
    expect((await stat(main)).mode & 0o111).toBe(0o111)
  })

  test('answers without a service', async () => {
    expect(await run(process.execPath, [main, 'version'])).toEqual({
      code: 0,
      out: `lamina ${VERSION}\n`,
      err: '',
    })
    const { code, out, err } = await run(process.execPath, [main, 'report', app, '--format', 'json'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out)).toMatchObject({ waste: { bytes: 5000 } })
  })

  test('says which Node it needs', async () => {
    const old = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.19.0'})`
    expect(await run(process.execPath, ['--import', old, main, 'version'])).toEqual({
      code: 2,
      out: '',
      err: 'lamina needs Node 22.19 or newer; this is 20.19.0\n',
    })
  })
})

describe('the action', () => {
  let api: TestForge
  let url: string
  let runs = 0

  beforeAll(async () => {
    api = new TestForge()
    url = await api.start()
  })

  afterAll(() => api.stop())

  type Step = Ended & { readonly outputs: Record<string, string>; readonly summary: string }

  /** A step as the runner starts it: the defaults of action.yml, then the workflow's inputs. */
  async function step(
    inputs: Record<string, string>,
    event: unknown,
    { cwd = folder, host = '' }: { readonly cwd?: string; readonly host?: string } = {},
  ): Promise<Step> {
    const place = join(folder, `step-${++runs}`)
    await mkdir(place)
    const action = parse(await readFile(join(released, 'action/action.yml'), 'utf8'))
    expect(action.runs).toEqual({ using: 'node24', main: 'index.js' })
    const env: Record<string, string> = {
      GITHUB_OUTPUT: join(place, 'output'),
      GITHUB_STEP_SUMMARY: join(place, 'summary'),
      GITHUB_EVENT_PATH: join(place, 'event.json'),
      GITHUB_REPOSITORY: 'owner/app',
      GITHUB_API_URL: url,
      DOCKER_HOST: host,
    }
    await writeFile(join(place, 'output'), '')
    await writeFile(join(place, 'summary'), '')
    await writeFile(join(place, 'event.json'), JSON.stringify(event))
    for (const [name, { default: usual }] of Object.entries<{ default?: string }>(action.inputs))
      env[`INPUT_${name.toUpperCase()}`] = usual?.includes('github.token') ? 'a-token' : (usual ?? '')
    for (const [name, value] of Object.entries(inputs)) {
      expect(Object.keys(action.inputs)).toContain(name)
      env[`INPUT_${name.toUpperCase()}`] = value
    }
    const ended = await run(process.execPath, [join(released, 'action', action.runs.main)], { cwd, env })
    const lines = (await readFile(join(place, 'output'), 'utf8')).trim().split('\n')
    const outputs = Object.fromEntries(
      lines.map((line): [string, string] => [line.replace(/=.*/, ''), line.replace(/^[^=]*=/, '')]),
    )
    expect(Object.keys(outputs).sort()).toEqual(Object.keys(action.outputs).sort())
    return { ...ended, outputs, summary: await readFile(join(place, 'summary'), 'utf8') }
  }

  const PULL_REQUEST = { pull_request: { number: 7 } }

  test('keeps one comment up to date, and fails when a rule is broken', async () => {
    // Another user's comment that ends like ours must not be touched.
    api.write(`mine\n<!-- lamina ${app.replace(/:v1$/, '')} -->`, 'stranger')
    for (let i = 0; i < 120; i++) api.write('something else', 'stranger')
    const quiet = await step(
      { image: app, baseline: app, rules: 'maxSize: 1GB', 'comment-threshold': '1%' },
      PULL_REQUEST,
    )
    expect(quiet).toMatchObject({ code: 0, err: '' })
    expect(quiet.out).toContain('No comment: ')
    expect(api.changes).toEqual([])
    const good = await step({ image: app, baseline: other, rules: 'maxSize: 1GB' }, PULL_REQUEST)
    expect(good).toMatchObject({ code: 0, err: '', outputs: { pass: 'true', 'wasted-bytes': '5000' } })
    expect(Number(good.outputs['compressed-bytes'])).toBeGreaterThan(100)
    expect(good.out).not.toMatch(/^::/m)
    const bad = await step({ image: app, baseline: other, rules: 'maxWasted: 1kB' }, PULL_REQUEST)
    expect(bad).toMatchObject({ code: 1, err: '', outputs: { pass: 'false', 'wasted-bytes': '5000' } })
    expect(bad.out).toMatch(/^::error file=Dockerfile,title=maxWasted::/m)
    expect(bad.summary).toContain('maxWasted')
    expect(api.changes).toEqual([
      'POST /repos/owner/app/issues/7/comments',
      'PATCH /repos/owner/app/issues/comments/122',
    ])
    expect(api.comments.at(-1)?.body).toContain('maxWasted')
    expect(api.comments[0]?.body).toMatch(/^mine\n/)
  })

  test('of a fork another run comments, which reads no image and believes no number', async () => {
    const result = join(folder, 'result.json')
    const gate = await step(
      { image: app, baseline: other, rules: 'maxWasted: 1kB', comment: 'false', result },
      {},
    )
    expect(gate).toMatchObject({ code: 1 })
    const run = {
      head_branch: 'main',
      head_sha: 'abc',
      head_repository: { full_name: 'fork/app', owner: { login: 'fork' } },
      html_url: 'https://github.example/owner/app/actions/runs/5',
    }
    const pull = (number: number, sha: string, full_name: string) => ({
      number,
      head: { sha, repo: { full_name } },
    })
    api.comments.length = 0
    api.requests.length = 0
    api.pulls = [pull(8, 'old', 'fork/app'), pull(9, 'abc', 'other/app'), pull(10, 'abc', 'fork/app')]
    const from = { 'comment-from': result }
    expect(await step(from, { workflow_run: run })).toMatchObject({
      code: 0,
      err: '',
      outputs: { pass: 'false' },
    })
    expect(api.changes).toEqual(['POST /repos/owner/app/issues/10/comments'])
    expect(api.comments[0]?.body).toMatch(/^❌ 1 of 1 rule broken\. /)
    expect(api.comments[0]?.body).toContain(`[The whole report](${run.html_url})`)
    api.pulls = []
    expect(await step(from, { workflow_run: run })).toMatchObject({ code: 0 })
    expect(api.changes).toHaveLength(1)
    await writeFile(result, JSON.stringify({ ...JSON.parse(await readFile(result, 'utf8')), number: 1 }))
    const forged = await step(from, { workflow_run: run })
    expect(forged).toMatchObject({ code: 1 })
    expect(forged.out).toMatch(/^::error title=Lamina::input_error: the facts of a comment are malformed/m)
  })

  test('a baseline that does not exist yet fails nothing', async () => {
    const first = { image: app, baseline: `${other}-not-yet`, rules: 'maxGrowth: 0\nmaxSize: 1GB' }
    const { code, out, outputs } = await step(first, {})
    expect({ code, pass: outputs.pass }).toEqual({ code: 0, pass: 'true' })
    expect(out).toMatch(/^::notice title=Lamina::The baseline \S+ does not exist yet/m)
    expect(await step({ ...first, rules: 'maxGrowth: 0' }, {})).toMatchObject({ code: 0 })
    expect(await step({ image: other, baseline: app, rules: 'maxGrowth: 0' }, {})).toMatchObject({ code: 0 })
    expect(await step({ image: app, baseline: other, rules: 'maxGrowth: 0' }, {})).toMatchObject({ code: 1 })
  })

  test('reads rules from files, and writes SARIF', async () => {
    const workspace = await mkdtemp(join(folder, 'workspace-'))
    await writeFile(join(workspace, 'policy.yaml'), 'maxLayers: 1\n')
    await writeFile(
      join(workspace, '.dive-ci'),
      'rules:\n  highestWastedBytes: 1MB\n  lowestEfficiency: disabled\n  highestUserWastedPercent: disabled\n',
    )
    const policy = { image: app, policy: 'policy.yaml', sarif: 'gate.sarif' }
    expect(await step(policy, {}, { cwd: workspace })).toMatchObject({ code: 1, outputs: { pass: 'false' } })
    const sarif = JSON.parse(await readFile(join(workspace, 'gate.sarif'), 'utf8'))
    expect(sarif.runs[0].results).toMatchObject([{ ruleId: 'maxLayers' }])
    expect(await step({ image: app, 'dive-ci': '.dive-ci' }, {}, { cwd: workspace })).toMatchObject({
      code: 0,
    })
    const both = await step(
      { image: app, policy: 'policy.yaml', rules: 'maxSize: 1GB' },
      {},
      { cwd: workspace },
    )
    expect(both).toMatchObject({ code: 1, outputs: { pass: 'false' } })
    expect(both.out).toMatch(/^::error title=Lamina::invalid_parameter: /m)
  })

  test("an engine's image has no compressed size", async () => {
    const engine = await TestEngine.start()
    try {
      const layer = await makeLayer([{ name: 'a', content: 'x' }], { compression: 'none' })
      engine.add('app:dev', makeImage([layer]))
      const image = 'docker-daemon:app:dev'
      expect(await step({ image, rules: 'maxSize: 1GB' }, {}, { host: engine.address })).toMatchObject({
        code: 0,
        outputs: { pass: 'true', 'compressed-bytes': '', 'wasted-bytes': '0' },
      })
      api.comments.length = 0
      expect(await step({ image, baseline: other }, PULL_REQUEST, { host: engine.address })).toMatchObject({
        code: 0,
      })
      expect(api.comments[0]?.body).toMatch(
        /^`docker-daemon:app:dev`: \*\*.* uncompressed.*compared with `main`\n/,
      )
      expect(api.comments[0]?.body).toMatch(/<!-- lamina docker-daemon:app -->$/)
    } finally {
      await engine.stop()
    }
  })

  test("uploads the runner's images to a service and asks it", async () => {
    const service = await startService('node', { LAMINA_TOKENS: 'token' })
    const engine = await TestEngine.start()
    try {
      engine.add('app:dev', wasteful)
      const inputs = {
        baseline: other,
        rules: 'maxWasted: 1kB',
        server: service.url,
        'server-token': 'token',
      }
      for (const image of [app, 'docker-daemon:app:dev']) {
        api.comments.length = 0
        const gate = await step({ ...inputs, image }, PULL_REQUEST, { host: engine.address })
        expect(gate, gate.out).toMatchObject({ code: 1, outputs: { pass: 'false', 'wasted-bytes': '5000' } })
        expect(gate.summary).toContain('maxWasted')
        // The name of the upload would be useless to readers: it is already deleted.
        expect(gate.summary).toContain(image)
        expect(api.comments[0]?.body).toContain(image === app ? '`app:v1`' : '`docker-daemon:app:dev`')
        expect(gate.summary + gate.out + api.comments[0]?.body).not.toMatch(/upload:[\w-]{22}/)
      }
      const store = await service.store()
      expect(await Array.fromAsync(store.list('images/'))).not.toEqual([])
      for (const prefix of ['uploads/', 'archives/'])
        expect(await Array.fromAsync(store.list(prefix))).toEqual([])
      const stranger = await step({ ...inputs, image: app, 'server-token': 'wrong' }, {})
      expect(stranger.out).toMatch(/^::error title=Lamina::unauthorized: /m)
      const nowhere = await step({ ...inputs, image: app, server: 'http://127.0.0.1:1' }, {})
      expect(nowhere.out).toMatch(/^::error title=Lamina::server_unreachable: /m)
    } finally {
      await Promise.all([engine.stop(), service.stop()])
    }
  })

  test('a comment that may not be written causes a warning', async () => {
    api.refuses = true
    const { code, out } = await step({ image: app, baseline: other }, PULL_REQUEST)
    api.refuses = false
    expect(code).toBe(0)
    expect(out).toMatch(/^::warning title=Lamina::.*Resource not accessible/m)
    const before = api.requests.length
    expect(await step({ image: app, comment: 'false' }, PULL_REQUEST)).toMatchObject({ code: 0 })
    expect(api.requests.length).toBe(before)
  })

  test('a problem fails the step with its message', async () => {
    const missing = await step({ image: `${app}x`, rules: 'maxSize: 1GB' }, {})
    expect(missing).toMatchObject({ code: 1, outputs: { pass: 'false', 'wasted-bytes': '' } })
    expect(missing.out).toMatch(/^::error title=Lamina::image_not_found: /m)
  })
})

// gitlab-ci-local copies the project by rsync.
const hasRsync = await run('rsync', ['--version']).then(
  ({ code }) => code === 0,
  () => false,
)

test.skipIf(!hasRsync)('the GitLab component runs the gate and leaves its reports', async () => {
  const project = await mkdtemp(join(folder, 'project-'))
  const gitlab = createRequire(import.meta.url).resolve('gitlab-ci-local/dist/index.js')
  await run('git', ['init', '-q', project])
  await mkdir(join(project, 'templates'))
  await writeFile(
    join(project, 'templates/image-gate.yml'),
    await readFile(join(released, 'image-gate.yml'), 'utf8'),
  )
  await run('git', ['add', 'templates'], { cwd: project })
  const lamina = `${process.execPath} ${join(folder, 'package/lamina.js')}`
  const forge = new TestForge()
  const merge = {
    GITLAB_CI: 'true',
    CI_API_V4_URL: await forge.start(),
    CI_MERGE_REQUEST_IID: '3',
    CI_MERGE_REQUEST_PROJECT_ID: '5',
    GITLAB_TOKEN: 'a-token',
  }
  const variables = Object.entries(merge).flatMap(([name, value]) => ['--variable', `${name}=${value}`])
  const gate = async (rules: string, more: readonly string[] = []) => {
    await writeFile(join(project, '.lamina.yaml'), rules)
    const inputs = { image: app, baseline: `${other}-not-yet`, lamina }
    const pipeline = { include: [{ local: 'templates/image-gate.yml', inputs }] }
    await writeFile(join(project, '.gitlab-ci.yml'), JSON.stringify(pipeline))
    return run(process.execPath, [gitlab, '--force-shell-executor', ...more, 'image-gate'], { cwd: project })
  }
  const good = await gate('maxSize: 1GB\nmaxGrowth: 0\n')
  expect(good.code, good.out + good.err).toBe(0)
  expect(forge.requests).toEqual([])
  const bad = await gate('maxLayers: 1\n', variables)
  await forge.stop()
  expect(bad.code, bad.out + bad.err).toBe(1)
  expect(forge.changes, bad.out + bad.err).toEqual(['POST /projects/5/merge_requests/3/notes'])
  expect(forge.comments[0]?.body).toMatch(/^❌ 1 of 1 rule broken\. .*there is no baseline yet\n/)
  expect(bad.out).toContain('maxLayers')
  const left = (await readdir(project, { recursive: true })).filter((name) => /gate\.\w+\.\w+$/.test(name))
  expect(left.join(' ')).toMatch(/gate\.codequality\.json/)
  expect(left.join(' ')).toMatch(/gate\.junit\.xml/)
})
