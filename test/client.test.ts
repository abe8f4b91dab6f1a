/** Clients generated from `openapi.yaml` compile, and work: types by openapi-typescript, functions by oazapfts. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { generateSource } from 'oazapfts'
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
const NARROWING = new URL('narrowing.ts', FOLDER)

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
const narrowingModule = z.object({ ask: z.custom<Travel>((value) => typeof value === 'function') })
const journeyModule = z.object({ travel: z.custom<Travel>((value) => typeof value === 'function') })

let registry: FixtureRegistry
let service: TestService

beforeAll(async () => {
  await mkdir(FOLDER, { recursive: true })
  await writeFile(new URL('api.d.ts', FOLDER), astToString(await openapiTS(DESCRIPTION)))
  await copyFile(new URL('client/journey.ts', import.meta.url), JOURNEY)
  await writeFile(new URL('oazapfts.ts', FOLDER), await generateSource(fileURLToPath(DESCRIPTION)))
  await copyFile(new URL('client/narrowing.ts', import.meta.url), NARROWING)
  registry = await FixtureRegistry.start()
  service = await startService('node')
})

afterAll(() => Promise.all([registry?.close(), service?.stop()]))

async function image(...layers: readonly (readonly TestMember[])[]): Promise<TestImage> {
  return makeImage(await Promise.all(layers.map((layer) => makeLayer(layer))))
}

function compileErrors(file: URL, options: ts.CompilerOptions = OPTIONS): string[] {
  return ts
    .getPreEmitDiagnostics(ts.createProgram([fileURLToPath(file)], options))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

test('a generated client compiles, and goes from an analysis to a verdict', async () => {
  expect(compileErrors(JOURNEY)).toEqual([])

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

test('a client that oazapfts generates tells a report from an analysis by the status', async () => {
  // The functions do not compile under this option themselves, whatever the description.
  expect(compileErrors(NARROWING, { ...OPTIONS, exactOptionalPropertyTypes: false })).toEqual([])

  const before = registry.push('narrow', 'v1', await image([{ name: 'a', content: 'a' }]))
  const pushed = await image([{ name: 'a', content: 'a' }], [{ name: 'secret.key', content: 's' }])
  const after = registry.push('narrow', 'v2', pushed)
  const { ask } = narrowingModule.parse(await import(NARROWING.href))
  expect(await ask(service.url, before, after)).toEqual({
    compressedBytes: pushed.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
    delta: pushed.layers[1]?.descriptor.size,
    failing: ['maxLayers', 'deny'],
    missing: 'image_not_found',
  })
})
