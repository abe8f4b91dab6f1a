import { readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../../test/registry/fixture.ts'
import { ask } from '../../test/support/ask.ts'
import { makeImage, makeLayer } from '../../test/support/images.ts'
import { rpmDatabase, rpmHeader } from '../../test/support/rpm.ts'
import { type SpawnedService, spawnService, temporaryData } from '../../test/support/service.ts'
import { assetNames } from '../assets.ts'
import { bundleByContent, bundleNode } from './bundle.ts'

let parent: string
let folder: string
let data: string
let registry: FixtureRegistry
let service: SpawnedService

// Outside this repository's packages: the bundle must contain all it needs.
beforeAll(async () => {
  parent = await temporaryData()
  data = await temporaryData()
  folder = await bundleByContent(parent, bundleNode)
  registry = await FixtureRegistry.start()
  service = await spawnService(new URL('start.js', pathToFileURL(`${folder}/`)), data)
})

afterAll(async () => {
  await registry?.close()
  expect(await service?.end('SIGTERM')).toBe(0)
  for (const made of [parent, data]) if (made !== undefined) await rm(made, { recursive: true })
})

test('the bundle has the code of all threads', async () => {
  const codeOf = (files: readonly string[], end: string) =>
    files.filter((file) => file.endsWith(`-thread${end}`)).map((file) => file.slice(0, -end.length))
  const sources = await readdir(new URL('threads/', import.meta.url))
  expect(codeOf(await readdir(folder), '.js')).toEqual(codeOf(sources, '.ts'))
})

test('the bundle indexes layers on its threads, zstd among them, and reports', async () => {
  const layers = [
    await makeLayer([{ name: 'a', content: 'gzip' }]),
    await makeLayer([{ name: 'b', content: 'zstd' }], { compression: 'zstd' }),
  ]
  const image = registry.push('app', 'v1', makeImage(layers))
  const { status, body } = await ask(service.url, '/v1/report', { query: { image, wait: 60 } })
  expect(status).toBe(200)
  expect(body.layers.map(({ compression }: { compression: string }) => compression)).toEqual(['gzip', 'zstd'])
  expect(body.counts.files).toBe(2)
  expect(await (await fetch(`${service.url}/metrics`)).text()).toContain('lamina_layers_total{how="read"} 2')
})

test('another build leaves the files of a running service alone', async () => {
  const inodes = async () => {
    const names = await readdir(folder, { recursive: true })
    return Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).ino]))
  }
  const before = await inodes()
  expect(await bundleByContent(parent, bundleNode)).toBe(folder)
  expect(await inodes()).toEqual(before)
  expect(await readdir(parent)).toEqual([basename(folder)])
})

test('it reads an SQLite package database', async () => {
  const header = rpmHeader({ 1000: 'r', 1001: '1', 1002: '2', 1022: 'noarch' })
  const database = { name: 'var/lib/rpm/rpmdb.sqlite', content: await rpmDatabase([header]) }
  const image = registry.push('rpm', 'v1', makeImage([await makeLayer([database])]))
  const { status, body } = await ask(service.url, '/v1/packages', { query: { image, wait: 60 } })
  expect(status).toBe(200)
  expect(body.items).toMatchObject([{ type: 'rpm', name: 'r', version: '1-2' }])
})

test('it has every file of the pages and no others', async () => {
  for (const name of assetNames()) expect((await fetch(`${service.url}/assets/${name}`)).status).toBe(200)
  for (const name of ['start.js', '../start.js', '%2e%2e%2fstart.js'])
    expect((await fetch(`${service.url}/assets/${name}`)).status).toBe(404)
})
