import { afterAll, beforeAll, expect, it } from 'vitest'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { startApp } from '../../../test/support/app.ts'
import {
  makeImage,
  makeIndex,
  makeLayer,
  type TestImage,
  type TestManifest,
} from '../../../test/support/images.ts'

let registry: FixtureRegistry
let reference: string
let image: TestImage
let inner: TestManifest
let outer: TestManifest

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  const layer = await makeLayer([
    { name: 'dir/', mode: 0o755 },
    { name: 'dir/file', content: 'x'.repeat(5_000) },
    { name: 'dir/link', type: 'symlink', linkname: 'file' },
  ])
  image = makeImage([layer, layer])
  inner = makeIndex([[image, { platform: { os: 'linux', architecture: 'amd64' } }]])
  outer = makeIndex([[inner]])
  reference = registry.push('app', 'v1', outer)
})

afterAll(() => registry.close())

const { ask } = startApp()
const path = (query: Record<string, string>, of = '/v1/sizes') =>
  `${of}?${new URLSearchParams({ image: reference, wait: '60', ...query })}`

it('says what each tool shows; a layer that is listed twice counts twice', async () => {
  const { items, image: identity } = await (await ask(path({}))).json()
  expect(identity.digest).toBe(image.descriptor.digest)
  const [manifest, config] = [image.bytes.byteLength, image.config.bytes.byteLength]
  const compressed = 2 * (image.layers[0]?.descriptor.size ?? 0)
  const bytes = Object.fromEntries(
    items.map(({ tool, bytes }: { tool: string; bytes: number }) => [tool, bytes]),
  )
  expect(bytes).toEqual({
    registry: compressed,
    docker: 2 * 5_004,
    containerd: compressed + config + manifest + 2 * 4 * 4_096,
    podman: expect.any(Number),
    cri: compressed + config + manifest + inner.bytes.byteLength + outer.bytes.byteLength,
    dive: 10_000,
  })
  // Tars end in blocks of 512 bytes; each has at least three headers, a file of ten blocks, and two blocks at its end.
  const tars = bytes.podman - config - 2 * manifest - outer.bytes.byteLength
  expect([tars % 1_024, tars >= 2 * 512 * 15]).toEqual([0, true])
})

it.each([
  ['csv', /^tool,what,bytes,exact,explanation\r\nregistry,/],
  ['ndjson', /^\{"tool":"registry"/],
  ['text', /app:v1 \(linux\/amd64\)\n\n +\d+ B {2}registry: /],
  ['markdown', /^### What tools say of `127/],
])('is written as %s', async (format, beginning) => {
  expect(await (await ask(path({ format }))).text()).toMatch(beginning)
})

it('is a page that the report loads', async () => {
  const report = await (await ask(`/?${new URLSearchParams({ image: reference })}`)).text()
  const [, address = ''] = /data-load="(\/sizes[^"]*)"/.exec(report) ?? []
  const page = await (await ask(address.replaceAll('&amp;', '&'))).text()
  expect(page).toMatch(/data-loaded[\s\S]*docker image ls[\s\S]*10\.0 kB/)
})
