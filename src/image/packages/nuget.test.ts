import { expect, it } from 'vitest'
import { gather } from '../../../test/support/findings.ts'
import { pathToKey } from '../../text/path.ts'
import { UnreadableDatabase } from './found.ts'
import { readDepsJson } from './nuget.ts'

const KEY = pathToKey('app/server.deps.json')
const TARGET = '.NETCoreApp,Version=v10.0/linux-x64'

async function* read(document: unknown) {
  yield* readDepsJson(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), KEY)
}

it('lists packages and runtime packs, with the files of the target', async () => {
  const document = {
    runtimeTarget: { name: TARGET },
    targets: {
      [TARGET]: {
        'server/1.0.0': { runtime: { 'server.dll': {} } },
        'Newtonsoft.Json/13.0.4': { runtime: { 'lib/net6.0/Newtonsoft.Json.dll': {} } },
        'SQLite/3.50.0': {
          native: { 'runtimes/linux-x64/native/libe_sqlite3.so': {} },
          runtimeTargets: { 'runtimes/win-x64/native/e_sqlite3.dll': {} },
        },
        'Humanizer/3.0.1': { resources: { 'lib/net8.0/fr/Humanizer.resources.dll': { locale: 'fr' } } },
      },
      other: { 'Newtonsoft.Json/13.0.4': { runtime: { 'lib/other/Other.dll': {} } } },
    },
    libraries: {
      'server/1.0.0': { type: 'project' },
      'Newtonsoft.Json/13.0.4': { type: 'package' },
      'SQLite/3.50.0': { type: 'package' },
      'Humanizer/3.0.1': { type: 'package' },
      'runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/10.0.0': { type: 'runtimepack' },
      'System.Local/1.0.0': { type: 'reference' },
    },
  }
  const { packages, files } = await gather(read(document))
  expect(packages.map(({ type, name, version }) => `${type} ${name} ${version}`)).toEqual([
    'nuget Newtonsoft.Json 13.0.4',
    'nuget SQLite 3.50.0',
    'nuget Humanizer 3.0.1',
    'nuget runtimepack.Microsoft.NETCore.App.Runtime.linux-x64 10.0.0',
  ])
  expect(files).toEqual({
    'Newtonsoft.Json': ['app/Newtonsoft.Json.dll'],
    SQLite: ['app/libe_sqlite3.so', 'app/runtimes/win-x64/native/e_sqlite3.dll'],
    Humanizer: ['app/fr/Humanizer.resources.dll'],
  })
})

it('a library without a version has none, and without a target no files', async () => {
  const { packages, files } = await gather(read({ libraries: { bare: { type: 'package' } } }))
  expect(packages).toEqual([{ type: 'nuget', name: 'bare', version: '' }])
  expect(files).toEqual({})
})

it.each([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['libraries that are none', { libraries: ['a/1'] }],
  ['a library that is none', { libraries: { 'a/1': 'package' } }],
])('a file with %s lists nothing', async (_, document) => {
  expect((await gather(read(document))).packages).toEqual([])
})

it('refuses a name that is too long', async () => {
  const libraries = { [`${'a'.repeat(2_000)}/1`]: { type: 'package' } }
  await expect(gather(read({ libraries }))).rejects.toThrow(UnreadableDatabase)
})
