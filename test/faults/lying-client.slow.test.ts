/**
 * A hostile client: requests to every route in `openapi.yaml`, with any of its parameters, with valid values and values that
 * nobody should send. No answer is a 500, each one matches `openapi.yaml`, and each one ends.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { tries } from '../layers/tries.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { hold } from '../support/ask.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

/** No answer here takes this long: nothing waits for more than a second. */
const BOUND_MILLISECONDS = 60_000
const SECRET = 'the-secret-of-the-webhooks'

const Schema = z.looseObject({
  enum: z.array(z.string()).optional(),
  example: z.unknown().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
})
const Parameter = z.object({ name: z.string(), in: z.string(), schema: Schema })
const Reference = z.object({ $ref: z.string() })
const Operation = z.looseObject({
  parameters: z.array(z.union([Reference, Parameter])).default([]),
  requestBody: z.object({ content: z.record(z.string(), z.unknown()) }).optional(),
})
const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ parameters: z.record(z.string(), Parameter) }),
})

const document = Document.parse(parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')))
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { parameters, requestBody }]) => ({
    path,
    method: method.toUpperCase(),
    parameters: parameters.map((one) => ('$ref' in one ? resolve(one.$ref) : one)),
    types: Object.keys(requestBody?.content ?? {}),
  })),
)

function resolve(reference: string) {
  const found = document.components.parameters[reference.replace('#/components/parameters/', '')]
  if (found === undefined) throw new Error(`openapi.yaml does not have ${reference}`)
  return found
}

