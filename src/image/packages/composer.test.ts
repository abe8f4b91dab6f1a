import { expect, it } from 'vitest'
import { gather, pieces } from '../../../test/support/findings.ts'
import { readComposerInstalled } from './composer.ts'
import { UnreadableDatabase } from './found.ts'

const PACKAGES = [
  {
    name: 'monolog/monolog',
    version: '3.5.0',
    version_normalized: '3.5.0.0',
    require: { php: '>=8.1' },
    authors: [{ name: 'Jordi "{[" \\', version: 'not this' }],
  },
  { name: 'psr/log', version: 'v3.0.0', extra: { 'branch-alias': { 'dev-master': '3.x-dev' } } },
]

async function read(value: unknown, size?: number) {
  return (await gather(readComposerInstalled(pieces(JSON.stringify(value, null, 4), size)))).packages
}

const FOUND = [
  { type: 'composer', name: 'monolog/monolog', version: '3.5.0' },
  { type: 'composer', name: 'psr/log', version: 'v3.0.0' },
]

it.each([1, 7, 10_000])('lists the packages of version 2, read in pieces of %i bytes', async (size) => {
  const installed = { packages: PACKAGES, dev: true, 'dev-package-names': ['psr/log'] }
  expect(await read(installed, size)).toEqual(FOUND)
})

it('lists those of version 1, but none without name and version', async () => {
  expect(await read(PACKAGES)).toEqual(FOUND)
  expect(await read([{ name: 'a/b' }, { version: '1' }, { name: 1, version: 2 }, [], 'x'])).toEqual([])
  expect(await read({ packages: [] })).toEqual([])
})

it.each([
  ['a truncated file', '{"packages": [{"name": "a/b", "version": "1"}, {"name": "c'],
  ['more closing than opening brackets', ']]'],
  ['an object that is not JSON', '[{"name" "a"}]'],
  ['a package of a megabyte', `[{"name": "${'a'.repeat(1_000_000)}"}]`],
  ['a name that is too long', `[{"name": "${'a'.repeat(10_000)}", "version": "1"}]`],
])('refuses %s', async (_, text) => {
  const reading = gather(readComposerInstalled(pieces(text, 10_000)))
  await expect(reading).rejects.toBeInstanceOf(UnreadableDatabase)
})
