/** Every format of answers about an image and of problems, by name and by `Accept`. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { makeImage, makeLayer } from '../support/images.ts'

let registry: FixtureRegistry
let app: TestApp
let image: string
/** An image with names that a terminal or a CI acts on. */
let hostile: string
const NAMES = ['two\n::error::lines', 'esc\x1b[31m', 'bell\x07', 'csi\u009b31m', 'rlo\u202egpj.exe']

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  app = startApp()
  const base = await makeLayer([
    { name: '=1+1', content: 'x' },
    { name: 'a,"b"', content: 'x' },
    { name: 'var/cache', content: 'x'.repeat(5000) },
  ])
  const above = await makeLayer([
    { name: 'var/.wh.cache', content: '' },
    { name: '=1+1', content: 'yy' },
  ])
  image = registry.push('app', 'v1', makeImage([base, above]))
  const named = (content: string) => makeLayer(NAMES.map((name) => ({ name, content })))
  hostile = registry.push('app', 'hostile', makeImage([await named('once'), await named('twice')]))
  for (const one of [image, hostile]) await app.ask(`/v1/report?wait=60&image=${one}`)
})

afterAll(() => registry.close())

const LISTS = ['files', 'waste', 'duplicates', 'packages']
const READ = ['report', 'tree', 'waste', 'duplicates', 'packages', 'advice']

test.each(READ)('%s as text and as Markdown', async (route) => {
  for (const [form, type] of [
    ['text', 'text/plain'],
    ['markdown', 'text/markdown'],
  ] as const) {
    const named = await app.ask(`/v1/${route}?image=${image}&format=${form}`)
    expect(named.status).toBe(200)
    expect(named.headers.get('content-type')).toBe(`${type}; charset=utf-8`)
    const body = await named.text()
    expect(body).toContain(image)
    const accepted = await app.ask(`/v1/${route}?image=${image}`, { headers: { Accept: type } })
    expect(await accepted.text()).toBe(body)
  }
  const coloured = await (await app.ask(`/v1/${route}?image=${image}&format=text&color=1`)).text()
  expect(coloured).toContain('\x1b[')
})

test.each(LISTS)('%s as CSV: a header with the fields, one line per item, and no pages', async (route) => {
  const response = await app.ask(`/v1/${route}?image=${image}&format=csv`)
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  const lines = (await response.text()).split('\r\n')
  const { items } = await (await app.ask(`/v1/${route}?image=${image}`)).json()
  expect(lines).toHaveLength(items.length + 2)
  for (const item of items) expect(lines[0]?.split(',')).toEqual(expect.arrayContaining(Object.keys(item)))
  expect((await app.ask(`/v1/${route}?image=${image}&format=csv&limit=1`)).status).toBe(400)
})

test('no CSV cell is a formula, and separators are quoted', async () => {
  const csv = await (await app.ask(`/v1/files?image=${image}&format=csv`)).text()
  expect(csv).toContain(`\r\n'=1+1,`)
  expect(csv).toContain(`\r\n"a,""b""",`)
})

test.each(['files', 'waste', 'duplicates', 'tree', 'report'])(
  'the JSON of %s has no character that a terminal acts on, and means the same',
  async (route) => {
    for (const format of route === 'tree' || route === 'report' ? ['json'] : ['json', 'ndjson']) {
      const accept = format === 'json' ? 'application/json' : 'application/x-ndjson'
      const answer = await app.ask(`/v1/${route}?image=${hostile}`, { headers: { Accept: accept } })
      const text = await answer.text()
      expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]|^\s*::/mu)
      const lines = text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.stringify(JSON.parse(line)))
      for (const name of NAMES) expect(lines.join('\n')).toContain(JSON.stringify(name))
    }
  },
)

test('a CSV cell is exactly the name, a line feed in quotes', async () => {
  const csv = await (await app.ask(`/v1/files?image=${hostile}&format=csv`)).text()
  for (const name of NAMES) expect(csv).toContain(`\r\n${name.includes('\n') ? `"${name}"` : name},`)
})

test('text has the requested width', async () => {
  const narrow = await (await app.ask(`/v1/report?image=${image}&format=text&columns=60`)).text()
  // A digest is copied, so it is whole, on a line of its own.
  const long = narrow.split('\n').filter((line) => line.length > 60)
  expect(long).toEqual([expect.stringMatching(/^sha256:[0-9a-f]{64}$/)])
  expect((await app.ask(`/v1/report?image=${image}&format=text&columns=9`)).status).toBe(400)
})

test('a page of a list as text says that there is more', async () => {
  const page = await (await app.ask(`/v1/waste?image=${image}&format=text&limit=1`)).text()
  expect(page).toMatch(/There are more/)
  expect(await (await app.ask(`/v1/waste?image=${image}&format=text`)).text()).not.toMatch(/There are more/)
})

test('a problem is answered in the requested format; for CSV as JSON', async () => {
  const ask = async (query: string, headers: Record<string, string> = {}) => {
    const response = await app.ask(`/v1/waste?image=${image}x${query}`, { headers })
    expect(response.status).toBe(404)
    return [response.headers.get('content-type'), await response.text()] as const
  }
  expect(await ask('&format=text')).toEqual([
    'text/plain; charset=utf-8',
    expect.stringMatching(/^ERROR {2}Image not found: /),
  ])
  expect(await ask('&format=markdown')).toEqual([
    'text/markdown; charset=utf-8',
    expect.stringMatching(/^### ❌ Image not found\n/),
  ])
  expect((await ask('', { Accept: 'text/markdown' }))[0]).toBe('text/markdown; charset=utf-8')
  expect((await ask('&format=csv'))[0]).toBe('application/problem+json')
  // A client that accepts the media type of problems gets JSON.
  expect((await ask('&format=text', { Accept: 'application/problem+json, */*' }))[0]).toBe(
    'application/problem+json',
  )
})

test('an unknown format is refused', async () => {
  expect((await app.ask(`/v1/waste?image=${image}&format=docx`)).status).toBe(400)
})
