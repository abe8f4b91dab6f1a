/** `--comment`: the comment on a pull request of GitHub and on a merge request of GitLab, by the command. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CommentFacts } from '../../src/formats/comment-markdown.ts'
import { parseGrowthLimit } from '../../src/text/limit.ts'
import { FixtureRegistry } from '../../test/registry/fixture.ts'
import { SAME } from '../../test/support/diffs.ts'
import { emptyFacts } from '../../test/support/facts.ts'
import { TestForge } from '../../test/support/forge.ts'
import { makeImage, makeLayer, type TestLayer } from '../../test/support/images.ts'
import { runLamina } from '../../test/support/lamina.ts'
import { startService, type TestService } from '../../test/support/service.ts'
import { isWorthTelling, readFacts, readHistory } from './facts.ts'

let folder: string
let registry: FixtureRegistry
let service: TestService
let forge: TestForge
let url: string
let v1: string
let v2: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-comment-'))
  ;[registry, service] = await Promise.all([FixtureRegistry.start(), startService('node')])
  const base = await makeLayer([{ name: 'bin/tool', content: 'x'.repeat(90_000) }])
  const push = async (tag: string, files: number, created: string) => {
    const members = Array.from({ length: files }, (_, i) => ({
      name: `srv/app/${i}`,
      content: `${i}`.repeat(99),
    }))
    return registry.push('app', tag, makeImage([base, await makeLayer(members)], { config: { created } }))
  }
  v1 = await push('v1', 100, '2026-01-01T00:00:00Z')
  await push('v1.1', 120, '2026-01-02T00:00:00Z')
  v2 = await push('v2', 200, '2026-01-03T00:00:00Z')
  await writeFile(join(folder, 'event.json'), JSON.stringify({ pull_request: { number: 7 } }))
  await writeFile(join(folder, 'push.json'), JSON.stringify({ ref: 'refs/heads/main' }))
})

afterAll(async () => {
  await Promise.all([registry.close(), service.stop()])
  await rm(folder, { recursive: true, force: true })
})

beforeEach(async () => {
  forge = new TestForge()
  url = await forge.start()
  return () => forge.stop()
})

const inGitHub = (more: Record<string, string> = {}) => ({
  HOME: folder,
  GITHUB_ACTIONS: 'true',
  GITHUB_API_URL: url,
  GITHUB_REPOSITORY: 'owner/app',
  GITHUB_EVENT_PATH: join(folder, 'event.json'),
  GITHUB_TOKEN: 'a-token',
  ...more,
})

const inGitLab = (more: Record<string, string> = {}) => ({
  HOME: folder,
  GITLAB_CI: 'true',
  CI_API_V4_URL: url,
  CI_PROJECT_ID: '5',
  CI_MERGE_REQUEST_IID: '3',
  CI_JOB_URL: 'https://gitlab.example/job/1',
  GITLAB_TOKEN: 'a-token',
  ...more,
})

test('GitHub: silent below the threshold, then one comment that is kept up to date', async () => {
  const diff = (words: readonly string[]) =>
    runLamina(['diff', v1, v2, '--comment', '--server', service.url, ...words], inGitHub())
  const quiet = await diff(['--comment-threshold', '10MB'])
  expect(quiet).toMatchObject({ code: 0, err: 'lamina: no comment: the change is below the threshold\n' })
  expect(forge.changes).toEqual([])
  expect(await diff(['--history', '5', '--history-tag', 'v*'])).toMatchObject({ code: 0, err: '' })
  expect(await diff(['--comment-threshold', '10MB'])).toMatchObject({ code: 0, err: '' })
  expect(forge.changes).toEqual([
    'POST /repos/owner/app/issues/7/comments',
    'PATCH /repos/owner/app/issues/comments/1',
  ])
  const [first] = forge.requests.filter(({ method }) => method === 'POST')
  expect(JSON.stringify(first?.body)).toMatch(/The last 2 builds, compressed: .* since `v1`/)
  const body = forge.comments[0]?.body ?? ''
  expect(body).toMatch(/^`app:v2`: \*\*.* larger compressed .*compared with `v1`\n/)
  expect(body).toMatch(/\n<!-- lamina 127\.0\.0\.1:\d+\/app -->$/)
  // The service shows its picture to everybody.
  const [, picture = ''] = /!\[What grew and shrank\]\((\S+)\)/.exec(body) ?? []
  expect(await (await fetch(picture)).text()).toContain('srv/app')
})

test('a base that moved is told', async () => {
  const layer = (name: string) => makeLayer([{ name, content: name.repeat(40_000) }])
  const [before, after, own] = await Promise.all(['one', 'other', 'own'].map(layer))
  if (before === undefined || after === undefined || own === undefined) throw new Error('no layers')
  const onBase = async (tag: string, base: TestLayer) => {
    const name = registry.push('base', tag, makeImage([base]))
    const annotations = { 'org.opencontainers.image.base.name': name }
    return registry.push('moving', tag, makeImage([base, own], { manifest: { annotations } }))
  }
  const pair = [await onBase('1', before), await onBase('2', after)]
  const words = ['diff', ...pair, '--comment', '--comment-threshold', '0', '--server', service.url]
  expect(await runLamina(words, inGitHub())).toMatchObject({ code: 0, err: '' })
  expect(forge.comments[0]?.body).toMatch(
    /\n- The base image changed from `\S+\/base:1` to `\S+\/base:2`: it accounts for .*, your own layers for 0 B\.\n/,
  )
})

test('GitLab: a broken rule is told, and what others wrote stays', async () => {
  const mark = `<!-- lamina ${v2.replace(/:v2$/, '')} -->`
  forge.write(`mine\n${mark}`, 'stranger')
  const check = (limit: string) =>
    runLamina(['check', v2, '--max-layers', limit, '--comment', '--server', service.url], inGitLab())
  expect(await check('1')).toMatchObject({ code: 1, err: '' })
  expect(await check('2')).toMatchObject({ code: 0, err: '' })
  expect(forge.changes).toEqual([
    'POST /projects/5/merge_requests/3/notes',
    'PUT /projects/5/merge_requests/3/notes/2',
  ])
  expect(forge.comments.map(({ body }) => body.slice(0, 4))).toEqual(['mine', '✅ Th'])
  expect(forge.comments[1]?.body).toContain('[The whole report](https://gitlab.example/job/1)')
})

test('builds that cannot be listed are left out', async () => {
  registry.fault({ path: /\/tags\/list/ }, { status: 403 })
  try {
    const { code, err } = await runLamina(
      ['diff', v1, v2, '--comment', '--history', '5', '--no-cache'],
      inGitHub({ LAMINA_INSECURE_REGISTRIES: '127.0.0.0/8' }),
    )
    expect({ code, err }).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^lamina: The comment does not show the last builds: .*\n$/),
    })
    expect(forge.changes).toHaveLength(1)
    expect(forge.comments[0]?.body).not.toContain('builds')
  } finally {
    registry.clearFaults()
  }
})

test('where there is nothing to comment on, a line says so and the answer stands', async () => {
  const check = (env: Record<string, string>) =>
    runLamina(['check', v2, '--max-layers', '1', '--comment', '--server', service.url], env)
  expect(await check(inGitHub({ GITHUB_EVENT_PATH: join(folder, 'push.json') }))).toMatchObject({
    code: 1,
    err: 'lamina: no comment: this run is not about a pull or merge request\n',
  })
  expect(await check(inGitLab({ GITLAB_TOKEN: '' }))).toMatchObject({
    code: 1,
    err: 'lamina: no comment: GITLAB_TOKEN is not set\n',
  })
  forge.refuses = true
  expect(await check(inGitHub())).toMatchObject({
    code: 1,
    err: 'lamina: the comment was not written: GitHub answered 403: Resource not accessible by integration\n',
  })
  expect(await check({ HOME: folder })).toMatchObject({
    code: 2,
    out: '',
    err: 'lamina: --comment works in GitHub Actions and GitLab CI [usage]\n',
  })
})

test('what is worth a comment', () => {
  const { to: image } = SAME
  const facts: CommentFacts = { image, size: emptyFacts.size, advice: [], builds: [] }
  const changed = (from: number, to: number) => {
    const compressedBytes = { from, to, delta: to - from }
    return { ...facts, diff: { ...SAME, size: { ...SAME.size, compressedBytes } } }
  }
  const told = (some: CommentFacts, limit = '0.1%') => isWorthTelling(some, parseGrowthLimit(limit, 'x'))
  expect(told(facts)).toBe(false)
  expect(told({ ...facts, isFirst: true })).toBe(true)
  expect(told({ ...facts, verdict: { pass: false, image, rules: [] } })).toBe(true)
  expect(told({ ...facts, verdict: { pass: true, image, rules: [] } })).toBe(false)
  expect(told(changed(100_000, 100_099))).toBe(false)
  expect(told(changed(100_000, 100_100))).toBe(true)
  expect(told(changed(100_000, 99_900))).toBe(true)
  expect(told(changed(100_000, 109_999), '10kB')).toBe(false)
  expect(told(changed(100_000, 110_000), '10kB')).toBe(true)
  expect(told(changed(100_000, 100_000), '0')).toBe(true)
  const item = { rule: 'cache', title: 'x', bytes: 1, files: 1, paths: [], fix: '' } as const
  const advised = (severity: 'info' | 'warning' | 'error') => ({
    ...changed(100_000, 100_000),
    advice: [{ ...item, severity }],
  })
  expect([told(advised('info')), told(advised('warning')), told(advised('error'))]).toEqual([
    false,
    true,
    true,
  ])
})

test('facts of a comment are nothing but facts', () => {
  const { to: image } = SAME
  const facts = { image, size: emptyFacts.size, advice: [], builds: [] }
  expect(readFacts(JSON.stringify(facts))).toEqual(facts)
  const refused = (value: unknown) => () => readFacts(JSON.stringify(value))
  expect(refused({ ...facts, number: 7 })).toThrow(/malformed/)
  const share = { reference: 'a', layers: 1, baseBytes: 2, ownBytes: 3 }
  const moved = { ...facts, bases: { from: share, to: share } }
  expect(readFacts(JSON.stringify(moved))).toEqual(moved)
  expect(refused({ ...facts, bases: { from: share, to: { ...share, layers: 'x' } } })).toThrow(
    /malformed at bases/,
  )
  expect(refused({ ...facts, size: { ...emptyFacts.size, compressedBytes: '1' } })).toThrow(
    /malformed at size\.compressedBytes/,
  )
  expect(() => readFacts('no JSON')).toThrow(/malformed at the top/)
  for (const last of ['0', '101', '3.5', '-1', 'x']) expect(() => readHistory(last, [])).toThrow(/1 to 100/)
})
