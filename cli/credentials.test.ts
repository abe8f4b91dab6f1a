/** Where credentials are found; they are never shown. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { credentialHeaders } from './credentials.ts'

const SECRET = 'a-secret'
const AUTH = Buffer.from(`me:${SECRET}`).toString('base64')
const { signal } = new AbortController()
const PATH = process.env.PATH

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-credentials-'))
  process.env.PATH = `${folder}:${PATH}`
})

afterEach(async () => {
  process.env.PATH = PATH
  await rm(folder, { recursive: true, force: true })
})

async function found(config: unknown, reference = 'ghcr.io/o/app:v1'): Promise<unknown> {
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  const headers = await credentialHeaders(
    [reference],
    { DOCKER_CONFIG: folder, XDG_CONFIG_HOME: folder },
    signal,
  )
  const header = headers['x-registry-config']
  return header === undefined ? undefined : JSON.parse(Buffer.from(header, 'base64url').toString())
}

async function helper(name: string, script: string): Promise<void> {
  const file = join(folder, `docker-credential-${name}`)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}

test.each([
  ['ghcr.io', 'ghcr.io/o/app:v1', 'ghcr.io'],
  ['https://ghcr.io', 'ghcr.io/o/app:v1', 'ghcr.io'],
  ['ghcr.io/o', 'ghcr.io/o/app:v1', 'ghcr.io'],
  ['https://index.docker.io/v1/', 'nginx', 'docker.io'],
])('the entry %s is for %s', async (name, reference, registry) => {
  expect(await found({ auths: { [name]: { auth: AUTH } } }, reference)).toEqual({
    [registry]: { auth: AUTH },
  })
})

test('the entry of another registry or repository is not used', async () => {
  expect(
    await found({ auths: { 'quay.io': { auth: AUTH }, 'ghcr.io/other': { auth: AUTH } } }),
  ).toBeUndefined()
})

test('runs the credential helper with `get` and the registry on stdin', async () => {
  await helper(
    'spy',
    `read registry; echo "{\\"Username\\":\\"$1 $registry\\",\\"Secret\\":\\"${SECRET}\\"}"`,
  )
  expect(await found({ credHelpers: { 'ghcr.io': 'spy' } })).toEqual({
    'ghcr.io': { username: 'get ghcr.io', password: SECRET },
  })
})

test('falls back to the file when the helper has no credentials', async () => {
  await helper('none', 'echo credentials not found in native keychain; exit 1')
  expect(await found({ credsStore: 'none', auths: { 'ghcr.io': { auth: AUTH } } })).toEqual({
    'ghcr.io': { auth: AUTH },
  })
})

test.each([
  ['broken', `echo ${SECRET}; exit 1`],
  ['garbage', `echo ${SECRET}`],
])('the output of a helper that is %s is not shown', async (name, script) => {
  await helper(name, script)
  const error = await found({ credsStore: name }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'credentials_error', message: expect.not.stringContaining(SECRET) })
})

test('a file that is not JSON is refused without quoting it', async () => {
  await writeFile(join(folder, 'config.json'), `{"auths": "${SECRET}`)
  const error = await credentialHeaders(['ghcr.io/o/app'], { DOCKER_CONFIG: folder }, signal).catch(
    (one) => one,
  )
  expect(error).toMatchObject({ code: 'credentials_error' })
  expect(error.message).not.toContain(SECRET)
})
