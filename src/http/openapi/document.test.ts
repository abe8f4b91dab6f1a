import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { startApp } from '../../../test/support/app.ts'

type JsonObject = { readonly [key: string]: unknown }

let document: JsonObject

const isNode = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every object of the document, with its path. */
function* nodes(value: unknown, at = '#'): Generator<readonly [at: string, node: JsonObject]> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* nodes(item, `${at}/${index}`)
  } else if (isNode(value)) {
    yield [at, value]
    for (const [key, item] of Object.entries(value)) yield* nodes(item, `${at}/${key.replaceAll('/', '~1')}`)
  }
}

function operations(): (readonly [name: string, operation: JsonObject])[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as JsonObject).map(
      ([method, operation]) => [`${method} ${path}`, operation as JsonObject] as const,
    ),
  )
}

beforeAll(async () => {
  document = await (await startApp().ask('/openapi.json')).json()
})

test("its version is this package's", async () => {
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'))
  expect(document.info).toMatchObject({ version })
})

test('openapi.yaml equals what the service serves', async () => {
  const written = await readFile(new URL('../../../openapi.yaml', import.meta.url), 'utf8')
  expect(await (await startApp().ask('/openapi.yaml')).text()).toBe(written)
  expect(parse(written)).toEqual(document)
})

test('every call of the API is described, and nothing else is', () => {
  expect(operations().map(([name]) => name)).toEqual([
    'get /v1/report',
    'get /v1/files',
    'get /v1/tree',
    'get /v1/file',
    'get /v1/inside',
    'get /v1/export',
    'get /v1/bundle',
    'get /v1/runtime-config',
    'get /v1/sbom',
    'get /v1/waste',
    'get /v1/duplicates',
    'get /v1/packages',
    'get /v1/config',
    'get /v1/dockerfile',
    'get /v1/diff',
    'get /v1/diff/files',
    'get /v1/diff/file',
    'get /v1/update',
    'get /v1/updates',
    'post /v1/updates',
    'get /v1/diff/inside',
    'get /v1/advice',
    'post /v1/advice',
    'get /v1/check',
    'post /v1/check',
    'get /badge/{metric}.svg',
    'get /badge/{metric}.json',
    'get /v1/platforms',
    'get /v1/tags',
    'get /v1/images',
    'get /v1/shared',
    'get /v1/storage',
    'get /v1/sizes',
    'get /v1/compression',
    'get /v1/base',
    'get /v1/attached',
    'get /v1/attached/content',
    'post /v1/analyses',
    'get /v1/analyses/{id}',
    'get /v1/analyses/{id}/events',
    'post /v1/webhooks/{kind}',
    'post /v1/uploads',
    'put /v1/uploads',
    'get /v1/uploads/{id}',
    'delete /v1/uploads/{id}',
    'put /v1/uploads/{id}/parts/{n}',
    'post /v1/uploads/{id}/complete',
    'get /healthz',
    'get /readyz',
    'get /openapi.json',
    'get /openapi.yaml',
  ])
})

test('what calls have in common is written once', () => {
  const uses = operations().flatMap(([, { parameters = [], responses = {} }]) => [
    ...(parameters as unknown[]),
    ...Object.values(responses as object),
  ])
  const inline = uses
    .map((use) => JSON.stringify(use))
    .filter((use) => !use.includes('"$ref":"#/components/'))
  const twice = inline.filter((use, at) => inline.indexOf(use) !== at)
  expect(twice).toEqual([])
  const references = [...nodes(document)].flatMap(([, { $ref }]) => (typeof $ref === 'string' ? [$ref] : []))
  const { parameters, responses } = document.components as { parameters: object; responses: object }
  for (const [kind, components] of Object.entries({ parameters, responses })) {
    for (const name of Object.keys(components)) {
      const used = references.filter((reference) => reference === `#/components/${kind}/${name}`)
      expect(used.length, name).toBeGreaterThan(1)
    }
  }
})

test('the description is smaller than 160 KiB, and a call takes less than 3 KB of it', async () => {
  const written = await (await startApp().ask('/openapi.yaml')).arrayBuffer()
  expect(written.byteLength).toBeLessThan(160 * 1024)
  const long = operations().filter(([, call]) => JSON.stringify(call).length > 3000)
  expect(long.map(([name]) => name)).toEqual([])
})

test('an answer may gain fields, a request may not', () => {
  const closed = [...nodes(document)]
    .filter(([, node]) => node.additionalProperties === false)
    .map(([at]) => at)
  expect(closed).not.toContain('#/components/schemas/Report')
  expect(closed).toContain('#/components/schemas/Policy')
})

test('every parameter has a description', () => {
  const silent = [...nodes(document)].filter(
    ([, node]) => typeof node.in === 'string' && typeof node.name === 'string' && !node.description,
  )
  expect(silent.map(([at]) => at)).toEqual([])
})

test('an optional parameter has no example: the documentation would send it with every call', () => {
  const filled = [...nodes(document)].filter(
    ([, { in: place, required, schema }]) =>
      typeof place === 'string' && required !== true && isNode(schema) && 'example' in schema,
  )
  expect(filled.map(([at]) => at)).toEqual([])
})

test('every example matches its schema', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, 'openapi')
  const wrong: string[] = []
  for (const [at, node] of nodes(document)) {
    const isSchema = 'type' in node && ('example' in node || 'default' in node)
    if (!isSchema) continue
    const validate = ajv.compile({ $ref: `openapi${encodeURI(at)}` })
    for (const value of [node.example, node.default]) {
      if (value !== undefined && !validate(value)) wrong.push(`${at}: ${ajv.errorsText(validate.errors)}`)
    }
  }
  expect(wrong).toEqual([])
})

test('operation names are unique and valid method names', () => {
  const ids = operations().map(([, operation]) => String(operation.operationId))
  expect(ids.filter((id) => !/^[a-z]+(?:[A-Z][a-z]*)+$/.test(id))).toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
})
