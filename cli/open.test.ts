/** `lamina open`: the pages of one image at home, for the browser that follows its link first. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../test/registry/fixture.ts'
import { dockerSave, packArchive } from '../test/support/archives.ts'
import { makeImage, makeLayer } from '../test/support/images.ts'
import { LAMINA } from '../test/support/lamina.ts'
import { COMPILED } from '../test/support/service.ts'

const USER = { username: 'mara', password: 'of mara alone' }

let folder: string
let registry: FixtureRegistry
let name: string
const children: ChildProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-open-'))
  registry = await FixtureRegistry.start({ auth: { kind: 'basic', ...USER } })
  const image = makeImage([await makeLayer([{ name: 'srv/secret-of-mara', content: 'x' }])])
  name = registry.push('private/app', 'v1', image)
  await writeFile(join(folder, 'app.tar'), packArchive(dockerSave(image, ['app:dev'])))
  const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64')
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }))
})

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await registry.close()
  await rm(folder, { recursive: true, force: true })
})

function start(words: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [LAMINA, 'open', ...words], {
    env: { PATH: process.env.PATH, ...COMPILED, HOME: folder, DOCKER_CONFIG: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  return { child, lines: createInterface(child.stdout), err: text(child.stderr) }
}

/** The page behind a link, as the browser sees it that follows the link first. */
async function follow(link: string) {
  const entered = await fetch(link, { redirect: 'manual' })
  const cookie = (entered.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const page = new URL(entered.headers.get('location') ?? '', link)
  return { entered, page, cookie }
}

test('serves a private image with the credentials of the command, to who has the link, until Ctrl-C', async () => {
  const told = join(folder, 'told')
  const browser = join(folder, 'browser')
  await writeFile(browser, `#!/bin/sh\nmkfifo "${told}" 2>/dev/null; echo "$1" > "${told}"\n`)
  await chmod(browser, 0o755)
  const { child, lines, err } = start([name], { BROWSER: browser })
  const [link] = await once(lines, 'line')
  const opened = spawn('sh', ['-c', `while [ ! -p "${told}" ]; do sleep 0.05; done; cat "${told}"`])
  expect((await text(opened.stdout)).trim()).toBe(link)

  const { entered, page, cookie } = await follow(link)
  expect(entered.status).toBe(303)
  expect(entered.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Lax/)
  expect(page.searchParams.get('image')).toBe(name)
  expect((await fetch(link, { redirect: 'manual' })).status).toBe(403)

  const report = new URL(`/v1/report?${new URLSearchParams({ image: name, wait: '60' })}`, link)
  expect((await fetch(report)).status).toBe(401)
  const shown = await fetch(report, { headers: { cookie } })
  expect([shown.status, await shown.text()]).toEqual([200, expect.stringContaining('srv/secret-of-mara')])
  const answer = await fetch(page, { headers: { cookie } })
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('private/app')])

  child.kill('SIGINT')
  expect(await once(child, 'exit')).toEqual([130, null])
  expect(await err).toMatch(/^lamina: [^\n]*Ctrl-C[^\n]*\n$/)
  await expect(fetch(report)).rejects.toThrow()
})

test('serves an archive', async () => {
  const { child, lines } = start([join(folder, 'app.tar')])
  const [link] = await once(lines, 'line')
  const { page, cookie } = await follow(link)
  const query = new URLSearchParams({ image: page.searchParams.get('image') ?? '', wait: '60' })
  const report = await fetch(new URL(`/v1/report?${query}`, link), { headers: { cookie } })
  expect(await report.text()).toContain('srv/secret-of-mara')
  child.kill('SIGINT')
  await once(child, 'exit')
})

test('an image that nobody has is told at once', async () => {
  const { child, err } = start([`${registry.host}/private/none:v1`])
  expect(await once(child, 'exit')).toEqual([2, null])
  expect(await err).toMatch(/^lamina: [^\n]+ \[image_not_found\]\n$/)
})
