/** What is attached to an image, asked by the command in its own process. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../test/registry/fixture.ts'
import { digestOf, makeArtifact, makeImage, makeLayer } from '../test/support/images.ts'
import { runLamina } from '../test/support/lamina.ts'

const SPDX = { spdxVersion: 'SPDX-2.3' }
const STATEMENT = JSON.stringify({ predicateType: 'https://spdx.dev/Document', predicate: SPDX })

let registry: FixtureRegistry
let folder: string
let image: string
const digest = digestOf(new TextEncoder().encode(STATEMENT))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-attached-test-'))
  registry = await FixtureRegistry.start({ referrers: true })
  const subject = makeImage([await makeLayer([{ name: 'a', content: 'a' }])])
  const sbom = { mediaType: 'application/vnd.in-toto+json', content: STATEMENT }
  registry.push('app', undefined, makeArtifact([sbom], { subject: subject.descriptor }))
  image = registry.push('app', 'v1', subject)
})

afterAll(async () => {
  await registry.close()
  await rm(folder, { recursive: true, force: true })
})

const lamina = (words: readonly string[]) =>
  runLamina(words, { HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') })

test('the list is a table, and JSON that says whether it is complete', async () => {
  const text = await lamina(['attached', image])
  expect([text.code, text.err]).toEqual([0, ''])
  expect(text.out).toMatch(/^sbom +https:\/\/spdx\.dev\/Document +\d+ B +API$/m)
  expect(text.out).toContain(`\n  ${digest}\n`)
  const json = JSON.parse((await lamina(['attached', image, '--kind', 'sbom', '--format', 'json'])).out)
  expect(json).toMatchObject({ complete: true, verified: false, items: [{ kind: 'sbom', digest }] })
})

test('one item is written as it is stored, or what its statement says to a file', async () => {
  expect(await lamina(['attached', image, digest])).toEqual({ code: 0, err: '', out: STATEMENT })
  const file = join(folder, 'sbom.json')
  await lamina(['attached', image, digest, '--as', 'predicate', '--output', file])
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(SPDX)
})

test('the attached bill of materials takes the place of the own one', async () => {
  const { out } = await lamina(['sbom', image, '--attached', '--format', 'spdx'])
  expect(JSON.parse(out)).toEqual(SPDX)
})

test('what is not attached, and flags that do not fit, are errors that say so', async () => {
  const other = await lamina(['attached', image, digestOf(new Uint8Array())])
  expect([other.code, other.err]).toEqual([2, expect.stringContaining('[not_attached]')])
  const format = await lamina(['attached', image, digest, '--format', 'json'])
  expect([format.code, format.err]).toEqual([2, expect.stringContaining('--format does not apply')])
  const as = await lamina(['attached', image, '--as', 'predicate'])
  expect([as.code, as.err]).toEqual([2, expect.stringContaining('--as does not apply')])
})
