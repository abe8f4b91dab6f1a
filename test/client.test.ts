/** A client that was generated from `openapi.yaml` compiles, and works. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import openapiTS, { astToString } from 'openapi-typescript'
import ts from 'typescript'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { makeImage, makeLayer, type TestImage, type TestMember } from './images.ts'
import { FixtureRegistry } from './registry/fixture.ts'
import { startService, type TestService } from './service.ts'

const DESCRIPTION = new URL('../openapi.yaml', import.meta.url)
/** Where what is generated stands beside what uses it, within reach of `node_modules`. */
const FOLDER = new URL('../dist/client/', import.meta.url)
const JOURNEY = new URL('journey.ts', FOLDER)

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2024,
  lib: ['lib.es2024.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: [],
  allowImportingTsExtensions: true,
  noEmit: true,
}

type Travel = (baseUrl: string, before: string, after: string) => Promise<unknown>
const journeyModule = z.object({ travel: z.custom<Travel>((value) => typeof value === 'function') })

let registry: FixtureRegistry
let service: TestService

beforeAll(async () => {
  await mkdir(FOLDER, { recursive: true })
  await writeFile(new URL('api.d.ts', FOLDER), astToString(await openapiTS(DESCRIPTION)))
  await copyFile(new URL('client/journey.ts', import.meta.url), JOURNEY)
  registry = await FixtureRegistry.start()
  service = await startService('node')
})

afterAll(() => Promise.all([registry?.close(), service?.stop()]))

async function image(...layers: readonly (readonly TestMember[])[]): Promise<TestImage> {
  return makeImage(await Promise.all(layers.map((layer) => makeLayer(layer))))
}

test('a generated client compiles, and goes from an analysis to a verdict', async () => {
  const program = ts.createProgram([fileURLToPath(JOURNEY)], OPTIONS)
  const errors = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  expect(errors).toEqual([])

  const before = registry.push('app', 'v1', await image([{ name: 'a', content: 'a' }]))
  const pushed = await image(
    [{ name: 'a', content: 'a' }],
    [
      { name: 'b', content: 'b' },
      { name: 'secret.key', content: 's' },
    ],
  )
  const after = registry.push('app', 'v2', pushed)
  const { travel } = journeyModule.parse(await import(JOURNEY.href))
  expect(await travel(service.url, before, after)).toEqual({
    status: 'succeeded',
    digest: pushed.descriptor.digest,
    compressedBytes: pushed.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
    paths: ['a', 'b', 'secret.key'],
    added: 2,
    failing: ['maxLayers', 'deny'],
    problem: 'image_not_found',
  })
})
