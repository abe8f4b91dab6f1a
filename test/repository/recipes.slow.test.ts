/**
 * The recipes in `docs/ci.md`: each shell line is run against a service, each CI's file is read by that CI's own parser. A
 * recipe must pass a good image and fail a bad one.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { XmlDocument } from 'libxml2-wasm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { startService, type TestService } from '../support/service.ts'
import { githubReader } from './github-reader.ts'

type Recipe = {
  readonly section: string
  readonly language: string
  readonly file: string
  readonly text: string
}

/** The fenced blocks of the document; the word after the language is the name of the file shown. */
async function readRecipes(): Promise<readonly Recipe[]> {
  const document = await readFile(new URL('../../docs/ci.md', import.meta.url), 'utf8')
  return document.split(/^## /m).flatMap((part) => {
    const section = part.split('\n', 1)[0] ?? ''
    const blocks = part.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)
    return Array.from(blocks, ([, language = '', file = '', text = '']) => ({
      section,
      language,
      file,
      text,
    }))
  })
}

const recipes = await readRecipes()

function recipe(file: string): string {
  const found = recipes.find((one) => one.file === file)
  if (found === undefined) throw new Error(`docs/ci.md shows no ${file}`)
  return found.text
}

const workflow = z.object({
  env: z.record(z.string(), z.string()),
  jobs: z.object({
    image: z.object({
      steps: z.array(z.object({ name: z.string().optional(), run: z.string().optional() })),
    }),
  }),
})
const pipeline = z.object({
  'image-gate': z.object({ variables: z.record(z.string(), z.string()), script: z.array(z.string()) }),
})

/** Each is a script as its CI runs it, with whether it is the gate itself, which fails for a bad image. */
type Script = {
  readonly name: string
  readonly text: string
  readonly rules: string
  readonly isGate: boolean
}

function scripts(): readonly Script[] {
  const rules = 'maxCompressed=200MB&maxWasted=20MB&deny=**/.git/**'
  const shell = recipes
    .filter(({ language }) => language === 'sh')
    .map(({ text }, i) => ({
      name: `shell ${i + 1}`,
      text,
      rules,
      isGate: !text.includes('/v1/advice'),
    }))
  const { env, jobs } = workflow.parse(parseYaml(recipe('.github/workflows/image-by-service.yaml')))
  const github = jobs.image.steps.flatMap(({ name = '', run }) =>
    // Steps that need a Docker engine and GitHub's registry.
    run === undefined || name === 'Build and push'
      ? []
      : [{ name: `GitHub: ${name}`, text: run, rules: env.RULES ?? '', isGate: name === 'Gate' }],
  )
  const { 'image-gate': job } = pipeline.parse(parseYaml(recipe('.gitlab-ci-by-service.yml')))
  const gitlab = {
    name: 'GitLab',
    text: job.script.join('\n'),
    rules: job.variables.RULES ?? '',
    isGate: true,
  }
  const [, steps = ''] = /sh '''([\s\S]*?)'''/.exec(recipe('Jenkinsfile')) ?? []
  const [, jenkinsRules = ''] = /RULES = '(.*)'/.exec(recipe('Jenkinsfile')) ?? []
  return [...shell, ...github, gitlab, { name: 'Jenkins', text: steps, rules: jenkinsRules, isGate: true }]
}

type Run = { readonly code: number | null; readonly output: string }

async function run(command: readonly string[], cwd: string, env: Record<string, string>): Promise<Run> {
  const [name = '', ...args] = command
  const child = spawn(name, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text
    })
  }
  const [code] = await once(child, 'close')
  return { code, output }
}

const hasCurl = await run(['curl', '--version'], tmpdir(), {}).then(
  ({ code }) => code === 0,
  () => false,
)

