/** What the Node host reports to its operator: a line per request, a line per job, and metrics for Prometheus. */
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { type SpawnedService, spawnService, temporaryData } from '../support/service.ts'

const Line = z.looseObject({ time: z.iso.datetime(), msg: z.string() })

let data: string
let service: SpawnedService
let registry: FixtureRegistry
let good: TestImage
let metrics: ReadonlyMap<string, number>
let requestIds: readonly (string | null)[]

beforeAll(async () => {
  data = await temporaryData()
  ;[service, registry] = await Promise.all([spawnService('node', data), FixtureRegistry.start()])
  const cut = (await makeLayer([{ name: 'cut', content: 'x'.repeat(5_000) }], { compression: 'none' })).bytes
  const shared = await makeLayer([{ name: 'shared', content: 'x'.repeat(1_000) }])
  good = makeImage([shared, await makeLayer([{ name: 'own', content: 'y' }])])
  const next = makeImage([shared])
  const bad = makeImage([await makeLayer(cut?.subarray(0, 1_000) ?? new Uint8Array())])
  const report = (image: string) => ask(service.url, '/v1/report', { query: { image, wait: 60 } })
  const answers = [
    await report(registry.push('good', 'v1', good)),
    await report(registry.push('good', 'v2', next)),
    await report(registry.push('bad', 'v1', bad)),
    await report(`${registry.host}/none:v1`),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 422, 404])
  requestIds = answers.map(({ headers }) => headers.get('x-request-id'))
  metrics = figures(await (await fetch(`${service.url}/metrics`)).text())
})

afterAll(async () => {
  await Promise.all([service?.end('SIGKILL'), registry?.close()])
  await rm(data, { recursive: true, force: true })
})

/** `name{label="value"}` to its value. */
function figures(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.replace(/ [^ ]+$/, ''), Number(line.replace(/.* /, ''))]))
}

function linesOf(pattern: RegExp) {
  const lines = service
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  return lines.map((line) => Line.parse(JSON.parse(line))).filter(({ msg }) => pattern.test(msg))
}

it.each([
  ['lamina_http_requests_total{route="/v1/report",status="200"}', 2],
  ['lamina_http_requests_total{route="/v1/report",status="422"}', 1],
  ['lamina_http_requests_total{route="/v1/report",status="404"}', 1],
  ['lamina_http_request_seconds_count{route="/v1/report"}', 4],
  ['lamina_analyses_total{status="succeeded"}', 2],
  ['lamina_analyses_total{status="failed"}', 1],
  ['lamina_layers_total{how="read"}', 2],
  ['lamina_layers_total{how="reused"}', 1],
  ['lamina_jobs_running', 0],
  ['lamina_jobs_queued', 0],
])('%s is %i', (name, value) => {
  expect(metrics.get(name)).toBe(value)
})

it('counts the bytes that were read and decoded', () => {
  const compressed = good.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
  expect(metrics.get('lamina_registry_bytes_total')).toBe(compressed)
  // Header, content and end of two tars: 1,000 bytes take two blocks.
  expect(metrics.get('lamina_decoded_bytes_total')).toBe(512 + 1_024 + 1_024 + 512 + 512 + 1_024)
})

it('counts operations on the store, including those of the threads', () => {
  const stored = (operation: string) =>
    metrics.get(`lamina_store_operations_total{operation="${operation}"}`) ?? 0
  for (const operation of ['get', 'has', 'put']) expect(stored(operation), operation).toBeGreaterThan(5)
})

it('writes one line per request, under the ID that its answer has', () => {
  const lines = linesOf(/^request$/).filter(({ path }) => path === '/v1/report')
  expect(lines.map(({ id }) => id)).toEqual(requestIds)
  expect(lines.map(({ status }) => status)).toEqual([200, 200, 422, 404])
  expect(lines[0]).toMatchObject({
    method: 'GET',
    images: [`${registry.host}/good:v1`],
    seconds: expect.any(Number),
  })
})

it('writes one line per job, with the reason if it failed', () => {
  expect(linesOf(/^layer/).map(({ msg }) => msg)).toEqual([
    'layer succeeded',
    'layer succeeded',
    'layer failed',
  ])
  const images = linesOf(/^image/)
  expect(images).toMatchObject([
    {
      msg: 'image succeeded',
      place: `${registry.host}/good`,
      layers: 2,
      layersReused: 0,
      digest: good.descriptor.digest,
    },
    { msg: 'image succeeded', place: `${registry.host}/good`, layers: 1, layersReused: 1, bytes: 0 },
    {
      msg: 'image failed',
      place: `${registry.host}/bad`,
      code: 'invalid_image',
      detail: expect.stringContaining('tar'),
    },
  ])
  for (const { seconds } of images) expect(seconds).toBeGreaterThanOrEqual(0)
})

it('writes no ID of an upload, however a request spells it', async () => {
  const id = 'S3cretIdOfAnUpload0123'
  const asked = [
    `/v1/report?image=%20upload:${id}`,
    `/v1/diff?from=Upload:${id}&to=docker://upload:${id}`,
    `/v1/uploads/${id}/`,
    `/files/upload:${id}`,
  ]
  for (const path of asked) await (await fetch(service.url + path)).text()
  const hidden = () => linesOf(/^request$/).filter((line) => JSON.stringify(line).includes('…'))
  await expect.poll(() => hidden().length).toBe(asked.length)
  expect(service.output()).not.toContain(id)
})
