import { expect, it } from 'vitest'
import { gather } from '../../../test/support/findings.ts'
import { pathToKey } from '../../text/path.ts'
import { readCondaMeta } from './conda.ts'
import { UnreadableDatabase } from './found.ts'

const KEY = pathToKey('opt/conda/conda-meta/numpy-2.3.5-py313_0.json')

async function* read(document: unknown) {
  yield* readCondaMeta(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), KEY)
}

it('lists the package with its files, which are in the environment', async () => {
  const document = { name: 'numpy', version: '2.3.5', files: ['bin/f2py', 7, '../../etc/x', 'lib/np/a.py'] }
  expect(await gather(read(document))).toEqual({
    packages: [{ type: 'conda', name: 'numpy', version: '2.3.5' }],
    files: { numpy: ['opt/conda/bin/f2py', 'etc/x', 'opt/conda/lib/np/a.py'] },
  })
})

it.each([
  ['no JSON', '{"name":'],
  ['no object', 'null'],
  ['no name', { version: '1' }],
  ['an empty name', { name: '', version: '1' }],
  ['a version that is no text', { name: 'a', version: 1 }],
])('a file with %s lists nothing', async (_, document) => {
  expect((await gather(read(document))).packages).toEqual([])
})

it('a package need not list files', async () => {
  expect((await gather(read({ name: 'a', version: '1', files: 'x' }))).packages).toHaveLength(1)
})

it('refuses a name that is too long', async () => {
  await expect(gather(read({ name: 'a'.repeat(2_000), version: '1' }))).rejects.toThrow(UnreadableDatabase)
})
