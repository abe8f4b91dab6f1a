/** A command starts fast because it loads only the routes that it may ask. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dockerSave, packArchive } from '../test/support/archives.ts'
import { makeImage, makeLayer } from '../test/support/images.ts'
import { COMPILED } from '../test/support/service.ts'

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))
const RECORDER = new URL('../test/support/loaded-routes.ts', import.meta.url).href
/** Its bill of materials may be one that a builder attached. */
const OF_ONE_IMAGE = [
  'attached-content',
  'config',
  'export',
  'file',
  'files',
  'inside',
  'packages',
  'report',
  'tree',
  'waste',
]

let folder: string
let archive: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-routes-test-'))
  archive = join(folder, 'app.tar')
  const image = makeImage([await makeLayer([{ name: 'a', content: 'a' }])])
  await writeFile(archive, packArchive(dockerSave(image, ['app:v1'])))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function routesOf(...words: readonly string[]): Promise<readonly string[]> {
  const loaded = join(folder, 'loaded')
  const env = {
    PATH: process.env.PATH,
    ...COMPILED,
    HOME: folder,
    XDG_CACHE_HOME: folder,
    LOADED_ROUTES: loaded,
  }
  const child = spawn(process.execPath, ['--import', RECORDER, MAIN, ...words], { env, stdio: 'ignore' })
  expect(await once(child, 'exit')).toEqual([0, null])
  return (await readFile(loaded, 'utf8')).split('\n').filter((name) => !name.endsWith('.schema'))
}

test('a question about one image loads the routes of one image alone', async () => {
  expect(await routesOf('tree', archive)).toEqual(OF_ONE_IMAGE)
})