describe.skipIf(!hasCurl)('each shell line does what the document says', () => {
  const user = { username: 'mara', password: 'p4ss "word"' }
  let service: TestService
  let registry: FixtureRegistry
  let closed: FixtureRegistry
  let folder: string
  let good: string
  let bad: string

  beforeAll(async () => {
    service = await startService('node')
    registry = await FixtureRegistry.start()
    closed = await FixtureRegistry.start({ auth: { kind: 'basic', username: 'mara', password: 'p4ss-word' } })
    folder = await mkdtemp(join(tmpdir(), 'lamina-recipes-'))
    const base = await makeLayer([{ name: 'bin/tool', content: 'x'.repeat(1000) }])
    const app = await makeLayer([{ name: 'app/main', content: 'y'.repeat(1000) }])
    const careless = await makeLayer([
      { name: 'app/.git/config', content: 'z' },
      { name: 'bin/tool', content: 'w'.repeat(5000) },
    ])
    good = registry.push('app', 'good', makeImage([base, app]))
    bad = registry.push('app', 'bad', makeImage([base, careless, app]))
    closed.push('app', 'good', makeImage([base, app]))
    closed.push('app', 'bad', makeImage([base, careless, app]))
    for (const file of ['.lamina.yaml', '.dive-ci']) await writeFile(join(folder, file), recipe(file))
    await writeFile(join(folder, 'Dockerfile'), '# the application\nFROM scratch\nCOPY . /\n')
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close(), closed?.close()])
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })

  async function runScript({ text, rules }: Script, image: string, baseline = good): Promise<Run> {
    const isClosed = text.includes('X-Registry-Auth')
    return run(['sh', '-e', '-c', text], folder, {
      LAMINA: service.url,
      IMAGE: isClosed ? image.replace(registry.host, closed.host) : image,
      BASELINE: isClosed ? baseline.replace(registry.host, closed.host) : baseline,
      RULES: rules,
      REGISTRY_USER: user.username,
      REGISTRY_PASSWORD: 'p4ss-word',
      // Jenkins' names for the two parts of a credential.
      REGISTRY_USR: user.username,
      REGISTRY_PSW: 'p4ss-word',
      GITHUB_STEP_SUMMARY: join(folder, 'summary.md'),
      no_proxy: '127.0.0.1',
    })
  }

  test.each(scripts())('$name', async (script) => {
    const passed = await runScript(script, good)
    expect(passed.code, passed.output).toBe(0)
    const failed = await runScript(script, bad)
    expect(failed.code, failed.output).toBe(script.isGate ? 22 : 0)
  })

  test('a baseline that does not exist yet fails nothing', async () => {
    const diff = scripts().find(({ name }) => name === 'GitHub: Diff')
    if (diff === undefined) throw new Error('docs/ci.md shows no step Diff')
    const before = await readFile(join(folder, 'diff.md'), 'utf8')
    expect(await runScript(diff, good, `${good}-not-yet`)).toMatchObject({ code: 0 })
    expect(await readFile(join(folder, 'diff.md'), 'utf8')).toBe('There is no baseline yet.\n')
    await writeFile(join(folder, 'diff.md'), before)
  })

  test('each CI reads its file as intended', async () => {
    const read = (file: string) => readFile(join(folder, file), 'utf8')
    expect(await read('summary.md')).toContain('| ❌ | `deny **/.git/**` |')
    expect(JSON.parse(await read('verdict.sarif'))).toHaveProperty('version', '2.1.0')
    expect(await read('diff.md')).toContain('bin/tool')
    expect(JSON.parse(await read('gate.codequality.json'))).toHaveLength(1)
    expect(await read('gate.metrics.txt')).toMatch(/\n# EOF\n$/)
    for (const file of ['gate.junit.xml', 'gate.xml']) {
      using document = XmlDocument.fromString(await read(file))
      expect(document.find('//failure')).toHaveLength(1)
    }
  })

  test('each badge exists', async () => {
    const addresses = recipes
      .filter(({ language }) => language === 'markdown')
      .flatMap(({ text }) => Array.from(text.matchAll(/\]\((\S+)\)/g), ([, address = '']) => address))
    expect(addresses).toHaveLength(7)
    for (const address of addresses) {
      const shields = new URL(address)
      const own = shields.hostname === 'img.shields.io' ? (shields.searchParams.get('url') ?? '') : address
      const local = own
        .replace('https://lamina.example.com', service.url)
        .replaceAll('ghcr.io/example/app:1.0', good)
        .replaceAll('ghcr.io/example/app', good)
      const answer = await fetch(local)
      expect(answer.status).toBe(200)
      const text = await answer.text()
      expect(text).not.toMatch(/invalid|unavailable|unknown/)
    }
  })
})

