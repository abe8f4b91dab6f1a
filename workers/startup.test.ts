import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { COMPILED, temporaryData } from '../test/support/service.ts'
import { isTooOld } from './node-version.ts'

let data: string

beforeAll(async () => {
  data = await temporaryData()
})

afterAll(() => rm(data, { recursive: true, force: true }))

function run(command: string, args: readonly string[], settings: Record<string, string>) {
  const { PATH, HOME } = process.env
  return spawn(command, args, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { PATH, HOME, ...COMPILED, HOST: '127.0.0.1', PORT: '0', LAMINA_DATA: data, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

describe.each(['node', 'cloudflare'])('the %s host', (host) => {
  const file = fileURLToPath(new URL(`./${host}/start.ts`, import.meta.url))

  /** What it prints if it does not start. */
  async function refusal(settings: Record<string, string>, flags: readonly string[] = []): Promise<string> {
    const child = run(process.execPath, [...flags, file], settings)
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect(code).toBe(1)
    return said
  }

  it('says in one line which setting is wrong', async () => {
    expect(await refusal({ LAMINA_MAX_WAIT: 'soon' })).toMatch(/^LAMINA_MAX_WAIT .*\n$/)
    expect(await refusal({ LAMINA_COLOUR: 'blue' })).toMatch(/^LAMINA_COLOUR is not a setting.*\n$/)
  })

  it('says in one line that the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port }: Partial<AddressInfo> = Object(other.address())
    expect(await refusal({ PORT: String(port) })).toBe(
      `port ${port} on 127.0.0.1 is in use; set PORT to another\n`,
    )
    other.close()
  })

  it('says in one line which Node it needs', async () => {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' })`
    const flags = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`]
    expect(await refusal({}, flags)).toBe('Lamina needs Node 22.19 or newer; this is 20.20.2\n')
  })
})

test.each([
  ['20.20.2', true],
  ['22.18.9', true],
  ['22.19.0', false],
  ['24.0.0', false],
])('Node %s is too old: %s', (version, expected) => {
  expect(isTooOld(version)).toBe(expected)
})

/** What `npm start` runs in a shell after the build, which other tests rely on. */
async function startCommand(): Promise<string> {
  const { scripts } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  return String(scripts.start).replace('node workers/build.ts', 'node --version')
}

test.each([
  ['npm start', async () => ['sh', '-c', await startCommand()]],
  ['npm run start:node', async () => ['npm', 'run', 'start:node']],
])('killing `%s` ends the server with it', async (_, commandOf) => {
  const [command = '', ...args] = await commandOf()
  const child = run(command, args, { LAMINA_DRAIN_SECONDS: '0' })
  let url: string | undefined
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    url = /Lamina listens on (\S+)/.exec(chunk)?.[1]
    if (url !== undefined) break
  }
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  child.kill('SIGTERM')
  await once(child, 'exit')
  await expect
    .poll(() => fetch(`${url}/healthz`).then(String, () => 'gone'), { timeout: 60_000 })
    .toBe('gone')
})
