/** The diff of a text file, as a patch. */
import { applyPatch } from 'diff'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { makeImage, makeLayer } from '../support/images.ts'

const BEFORE = Buffer.from('one\ncaf\xe9\nthree\n', 'latin1')
const AFTER = Buffer.from('one\nth\xe9\nthree\xff', 'latin1')

let registry: FixtureRegistry
const { ask } = startApp()

beforeAll(async () => {
  registry = await FixtureRegistry.start()
})

afterAll(() => registry?.close())

test('of a file that is not UTF-8 has the bytes of the file, so that it applies', async () => {
  const push = async (tag: string, content: Uint8Array) =>
    registry.push('app', tag, makeImage([await makeLayer([{ name: 'menu.txt', content }])]))
  const query = new URLSearchParams({
    from: await push('v1', BEFORE),
    to: await push('v2', AFTER),
    path: 'menu.txt',
    wait: '60',
  })
  const answer = await ask(`/v1/diff/file?${query}`)
  expect(answer.headers.get('content-type')).toBe('application/octet-stream')
  const patch = Buffer.from(await answer.arrayBuffer())
  expect(patch.includes(Buffer.from('-caf\xe9\n', 'latin1'))).toBe(true)
  const patched = applyPatch(BEFORE.toString('latin1'), patch.toString('latin1'))
  expect(patched).toBe(AFTER.toString('latin1'))
})