/** The package imports JSON in a way that Node does not allow; bundling it avoids that. */
test('GitHub reads its workflow', async () => {
  const faults = await githubReader()
  for (const file of ['image.yaml', 'image-comment.yaml', 'image-by-service.yaml']) {
    const content = recipe(`.github/workflows/${file}`)
    expect(await faults(content)).toEqual([])
    expect(await faults(content.replace('runs-on', 'run-on'))).not.toEqual([])
  }
})

test('the inputs of the action are those that the recipes give, and a fork runs nothing', async () => {
  const action = z
    .object({ inputs: z.record(z.string(), z.unknown()) })
    .parse(parseYaml(await readFile(new URL('../../cli/action/action.yml', import.meta.url), 'utf8')))
  const steps = z.object({
    jobs: z.record(
      z.string(),
      z.object({
        steps: z.array(
          z.object({
            uses: z.string().optional(),
            run: z.string().optional(),
            with: z.record(z.string(), z.unknown()).optional(),
          }),
        ),
      }),
    ),
  })
  const stepsOf = (file: string) =>
    Object.values(steps.parse(parseYaml(recipe(`.github/workflows/${file}`))).jobs).flatMap(
      (job) => job.steps,
    )
  for (const file of ['image.yaml', 'image-comment.yaml']) {
    const ours = stepsOf(file).filter(({ uses }) => uses?.startsWith('example/lamina@'))
    expect(ours).toHaveLength(1)
    for (const name of Object.keys(ours[0]?.with ?? {})) expect(Object.keys(action.inputs)).toContain(name)
  }
  const withToken = stepsOf('image-comment.yaml')
  expect(withToken.map(({ uses = '' }) => uses.replace(/@.*/, ''))).toEqual([
    'actions/download-artifact',
    'example/lamina',
  ])
  expect(withToken.filter(({ run }) => run !== undefined)).toEqual([])
  expect(recipes.filter(({ text }) => text.includes('pull_request_target'))).toEqual([])
})

test('GitLab reads its pipeline', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-gitlab-'))
  try {
    const main = createRequire(import.meta.url).resolve('gitlab-ci-local/dist/index.js')
    const list = async (text: string) => {
      await writeFile(join(folder, '.gitlab-ci.yml'), text)
      return run([process.execPath, main, '--list'], folder, {})
    }
    await run(['git', 'init', '-q', folder], folder, {})
    const component = await readFile(new URL('../../cli/image-gate.yml', import.meta.url), 'utf8')
    await mkdir(join(folder, 'templates'))
    await writeFile(join(folder, 'templates/image-gate.yml'), component)
    // What one branch stores decides about no other's image.
    expect(component).toContain('key: lamina-$CI_COMMIT_REF_PROTECTED-$CI_COMMIT_REF_SLUG\n')
    await run(['git', 'add', 'templates'], folder, {})
    for (const file of ['.gitlab-ci.yml', '.gitlab-ci-by-service.yml']) {
      const read = await list(recipe(file))
      expect(read.code, read.output).toBe(0)
      expect(read.output).toContain('image-gate')
    }
    const misspelt = await list(recipe('.gitlab-ci-by-service.yml').replace('codequality:', 'codeQuality:'))
    expect(misspelt.code).not.toBe(0)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
