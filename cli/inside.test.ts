/** What one file is made of, asked by the command in its own process. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../test/registry/fixture.ts'
import { makeImage, makeLayer } from '../test/support/images.ts'
import { runLamina } from '../test/support/lamina.ts'
import { zipOf } from '../test/support/zip.ts'

let registry: FixtureRegistry
let folder: string
const images: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-inside-test-'))
  registry = await FixtureRegistry.start()
  for (const text of ['one', 'three']) {
    const inner = zipOf({ 'x.txt': text })
    const outer = zipOf({ README: 'read me', 'lib/a.jar': inner })
    const layer = await makeLayer([{ name: 'opt/app.jar', content: Buffer.from(outer) }])
    images.push(registry.push('app', text, makeImage([layer])))
  }
})

afterAll(async () => {
  await registry.close()
  await rm(folder, { recursive: true, force: true })
})

const lamina = (words: readonly string[]) =>
  runLamina(words, { HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') })

test('inside lists the entries of an archive: largest first as text, whole as JSON and CSV', async () => {
  const [image = ''] = images
  const text = await lamina(['inside', image, 'opt/app.jar'])
  expect({ ...text, out: text.out.split('\n').slice(1, 6) }).toEqual({
    code: 0,
    err: '',
    out: [
      'opt/app.jar: zip, 270 B',
      '',
      ' Size  Kind  Name',
      '111 B  file  lib/a.jar',
      '  7 B  file  README',
    ],
  })
  const json = JSON.parse((await lamina(['inside', image, 'opt/app.jar', '--format', 'json'])).out)
  expect(json).toMatchObject({ path: 'opt/app.jar', kind: 'zip', layer: 0 })
  expect(json.items.map(({ path }: { path: string }) => path)).toEqual(['README', 'lib/a.jar'])
  const nested = await lamina(['inside', image, 'opt/app.jar!/lib/a.jar', '--format', 'csv'])
  expect(nested.out.split('\r\n')[1]).toMatch(/^x\.txt,,file,3,3,/)
})

test('cat takes a file out of an archive inside an archive', async () => {
  const [image = ''] = images
  expect(await lamina(['cat', image, 'opt/app.jar!/lib/a.jar!/x.txt'])).toEqual({
    code: 0,
    err: '',
    out: 'one',
  })
})

test('diff --inside tells which entry of a file changed', async () => {
  const [from = '', to = ''] = images
  const words = ['diff', from, to, '--inside', 'opt/app.jar', '--exit-code']
  expect(await lamina([...words, '--format', 'json'])).toEqual({
    code: 1,
    err: '',
    out: '{"kind":"zip","items":[{"path":"lib/a.jar","change":"modified","fromBytes":111,"toBytes":113,"delta":2}]}\n',
  })
  expect((await lamina(words)).out).toContain('+2 B  113 B  modified  lib/a.jar')
})

test('what is missing or does not fit is an error that says so', async () => {
  const [image = ''] = images
  expect((await lamina(['inside', image])).err).toContain('lamina inside IMAGE PATH')
  expect((await lamina(['diff', image, image, '--files', '--inside', 'opt/app.jar'])).err).toContain(
    'use either --files or --inside',
  )
  expect((await lamina(['diff', image, image, '--of', 'sections'])).err).toContain('--of does not apply')
})
