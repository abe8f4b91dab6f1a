/**
 * A registry that lies: it refuses, cuts off, delays, changes and mixes up its answers in any order while images are
 * requested. Every answer is right, or a problem that one of the lies explains; nothing wrong is stored; and once the lies
 * end everything is right again.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ProblemCode } from '../../src/problem.ts'
import { tries } from '../layers/tries.ts'
import type { Fault } from '../registry/fault.ts'
import { type FaultMatch, FixtureRegistry } from '../registry/fixture.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { hold } from '../support/ask.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { type Stored, storedIndex } from '../support/stored.ts'

/** Waits are as short as possible: the test is about their order, not their length. */
const QUICK = {
  clock: { now: () => Date.now(), sleep: async () => {}, random: () => 0 },
  timeouts: { idleMilliseconds: 250 },
  policy: { retries: 2, questionMilliseconds: 3_000 },
}
const REPOSITORY = 'lying'
/** Stands for the status of an answer that began well and was cut off. */
const CUT = 0

type Truth = {
  readonly answers: ReadonlyMap<string, string>
  readonly stored: Stored
}

/** Where it lies, and the allowed answers to a lie of each kind there. */
const PLACES = ['manifest', 'config', 'layer', 'token'] as const
type Place = (typeof PLACES)[number]

const REFUSED: Readonly<Record<Place, readonly ProblemCode[]>> = {
  manifest: ['image_not_found'],
  config: ['registry_error'],
  layer: ['layer_unavailable'],
  token: ['registry_error', 'unauthorized'],
}
/** For wrong bytes: some have no digest to check them against, the rest are not such an image. */
const OTHER_BYTES: readonly ProblemCode[] = [
  ...(['not_an_image', 'invalid_image', 'platform_not_found'] as const),
  ...(['registry_error', 'registry_timeout', 'too_large'] as const),
]

type Lie = {
  readonly fault: Fault
  readonly codes: (place: Place) => readonly ProblemCode[]
}

const lie = (fault: Fault, codes: Lie['codes']): Lie => ({ fault, codes })
const unavailable = () => ['registry_error', 'registry_timeout'] as const
const otherBytes = () => OTHER_BYTES
const refused = () => ['unauthorized', 'forbidden_registry', 'registry_error'] as const
const challenge = (text: string): Fault => ({ status: 401, headers: { 'www-authenticate': text } })
const redirect = (location: string): Fault => ({ status: 307, headers: { location } })

const LIES: Readonly<Record<string, Lie>> = {
  unauthorized: lie({ status: 401 }, refused),
  'unauthorized with a strange challenge': lie(challenge('Bearer realm="ftp://[", service=, Basic'), refused),
  'sent to a forbidden token server': lie(challenge('Bearer realm="http://169.254.169.254/token"'), refused),
  forbidden: lie({ status: 403 }, refused),
  'not found': lie({ status: 404 }, (place) => REFUSED[place]),
  'too many requests': lie({ status: 429, headers: { 'retry-after': '1' } }, unavailable),
  'a day of waiting': lie({ status: 429, headers: { 'retry-after': '86400' } }, unavailable),
  broken: lie({ status: 500, body: '<html>' }, unavailable),
  'a status that nobody knows': lie({ status: 299, body: 'odd' }, unavailable),
  'no content': lie({ status: 204 }, unavailable),
  'a range that nobody asked for': lie(
    { status: 206, headers: { 'content-range': 'bytes 7-9/3' }, body: 'abc' },
    unavailable,
  ),
  'sent round in circles': lie(redirect(''), unavailable),
  'sent to a forbidden place': lie(redirect('http://169.254.169.254/latest'), refused),
  'sent nowhere': lie(redirect('http://['), unavailable),
  'cut at once': lie({ resetAfter: 0 }, unavailable),
  'cut in the middle': lie({ resetAfter: 100 }, unavailable),
  'silent after a while': lie({ stallAfter: 50 }, unavailable),
  'silent from the start': lie({ delayMilliseconds: 600 }, unavailable),
  'without end': lie({ endless: true }, otherBytes),
  'too short by its length': lie({ contentLength: 3 }, otherBytes),
  'too long by its length': lie({ contentLength: 1_000_000 }, (place) =>
    place === 'token' ? [...unavailable(), 'too_large'] : unavailable(),
  ),
  empty: lie({ body: '' }, otherBytes),
  nonsense: lie({ body: 'no JSON' }, otherBytes),
  'JSON of another kind': lie({ body: '{"errors":[{"code":7}]}' }, otherBytes),
  'a wrong digest': lie({ headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } }, otherBytes),
  'a digest that is none': lie({ headers: { 'docker-content-digest': 'md5:7' } }, unavailable),
  'without any header': lie(
    { headers: { 'docker-content-digest': null, 'content-type': null } },
    unavailable,
  ),
  'another type': lie({ headers: { 'content-type': 'text/html' } }, otherBytes),
  'packed on the way': lie({ headers: { 'content-encoding': 'gzip' } }, otherBytes),
}