const HOSTILE = [
  ...['', ' ', '\0', '\r\nX-Injected: 1', '%', '%00', '%zz', '\ufffd', '\ud800', '\u202e', '😀'.repeat(50)],
  ...['../../../etc/passwd', '/etc/passwd', '..', '.', '//', 'a//b', 'C:\\', '~', 'a'.repeat(5_000)],
  ...[
    'a/'.repeat(500),
    '[',
    '{',
    '{{{{{{',
    '**/'.repeat(80),
    '{a,b}'.repeat(40),
    '?'.repeat(300),
    '[!a-',
    '\\',
  ],
  ...[
    '-1',
    '0',
    '1e309',
    'NaN',
    '9007199254740993',
    '0x10',
    '1.5',
    '+1',
    '١',
    '1_000',
    '999999999999999999999',
  ],
  ...[
    'true',
    'null',
    'undefined',
    '[]',
    '{}',
    '__proto__',
    'constructor',
    'toString',
    "' OR 1=1",
    '<script>',
  ],
  ...['200MB', '10%', '-5%', '101%', '1e3MB', 'MB', '٣MB', '1YiB', 'sha256:', `sha256:${'0'.repeat(64)}`],
  ...[
    'upload:',
    `upload:${'A'.repeat(22)}`,
    'docker-daemon:a',
    'docker-archive:-',
    'oci:/etc',
    'file:///etc',
  ],
  ...[
    '169.254.169.254/a:b',
    'localhost/a',
    '[::1]/a',
    '127.0.0.1:1/a/b:c',
    'a@sha256:0',
    'UPPER/case',
    'a:b:c',
  ],
  ...['linux/amd64', 'linux', 'windows/amd64', '/', 'linux/arm/v8/x', 'linux/../x'],
  ...['application/x-ndjson', 'text/csv', 'text/html', '*/*;q=0', 'q=1;;;', 'image/svg+xml, */*;q=0.1'],
]

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let known: readonly string[]

  beforeAll(async () => {
    registry = await FixtureRegistry.start()
    service = await startService(host, {
      LAMINA_ALLOWED_REGISTRIES: registry.host,
      LAMINA_WEBHOOK_SECRETS: SECRET,
    })
    const image = makeImage([
      await makeLayer([
        { name: 'etc/shown', content: 'shown' },
        { name: 'usr/lib/a', content: 'a' },
      ]),
      await makeLayer([{ name: 'etc/.wh.shown', content: '' }], { compression: 'zstd' }),
    ])
    known = [registry.push('known', 'v1', image), registry.push('known', undefined, image)]
    known = [...known, `${registry.host}/known`, `${registry.host}/unknown:v1`]
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  const hostile = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'grapheme', maxLength: 40 }))
  /** Mostly for a known image, so that more than its name gets checked. */
  const image = fc.oneof(
    { weight: 6, arbitrary: fc.nat(3).map((n) => known[n] ?? '') },
    { weight: 1, arbitrary: hostile },
  )
  const IMAGES = new Set(['image', 'from', 'to', 'baseline', 'baseImage', 'repository'])

  const anyValueOf = ({ name, schema }: z.infer<typeof Parameter>): fc.Arbitrary<string> => {
    if (IMAGES.has(name)) return image
    // Waits for nothing.
    if (name === 'wait') return fc.constantFrom('0', '1', '-1', '1e9', '')
    const { enum: names = [], example, minimum = 0, maximum = 100 } = schema
    const allowed = [
      ...names,
      ...(example === undefined ? [] : [String(example)]),
      `${minimum}`,
      `${maximum}`,
    ]
    return fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...allowed) },
      { weight: 1, arbitrary: fc.constantFrom(`${minimum - 1}`, `${maximum + 1}`) },
      { weight: 2, arbitrary: hostile },
    )
  }

  const headers = fc.record(
    {
      accept: hostile,
      'x-registry-auth': fc.oneof(
        hostile,
        fc.json().map((text) => Buffer.from(text).toString('base64url')),
      ),
      'x-registry-config': fc.oneof(
        hostile,
        fc.json().map((text) => Buffer.from(text).toString('base64url')),
      ),
      'if-none-match': fc.oneof(fc.constant('*'), hostile),
      range: fc.constantFrom('bytes=0-', 'bytes=5-1', 'bytes=a', 'lines=1-2'),
      authorization: fc.oneof(fc.constant(`Bearer ${SECRET}`), hostile),
      'content-encoding': fc.constantFrom('gzip', 'br', 'nonsense'),
      'x-hub-signature-256': hostile,
    },
    { requiredKeys: [] },
  )
  const body = fc.oneof(
    fc.json({ maxDepth: 6 }),
    hostile,
    fc.constantFrom(
      '{"image":',
      '['.repeat(20_000),
      '{"a":'.repeat(5_000),
      `${'&a '.repeat(9)}*a`,
      'a: &a [*a]',
    ),
    fc.record({ image, policy: fc.anything(), dockerfile: hostile }).map((value) => text(value)),
    fc.record({ images: fc.array(fc.record({ image, platform: hostile }), { maxLength: 5 }) }).map(text),
    fc.uint8Array({ maxLength: 2_000 }),
  )

  const request = fc.constantFrom(...operations).chain(({ path, method, parameters, types }) => {
    const values = parameters.map((parameter) =>
      fc.tuple(fc.constant(parameter), fc.array(anyValueOf(parameter), { minLength: 1, maxLength: 2 })),
    )
    const type = fc.oneof(fc.constantFrom('application/json', ...types), hostile)
    return fc.record({
      path: fc.constant(path),
      method: fc.constant(method),
      sent: fc.constantFrom(
        ...(method === 'GET' ? [method, method, method, 'HEAD'] : [method, method]),
        'OPTIONS',
      ),
      given: fc.tuple(...values).chain((all) => fc.subarray(all)),
      unknown: fc.option(fc.tuple(hostile, hostile), { freq: 20 }),
      image,
      headers,
      body: method === 'GET' ? fc.constant(undefined) : body,
      type,
    })
  })

  it('every answer to any request matches the documentation', async () => {
    await fc.assert(
      fc.asyncProperty(
        request,
        async ({ path, method, sent, given, unknown, image: asked, headers, body, type }) => {
          const query = new URLSearchParams()
          let filled = path
          for (const [{ name, in: place }, values] of given) {
            if (place === 'path') filled = filled.replace(`{${name}}`, segment(values[0] ?? ''))
            // Most parameters may be given only once.
            else if (place === 'query')
              for (const value of values.slice(0, name === 'image' ? 2 : 1)) query.append(name, value)
          }
          for (const name of parametersOf(path, method))
            if (IMAGES.has(name) && !query.has(name)) query.set(name, asked)
          if (!query.has('wait') && parametersOf(path, method).has('wait')) query.set('wait', '1')
          if (unknown !== null) query.append(...unknown)
          const answer = await fetch(`${service.url}${filled.replace(/\{\w+\}/, 'x')}?${query}`, {
            method: sent,
            headers: {
              ...sendable(headers),
              ...(body === undefined ? {} : sendable({ 'content-type': type })),
            },
            signal: AbortSignal.timeout(BOUND_MILLISECONDS),
            ...(body === undefined ? {} : { body: typeof body === 'string' ? body : Buffer.from(body) }),
          })
          // A stream may break off, but it ends.
          const said = await answer.text().catch(() => '')
          expect(answer.status, said).not.toBe(500)
          const told = (answer.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''
          // A path that has turned into another route's is of no interest.
          if ((filled !== path && answer.status === 404) || answer.status === 405) return
          // The gate reports a problem in the requested format.
          if (path === '/v1/check' && answer.status >= 400 && answer.status !== 412) return
          if (/json$/.test(told) && said !== '') hold(method, path, answer.status, told, JSON.parse(said))
        },
      ),
      {
        numRuns: tries(400, 30_000),
        interruptAfterTimeLimit: tries(8_000, 400_000),
        markInterruptAsFailure: false,
      },
    )
  })
})

function parametersOf(path: string, method: string): ReadonlySet<string> {
  const found = operations.find((one) => one.path === path && one.method === method)
  return new Set(found?.parameters.map(({ name }) => name))
}

/** A path segment that never means the parent directory. */
function segment(value: string): string {
  return /^\.*$/.test(value) ? 'x' : encodeURIComponent(value.toWellFormed())
}

/** What HTTP can transmit at all. */
function sendable(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const possible = Object.entries(headers).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && /^[\x20-\x7e]*$/.test(entry[1]),
  )
  return Object.fromEntries(possible)
}

function text(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null'
  } catch {
    return 'null'
  }
}
