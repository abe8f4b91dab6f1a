import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { startApp, type TestApp } from '../../../test/support/app.ts'
import { makeImage, makeLayer, type TestLayer } from '../../../test/support/images.ts'

let registry: FixtureRegistry
let app: TestApp
let image: string
let lower: TestLayer

const BINARY = Uint8Array.of(0, 1, 2, 255)

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  app = startApp({}, { log: () => {} })
  lower = await makeLayer([
    { name: 'etc/motd', content: 'first\n' },
    { name: 'etc/hidden', content: 'hidden\n' },
    { name: 'usr/lib/os-release', content: 'NAME=Test\n' },
    { name: 'bin/tool', content: BINARY },
    { name: 'bin/same', type: 'link', linkname: 'bin/tool' },
  ])
  const upper = await makeLayer([
    { name: 'etc/motd', content: 'second\n' },
    { name: 'etc/.wh.hidden' },
    { name: 'etc/os-release', type: 'symlink', linkname: '../usr/lib/os-release' },
    { name: 'lib', type: 'symlink', linkname: '/usr/lib' },
    { name: 'up', type: 'symlink', linkname: 'lib/../../../etc/motd' },
    { name: 'loop', type: 'symlink', linkname: 'loop' },
    { name: 'outside', type: 'symlink', linkname: '../../../../../etc/passwd' },
    { name: 'bin/<b>"\n.txt', content: 'name' },
  ])
  image = registry.push('files', 'v1', makeImage([lower, upper]))
  await app.ask(`/v1/report?image=${image}&wait=60`)
})

afterAll(() => registry.close())

const read = (more: Record<string, string>, init?: RequestInit) =>
  app.ask(`/v1/file?${new URLSearchParams({ image, ...more })}`, init)

test.each([
  ['etc/motd', 'second\n'],
  ['/etc//motd', 'second\n'],
  ['etc/os-release', 'NAME=Test\n'],
  ['lib/os-release', 'NAME=Test\n'],
  // Resolved as Linux does: through the link, then up from its target.
  ['up', 'second\n'],
])('%s resolves to its file', async (path, content) => {
  const response = await read({ path })
  expect([response.status, await response.text()]).toEqual([200, content])
})

test.each(['etc/hidden', 'etc/nothing', 'loop', 'outside', 'etc', '', 'etc/motd/x'])(
  '%j is not a file of the image',
  async (path) => {
    const response = await read({ path })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ code: 'path_not_found', image })
  },
)

test('a layer shows what later ones hide, and links into lower ones', async () => {
  expect(await (await read({ path: 'etc/motd', layer: '0' })).text()).toBe('first\n')
  expect(await (await read({ path: 'etc/hidden', layer: '0' })).text()).toBe('hidden\n')
  expect(new Uint8Array(await (await read({ path: 'bin/same', layer: '0' })).arrayBuffer())).toEqual(BINARY)
  expect((await read({ path: 'etc/hidden', layer: '1' })).status).toBe(404)
})

test('content is never served as a page, and its file name cannot escape the header', async () => {
  const text = await read({ path: 'bin/<b>"\n.txt' })
  expect(Object.fromEntries(text.headers)).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'content-disposition': `attachment; filename="_b___.txt"; filename*=UTF-8''%3Cb%3E%22%0A.txt`,
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
    'content-length': '4',
  })
  const binary = await read({ path: 'bin/tool' })
  expect(binary.headers.get('content-type')).toBe('application/octet-stream')
})

test("the ETag is the content's hash, and content that the client has is not read", async () => {
  const tag = `"${createHash('sha256').update(BINARY).digest('hex')}"`
  const first = await read({ path: 'bin/tool' })
  expect(first.headers.get('etag')).toBe(tag)
  await first.arrayBuffer()
  registry.forgetRequests()
  const again = await read({ path: 'bin/tool' }, { headers: { 'If-None-Match': tag } })
  const head = await read({ path: 'bin/tool' }, { method: 'HEAD' })
  expect([again.status, head.status, head.headers.get('content-length')]).toEqual([304, 200, '4'])
  expect(registry.count({ path: /blobs/ })).toBe(0)
})

test('a blob that changed is refused or cut off, never served as the old one', async () => {
  const letters = (last: string) => `${'x'.repeat(3_000_000)}${last}`
  const [good, bad] = await Promise.all(
    ['good', 'bad!'].map((word) =>
      makeLayer([
        { name: 'small', content: word.slice(0, 3) },
        { name: 'large', content: letters(word.slice(0, 3)) },
      ]),
    ),
  )
  if (good === undefined || bad?.bytes === undefined) throw new Error('two layers were made')
  const lying = registry.push('lying', 'v1', makeImage([good]))
  await app.ask(`/v1/report?image=${lying}&wait=60`)
  registry.putBlob('lying', bad.bytes, good.descriptor.digest)
  const small = await read({ image: lying, path: 'small' })
  expect([small.status, (await small.json()).code]).toEqual([422, 'invalid_image'])
  const large = await read({ image: lying, path: 'large' })
  expect(large.status).toBe(200)
  await expect(large.text()).rejects.toMatchObject({ code: 'invalid_image' })
})