type Model = { codes: Set<ProblemCode>; isLying: boolean }
type Real = { app: TestApp; ask(path: string): Promise<{ status: number; body: string }> }

describe.each(['anonymous', 'with tokens and redirects'])('%s', (kind) => {
  let registry: FixtureRegistry
  let images: readonly [TestImage, TestImage]
  let truths: readonly [Truth, Truth]

  const questions = () => {
    const image = encodeURIComponent(`${registry.host}/${REPOSITORY}:v1`)
    return [
      `/v1/report?image=${image}&wait=60`,
      `/v1/files?image=${image}&wait=60&limit=1000`,
      `/v1/file?image=${image}&wait=60&path=etc/shown`,
      `/v1/export?image=${image}&wait=60`,
      `/v1/config?image=${image}`,
    ]
  }

  const open = (app: TestApp): Real => ({
    app,
    async ask(path) {
      const answer = await app.ask(path)
      // A stream that breaks off is a problem found too late to be named.
      const body = await answer.text().catch(() => undefined)
      if (body === undefined) return { status: CUT, body: '' }
      return { status: answer.status, body }
    },
  })

  async function truthOf(image: TestImage): Promise<Truth> {
    registry.push(REPOSITORY, 'v1', image)
    const { app, ask } = open(startApp())
    const answers = new Map<string, string>()
    for (const path of questions()) {
      const { status, body } = await ask(path)
      expect(status, body).toBe(200)
      answers.set(path, body)
    }
    return { answers, stored: await storedIndex(app.store) }
  }

  async function make(name: string): Promise<TestImage> {
    const status = `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0\n`
    const files = Array.from({ length: 40 }, (_, n) => ({ name: `usr/${n}`, content: `${name} ${n}` }))
    return makeImage([
      await makeLayer([{ name: 'var/lib/dpkg/status', content: status }, ...files], { compression: 'zstd' }),
      await makeLayer([{ name: 'etc/shown', content: name }]),
      await makeLayer([{ name: 'usr/.wh.3', content: '' }], { compression: 'none' }),
    ])
  }

  beforeAll(async () => {
    // Every stream that breaks off is logged.
    vi.spyOn(console, 'error').mockImplementation(() => {})
    registry = await FixtureRegistry.start(
      kind === 'anonymous'
        ? {}
        : { auth: { kind: 'token', username: 'me', password: 'secret' }, redirectBlobs: true },
    )
    images = [await make('first'), await make('other')]
    // The first image is requested last.
    const other = await truthOf(images[1])
    truths = [await truthOf(images[0]), other]
  })

  afterAll(() => registry?.close())

  const blobs = (digests: readonly string[]) => new RegExp(digests.map((digest) => digest.slice(7)).join('|'))
  const matchOf = (place: Place): FaultMatch => {
    const { layers, config } = images[0]
    switch (place) {
      case 'manifest':
        return { path: /\/manifests\// }
      case 'config':
        return { path: blobs([config.descriptor.digest]) }
      case 'layer':
        return { path: blobs(layers.map(({ descriptor }) => descriptor.digest)) }
      case 'token':
        return { server: 'token' }
    }
  }

  type Command = fc.AsyncCommand<Model, Real>
  const tell = (place: Place, name: string, times: number): Command => ({
    check: () => true,
    async run(model) {
      const { fault, codes } = LIES[name] ?? { fault: {}, codes: () => [] }
      registry.fault(matchOf(place), fault, times)
      model.isLying = true
      for (const code of codes(place)) model.codes.add(code)
    },
    toString: () => `${place}: ${name}, ${times} times`,
  })
  /** The tag leads to another image of the repository; the digest beside it may be that of the first. */
  const otherImage = (isHidden: boolean, times: number): Command => ({
    check: () => true,
    async run(model) {
      const { bytes, descriptor } = images[1]
      const headers = { 'docker-content-digest': isHidden ? images[0].descriptor.digest : descriptor.digest }
      registry.fault({ path: /\/manifests\// }, { body: Buffer.from(bytes), headers }, times)
      model.isLying = true
      for (const code of OTHER_BYTES) model.codes.add(code)
    },
    toString: () => `another image${isHidden ? ' by the digest of the first' : ''}, ${times} times`,
  })
  const askFor = (number: number): Command => ({
    check: () => true,
    async run(model, { ask }) {
      const path = questions()[number % questions().length] ?? ''
      const { status, body } = await ask(path)
      if (status === 200) {
        const right = truths.map(({ answers }) => answers.get(path))
        expect(right, `${path}: ${body}`).toContain(body)
        return
      }
      // Caused by a lie, or by a busy machine that pauses for longer than QUICK waits.
      if (status === CUT) return
      const problem = JSON.parse(body)
      // On a busy machine even an honest registry may be silent for longer than QUICK waits.
      expect([...model.codes, 'registry_timeout'], `${path}: ${body}`).toContain(problem.code)
      hold('GET', path.replace(/\?.*/, ''), status, 'application/problem+json', problem)
    },
    toString: () => `ask ${number % questions().length}`,
  })
  const mend: Command = {
    check: () => true,
    async run(model) {
      registry.clearFaults()
      model.isLying = false
    },
    toString: () => 'mend',
  }
  /** Failures are repeated for a minute; a restarted service knows of none. */
  const restart: Command = {
    check: () => true,
    async run(model, real) {
      startAgain(real, startApp({}, { client: QUICK }))
      if (!model.isLying) model.codes.clear()
    },
    toString: () => 'restart',
  }
  function startAgain(real: Real, fresh: TestApp): void {
    for (const [key, bytes] of real.app.store.objects) fresh.store.objects.set(key, bytes)
    Object.assign(real, open(fresh))
  }

  const times = fc.constantFrom(1, 2, 50)
  const commands = fc.commands(
    [
      fc
        .tuple(fc.constantFrom(...PLACES), fc.constantFrom(...Object.keys(LIES)), times)
        .map((parameters) => tell(...parameters)),
      fc.tuple(fc.boolean(), times).map((parameters) => otherImage(...parameters)),
      fc.nat(20).map(askFor),
      fc.nat(20).map(askFor),
      fc.constant(mend),
      fc.constant(restart),
    ],
    { size: '+1' },
  )

  it('whatever it answers, the service answers and stores nothing wrong', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (sequence) => {
        registry.clearFaults()
        const real = open(startApp({}, { client: QUICK }))
        await fc.asyncModelRun(
          () => ({ model: { codes: new Set<ProblemCode>(), isLying: false }, real }),
          sequence,
        )
        registry.clearFaults()
        startAgain(real, startApp())
        for (const path of questions())
          expect(await real.ask(path), path).toEqual({ status: 200, body: truths[0].answers.get(path) })
        expectStored(await storedIndex(real.app.store))
      }),
      { numRuns: tries(30, 3_000), interruptAfterTimeLimit: tries(8_000, 400_000) },
    )
  })

  /** All of the first image, perhaps of the other; of anything else only that it is not an image. */
  function expectStored(stored: Stored): void {
    expect(stored).toMatchObject(truths[0].stored)
    const known = { ...truths[1].stored, ...truths[0].stored }
    for (const [key, digest] of Object.entries(stored)) {
      if (key in known) expect({ [key]: digest }).toEqual({ [key]: known[key] })
      else expect(key).toMatch(/^images\/.*\/image\.json$/)
    }
  }
})
