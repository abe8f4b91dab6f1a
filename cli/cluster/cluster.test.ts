/** `lamina cluster` against a registry: its questions, its exit code, and invalid input. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../../test/registry/fixture.ts'
import { startApp } from '../../test/support/app.ts'
import { makeImage, makeLayer } from '../../test/support/images.ts'
import { runLamina } from '../../test/support/lamina.ts'
import type { ApiCaller } from '../ask.ts'
import { NO_PROGRESS } from '../progress.ts'
import { readDocuments } from './documents.ts'
import { findImages } from './find-images.ts'
import { summarise } from './summary.ts'
import { inventoryOf } from './uses.ts'
import { writeCluster } from './write-cluster.ts'

const IMAGES = 60
let registry: FixtureRegistry
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-cluster-'))
  registry = await FixtureRegistry.start()
  const base = await makeLayer([{ name: 'base', content: 'x'.repeat(1_000) }])
  for (let n = 0; n < IMAGES; n++)
    registry.push(`app${n}`, 'v1', makeImage([base, await makeLayer([{ name: `own${n}` }])]))
})

afterAll(async () => {
  await registry.close()
  await rm(folder, { recursive: true, force: true })
})

const pod = (name: string, node: string, image: string) => ({
  kind: 'Pod',
  metadata: { name },
  spec: { nodeName: node, containers: [{ name: 'c', image }] },
})

const lamina = (words: readonly string[], stdin: string) =>
  runLamina(
    ['cluster', ...words],
    { HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') },
    new TextEncoder().encode(stdin),
  )

function callerOf(ask: (path: string, init?: RequestInit) => Promise<Response>): ApiCaller {
  return {
    client: { reader: 'command', request: (path, init) => ask(path, init), close: async () => {} },
    headers: {},
    signal: new AbortController().signal,
    progress: NO_PROGRESS,
    watches: false,
  }
}

test('500 pods of 60 images on 50 nodes: each image is read once, from its manifest and config', async () => {
  registry.forgetRequests()
  const items = Array.from({ length: 500 }, (_, n) =>
    pod(`p${n}`, `node-${n % 50}`, `${registry.host}/app${(7 * n) % IMAGES}:v1`),
  )
  const inventory = inventoryOf([{ kind: 'List', items }])
  const find = await findImages(callerOf(startApp().ask), inventory.used, undefined)
  const { total, images } = summarise(inventory, find)
  expect(total).toMatchObject({ images: IMAGES, problems: 0, layers: IMAGES + 1, nodes: 50 })
  expect(images.reduce((sum, { uses }) => sum + uses.length, 0)).toBe(500)
  const paths = registry.requests.map(({ method, path }) => `${method} ${path}`)
  expect(new Set(paths).size).toBe(paths.length)
  expect(paths.length).toBe(3 * IMAGES)
})

test('images that cannot be read are left out of the questions about the others', async () => {
  const names = ['app1:v1', 'gone:v1', 'app2:v1', 'app3:gone'].map((name) => `${registry.host}/${name}`)
  const used = [...names, 'UPPER//x'].map((name) => pod('p', 'n', name))
  const inventory = inventoryOf(used)
  const find = await findImages(callerOf(startApp().ask), inventory.used, undefined)
  const codes = inventory.used.map((image) => {
    const found = find(image)
    return 'problem' in found ? found.problem.code : found.layers
  })
  expect(codes).toEqual([2, 'image_not_found', 2, 'image_not_found', 'invalid_reference'])
})

test('a registry that cannot be reached is not asked for every image', async () => {
  const away = await FixtureRegistry.start()
  await away.close()
  const inventory = inventoryOf(Array.from({ length: 20 }, (_, n) => pod('p', 'n', `${away.host}/app${n}`)))
  const { ask } = startApp()
  let questions = 0
  const counted = (path: string, init?: RequestInit) => {
    questions++
    return ask(path, init)
  }
  const find = await findImages(callerOf(counted), inventory.used, undefined)
  const codes = new Set(inventory.used.map((image) => JSON.stringify('problem' in find(image))))
  expect([questions, [...codes]]).toEqual([2, ['true']])
})

test('the table names what cannot be read, and the exit code is 2', async () => {
  const pods = [pod('a', 'node-a', `${registry.host}/app1:v1`), pod('b', 'node-b', `${registry.host}/gone`)]
  const { code, out, err } = await lamina(
    [],
    JSON.stringify({ kind: 'List', items: [...pods, { kind: 'Secret' }] }),
  )
  expect({ code, err }).toEqual({ code: 2, err: 'lamina: 1 of 2 images cannot be read\n' })
  expect(out).toMatch(
    /app1:v1[\s\S]*gone\n[\s\S]*image_not_found\n[\s\S]*node-a\n[\s\S]*Not read: 1 Secret\n$/,
  )
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
})

test.each(['json', 'ndjson', 'csv'])('%s escapes invisible characters of what the objects say', (format) => {
  const problem = { type: 't', title: 't', status: 400, detail: 'd', code: 'invalid_reference' }
  const inventory = inventoryOf([pod('pod\u202e', 'node\u009b31m', 'UPPER\u200b')])
  const out = [
    ...writeCluster(
      summarise(inventory, () => ({ problem })),
      format,
      { colour: false },
    ),
  ].join('')
  expect(out).not.toMatch(/[\u202e\u009b\u200b]/)
  expect(out).toContain('pod\\u202e')
})

test.each([
  ['nothing', ''],
  ['text', 'hello there'],
  ['half of it', '{"items": ['],
  [
    'YAML with more aliases than anybody writes',
    `a: &a [x]\nb: [${Array.from({ length: 200 }, () => '*a').join()}]\n`,
  ],
  ['what is nested deeper than anything', '['.repeat(100_000)],
])('%s is no cluster', async (_, text) => {
  const file = join(folder, 'input')
  await writeFile(file, text)
  await expect(readDocuments(file)).rejects.toMatchObject({ code: 'invalid_parameter' })
})

test('YAML of several documents is read', async () => {
  const file = join(folder, 'rendered.yaml')
  await writeFile(
    file,
    '# rendered\n---\nkind: Pod\nspec: &spec {containers: [{image: a}]}\n---\nkind: Pod\n',
  )
  expect(await readDocuments(file)).toEqual([
    { kind: 'Pod', spec: { containers: [{ image: 'a' }] } },
    { kind: 'Pod' },
  ])
})

test('documents of YAML are read one at a time, wherever they lie', async () => {
  const file = join(folder, 'many.yaml')
  const names = Array.from({ length: 3_000 }, (_, n) => `${n}-${'☃'.repeat(n % 500)}`)
  const text = names.map((name) => `%YAML 1.2\n---\nkind: Pod\nmetadata: {name: ${name}}\n...\n`).join('')
  await writeFile(file, text)
  expect(Buffer.byteLength(text)).toBeGreaterThan(2 * 1024 * 1024)
  expect(await readDocuments(file)).toEqual(names.map((name) => ({ kind: 'Pod', metadata: { name } })))
})

test('a larger document of YAML is refused, and says that JSON may be larger', async () => {
  const file = join(folder, 'large.yaml')
  await writeFile(file, `kind: Pod\n# ${'x'.repeat(34 * 1024 * 1024)}\n`)
  await expect(readDocuments(file)).rejects.toMatchObject({
    code: 'too_large',
    message: expect.stringContaining('-o json'),
  })
})

test('a file that is not there is named', async () => {
  await expect(readDocuments(join(folder, 'no-such'))).rejects.toMatchObject({
    code: 'input_error',
    message: expect.stringContaining('no-such'),
  })
})

test('more than 1,000 images are too many, before a registry is asked', async () => {
  registry.forgetRequests()
  const inventory = inventoryOf(
    Array.from({ length: 1_001 }, (_, n) => pod('p', 'n', `${registry.host}/app:t${n}`)),
  )
  await expect(findImages(callerOf(startApp().ask), inventory.used, undefined)).rejects.toMatchObject({
    code: 'too_large',
  })
  expect(registry.requests).toEqual([])
})
