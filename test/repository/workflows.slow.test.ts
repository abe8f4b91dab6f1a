/** The workflows of this repository, as GitHub's own parser reads them; and what they may do. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { githubReader } from './github-reader.ts'

const WORKFLOWS = fileURLToPath(new URL('../../.github/workflows', import.meta.url))

const step = z.object({
  name: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
})
const workflow = z.object({
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.object({
      if: z.string().optional(),
      uses: z.string().optional(),
      permissions: z.record(z.string(), z.string()).default({}),
      steps: z.array(step).default([]),
    }),
  ),
})

const files = (await readdir(WORKFLOWS)).sort()
const read = async (file: string) => workflow.parse(parse(await readFile(join(WORKFLOWS, file), 'utf8')))

test.each(files)('GitHub reads %s', async (file) => {
  const faults = await githubReader()
  const content = await readFile(join(WORKFLOWS, file), 'utf8')
  expect(await faults(content)).toEqual([])
  expect(await faults(content.replace('runs-on', 'run-on'))).not.toEqual([])
})

test.each(files)('the actions of %s are pinned by their digests, and it may only read', async (file) => {
  const { permissions, jobs } = await read(file)
  expect(permissions).toEqual({ contents: 'read' })
  const used = Object.values(jobs).flatMap(({ uses, steps }) => [uses, ...steps.map((one) => one.uses)])
  for (const action of used.filter((one) => one !== undefined))
    expect(action).toMatch(/^(?:\.\/\.github\/workflows\/\w+\.yml|actions\/[\w-]+@[0-9a-f]{40})$/)
})

test('only a tag publishes: whatever may write waits for the tests, and does not run in a rehearsal', async () => {
  const { jobs } = await read('release.yml')
  const writing = Object.entries(jobs).filter(([, { permissions }]) =>
    Object.values(permissions).includes('write'),
  )
  expect(writing.map(([name]) => name)).toEqual(['npm', 'image', 'release'])
  for (const [, job] of writing) expect(job.if).toBe("github.event_name == 'push'")
  const others = Object.entries(jobs).filter(([name]) => !['npm', 'image', 'release'].includes(name))
  for (const [, { steps }] of others)
    for (const { run = '' } of steps) {
      expect(run).not.toMatch(/--push|gh release|git push|docker login/)
      if (run.includes('npm publish')) expect(run).toContain('--dry-run')
    }
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-workflows-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test("the action's tags lead to the action and nothing else, and the major one moves", async () => {
  const { jobs } = await read('release.yml')
  const script = jobs.release?.steps.find(({ name }) => name === "The action's tags")?.run ?? ''
  const execute = promisify(execFile)
  const git = (...words: readonly string[]) => execute('git', words, { cwd: join(folder, 'work') })
  await execute('git', ['init', '-q', '--bare', join(folder, 'origin')])
  await execute('git', ['init', '-q', join(folder, 'work')])
  await git('remote', 'add', 'origin', join(folder, 'origin'))
  const move = async (version: string) => {
    const action = join(folder, 'work/dist/release/action')
    await mkdir(action, { recursive: true })
    await writeFile(join(action, 'index.js'), version)
    await cp(
      fileURLToPath(new URL('../../cli/action/action.yml', import.meta.url)),
      join(action, 'action.yml'),
    )
    const env = { ...process.env, RUNNER_TEMP: folder, VERSION: version }
    await execute('bash', ['-eo', 'pipefail', '-c', script], { cwd: join(folder, 'work'), env })
    await rm(join(folder, 'action'))
  }
  await move('3.1.4')
  await move('3.2.0')
  const show = async (of: string) =>
    (await execute('git', ['-C', join(folder, 'origin'), 'show', of])).stdout.trim()
  expect(await show('v3:index.js')).toBe('3.2.0')
  expect(await show('action-v3.1.4:index.js')).toBe('3.1.4')
  expect((await show('v3:')).split('\n').slice(2)).toEqual(['action.yml', 'index.js'])
})
