/** Images by the names that people type, and registries on one's own network. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CERTIFICATE } from '../test/registry/certificate.ts'
import { FixtureRegistry } from '../test/registry/fixture.ts'
import { dockerSave, ociLayout, packArchive } from '../test/support/archives.ts'
import { TestEngine } from '../test/support/engine.ts'
import { makeImage, makeLayer, type TestImage } from '../test/support/images.ts'
import { runLamina } from '../test/support/lamina.ts'
import { withTransports } from './names.ts'

let folder: string
let registry: FixtureRegistry
let engine: TestEngine
let image: TestImage

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-names-'))
  registry = await FixtureRegistry.start({ auth: { kind: 'token', username: 'me', password: 'secret' } })
  engine = await TestEngine.start()
  image = makeImage([await makeLayer([{ name: 'hello', content: 'from here' }])])
})

afterAll(async () => {
  await Promise.all([registry.close(), engine.stop()])
  await rm(folder, { recursive: true, force: true })
})

const lamina = (words: readonly string[], env: Record<string, string> = {}, input?: Uint8Array) =>
  runLamina(words, { HOME: folder, DOCKER_HOST: engine.address, ...env }, input)

test('a file, a folder with a layout and stdin need no transport', async () => {
  const saved = packArchive(dockerSave(image, ['app:dev']))
  const file = join(folder, 'saved')
  await writeFile(file, saved)
  for (const [name, bytes] of Object.entries(ociLayout([{ image, name: 'dev' }]))) {
    const path = join(folder, 'layout', name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
  const expected = { code: 0, out: 'from here', err: '' }
  expect(await lamina(['cat', file, 'hello'])).toEqual(expected)
  expect(await lamina(['cat', join(folder, 'layout'), 'hello'])).toEqual(expected)
  expect(await lamina(['cat', '-', 'hello'], {}, saved)).toEqual(expected)
  expect(await lamina(['index', '-f', '-'], {}, new TextEncoder().encode(`${file}\n`))).toMatchObject({
    code: 0,
  })
})

test('the base image `auto` is the name of no image', async () => {
  const parameters = new Map([
    ['image', ['app']],
    ['baseImage', ['auto']],
  ])
  const asked = { parameters, settings: { source: 'engine' } } as const
  expect((await withTransports(asked)).parameters).toEqual(
    new Map([
      ['image', ['docker-daemon:app']],
      ['baseImage', ['auto']],
    ]),
  )
})

test('a path where nothing is, or no image, is told', async () => {
  const missing = await lamina(['report', join(folder, 'missing.tar')])
  expect(missing).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/no such file.* \[image_not_found\]\n$/),
  })
  const empty = await lamina(['report', folder])
  expect(empty.err).toContain('oci-layout')
})

test('what the registry does not have or show is read from the engine, with one line', async () => {
  const [missing, hidden] = [`${registry.host}/app:dev`, `${registry.host}/private/app:dev`]
  registry.push('private/app', 'dev', image)
  engine.add(missing, image)
  engine.add(hidden, image)
  for (const name of [missing, hidden]) {
    const { code, out, err } = await lamina(['cat', name, 'hello'])
    expect({ code, out }).toEqual({ code: 0, out: 'from here' })
    expect(err).toMatch(new RegExp(`^lamina: ${name} is read from the Docker Engine: [^\\n]+\\n$`))
  }
  const compared = await lamina(['diff', missing, hidden, '--exit-code'])
  expect(compared.code).toBe(0)
  expect(compared.err.trim().split('\n')).toHaveLength(2)
  const checked = await lamina(['check', missing, '--max-layers', '5', '--format', 'junit'])
  expect(checked).toMatchObject({ code: 0, out: expect.stringContaining('failures="0"') })
})

test('an image of many that are indexed may be in the engine alone', async () => {
  const name = `${registry.host}/indexed:dev`
  engine.add(name, image)
  const nowhere = `${registry.host}/indexed:nowhere`
  const { code, out, err } = await lamina(['index', name, nowhere])
  expect({ code, out }).toEqual({ code: 2, out: `${name}  indexed\n` })
  expect(err.trim().split('\n').sort()).toEqual([
    expect.stringMatching(/^\S+:nowhere {2}.*the Docker Engine does not have it either/),
    `lamina: ${name} is read from the Docker Engine: its registry does not have it`,
  ])
  const only = await lamina(['index', name, '--source', 'registry'])
  expect(only).toMatchObject({ code: 2, out: '' })
})

test('a name without a tag is the latest in the engine, too', async () => {
  engine.add(`${registry.host}/untagged:latest`, image)
  const { code, out } = await lamina(['cat', `${registry.host}/untagged`, 'hello'])
  expect({ code, out }).toEqual({ code: 0, out: 'from here' })
})

test('the engine is asked when the registry cannot be reached', async () => {
  const gone = await FixtureRegistry.start()
  await gone.close()
  const name = `${gone.host}/app:dev`
  engine.add(name, image)
  const { code, out, err } = await lamina(['cat', name, 'hello'])
  expect({ code, out }).toEqual({ code: 0, out: 'from here' })
  expect(err).toBe(`lamina: ${name} is read from the Docker Engine: its registry cannot be reached\n`)
})

test('--source decides where it is read from', async () => {
  registry.push('both', 'dev', makeImage([await makeLayer([{ name: 'hello', content: 'from there' }])]))
  const both = `${registry.host}/both:dev`
  engine.add(both, image)
  expect(await lamina(['cat', both, 'hello'])).toEqual({ code: 0, out: 'from there', err: '' })
  expect(await lamina(['cat', both, 'hello', '--source', 'engine'])).toEqual({
    code: 0,
    out: 'from here',
    err: '',
  })
  const only = await lamina(['cat', `${registry.host}/app:dev`, 'hello', '--source', 'registry'])
  expect(only).toMatchObject({ code: 2, out: '', err: expect.stringContaining('[image_not_found]') })
})

test('a failure names what else was tried', async () => {
  const name = `${registry.host}/app:nowhere`
  expect((await lamina(['report', name])).err).toMatch(
    /the Docker Engine does not have it either \[image_not_found\]\n$/,
  )
  const without = await lamina(['report', name], { DOCKER_HOST: `unix://${folder}/none.sock` })
  expect(without.err).toContain(`no Docker Engine answers at unix://${folder}/none.sock`)
})

test('a registry with its own certificate: refused, trusted with --ca, unchecked with --insecure', async () => {
  const closed = await FixtureRegistry.start({ tls: true })
  try {
    const name = closed.push('app', 'v1', image)
    const file = join(folder, 'ca.pem')
    await writeFile(file, CERTIFICATE)
    const refused = await lamina(['cat', name, 'hello'])
    expect(refused).toMatchObject({ code: 2, out: '' })
    expect(refused.err).toContain(`--ca FILE, or skip the check with --insecure ${closed.host}`)
    expect(await lamina(['cat', name, 'hello', '--no-cache', '--ca', file])).toEqual({
      code: 0,
      out: 'from here',
      err: '',
    })
    const unchecked = await lamina(['cat', name, 'hello', '--no-cache', '--insecure', closed.host])
    expect(unchecked).toMatchObject({ code: 0, out: 'from here' })
    expect(unchecked.err).toBe(
      `lamina: the certificate of ${closed.host} is not checked, and plain HTTP is allowed\n`,
    )
    const wrong = await lamina(['cat', name, 'hello', '--ca', join(folder, 'saved')])
    expect(wrong.err).toContain('no certificate')
  } finally {
    await closed.close()
  }
})
