/** What is attached to an image, through the service and registries with and without the referrers API. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { openImage } from '../../src/open/open-image.ts'
import { listAttached } from '../../src/service/attached/list.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { ociLayout, packArchive } from '../support/archives.ts'
import {
  makeArtifact,
  makeImage,
  makeIndex,
  makeLayer,
  type TestImage,
  type TestManifest,
} from '../support/images.ts'

const SPDX = 'application/spdx+json'
const SLSA = 'https://slsa.dev/provenance/v1'
const IN_TOTO = 'application/vnd.in-toto+json'
const LINUX = { platform: { os: 'linux', architecture: 'amd64' } }
const LOGIN = Buffer.from(JSON.stringify({ username: 'me', password: 'secret' })).toString('base64url')

let registry: FixtureRegistry
/** Without the API. */
let old: FixtureRegistry
let app: TestApp

beforeAll(async () => {
  registry = await FixtureRegistry.start({ referrers: true, pageSize: 2 })
  old = await FixtureRegistry.start({ auth: { kind: 'basic', username: 'me', password: 'secret' } })
  app = startApp()
})
afterAll(() => Promise.all([registry.close(), old.close()]))
afterEach(() => registry.clearFaults())

let images = 0

async function newImage(): Promise<TestImage> {
  return makeImage([await makeLayer([{ name: 'f', content: `image ${images++}` }])])
}

function note(content: string, more: Readonly<Record<string, unknown>> = {}): TestManifest {
  return makeArtifact([{ mediaType: 'text/plain', content }], more)
}

/** The tags of what is attached begin with this. */
const tagOf = ({ descriptor }: TestManifest) => descriptor.digest.replace(':', '-')

/** Attached by the index, the API in two pages, the fallback tag, and cosign's tag. */
async function pushed() {
  const image = await newImage()
  const subject = image.descriptor
  const statement = { mediaType: IN_TOTO, annotations: { 'in-toto.io/predicate-type': SLSA } }
  const attestation = makeArtifact([{ ...statement, content: `{"of":"${subject.digest}"}` }])
  const says = {
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': subject.digest,
    },
  }
  const index = makeIndex([
    [image, LINUX],
    [attestation, says],
  ])
  const sbom = makeArtifact([{ mediaType: SPDX, content: '{"spdxVersion":"SPDX-2.3"}' }], { subject })
  const notes = ['2026-01-01', '2026-01-02'].map((day) =>
    note(day, { subject, annotations: { 'org.opencontainers.image.created': `${day}T00:00:00Z` } }),
  )
  const ofIndex = note('of the index', { subject: index.descriptor })
  // Without a subject, which the API would find.
  const onlyTagged = note(`only in the tag of ${subject.digest}`)
  const signature = makeArtifact([{ mediaType: 'text/plain', content: 'signed' }])
  return { image, index, attestation, sbom, notes, ofIndex, onlyTagged, signature }
}

type Pushed = Awaited<ReturnType<typeof pushed>>

/** @returns the reference */
function push(to: FixtureRegistry, repository: string, of: Pushed, api = true): string {
  const listed = [of.sbom, ...of.notes]
  for (const one of api ? [...listed, of.ofIndex] : [...listed, of.onlyTagged])
    to.push(repository, undefined, one)
  // A tag that lists all of them: what the API lists, too, counts once.
  const fallback = makeIndex([...listed, of.onlyTagged].map((one) => [one] as const))
  to.push(repository, tagOf(of.image), fallback)
  to.push(repository, `${tagOf(of.image)}.sig`, of.signature)
  return to.push(repository, '1', of.index)
}

async function ask(query: Record<string, string>, headers: Record<string, string> = {}) {
  const answer = await app.ask(`/v1/attached?${new URLSearchParams(query)}`, { headers })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.endsWith('json')
  return { status: answer.status, headers: answer.headers, text, body: isJson ? JSON.parse(text) : undefined }
}

type Shown = { readonly kind: string; readonly source: string; readonly manifest: string }

const shownOf = (items: readonly Shown[]) =>
  items.map(({ kind, source, manifest }) => [kind, source, manifest])
const row = (kind: string, source: string, { descriptor }: TestManifest) => [kind, source, descriptor.digest]

it('lists what the index, the API and the tags name, each manifest once and in order', async () => {
  const of = await pushed()
  const image = push(registry, 'all', of)
  const { status, body } = await ask({ image })
  expect(status).toBe(200)
  // Registries list in any order; without a time the manifest's digest decides.
  const undated = [row('other', 'referrers', of.ofIndex), row('other', 'tag', of.onlyTagged)]
  undated.sort(([, , a = ''], [, , b = '']) => (a < b ? -1 : 1))
  expect(shownOf(body.items)).toEqual([
    row('sbom', 'referrers', of.sbom),
    row('provenance', 'index', of.attestation),
    row('signature', 'tag', of.signature),
    row('other', 'referrers', of.notes[1] ?? of.sbom),
    row('other', 'referrers', of.notes[0] ?? of.sbom),
    ...undated,
  ])
  expect(body).toMatchObject({
    image: { digest: of.image.descriptor.digest },
    subjects: [of.image.descriptor.digest, of.index.descriptor.digest],
    complete: true,
    verified: false,
  })
  expect(body.problems).toBeUndefined()
  const [sbom] = body.items
  expect(sbom).toEqual({
    kind: 'sbom',
    source: 'referrers',
    mediaType: SPDX,
    digest: [...of.sbom.blobs.keys()][1],
    bytes: 26,
    platform: 'linux/amd64',
    manifest: of.sbom.descriptor.digest,
    subject: of.image.descriptor.digest,
  })
  const { platform } = body.items.find((item: Shown) => item.manifest === of.ofIndex.descriptor.digest)
  expect(platform).toBeUndefined()
})

it('asks each subject for its pages and four tags, and each manifest once', async () => {
  const image = push(registry, 'few', await pushed())
  registry.forgetRequests()
  await ask({ image })
  const asked = registry.requests.map(({ method, path }) => `${method} ${path}`)
  expect(asked.filter((one) => one.includes('/referrers/'))).toHaveLength(3)
  expect(asked.filter((one) => one.includes('/manifests/sha256-'))).toHaveLength(8)
  expect(new Set(asked).size).toBe(asked.length)
  expect(registry.count({ path: /\/blobs\// })).toBe(1)
})

it('a registry without the API has the fallback tag, and the list is complete', async () => {
  const of = await pushed()
  const image = push(old, 'all', of, false)
  const { body } = await ask({ image }, { 'X-Registry-Auth': LOGIN })
  expect(body.complete).toBe(true)
  expect(new Set(body.items.map(({ source }: Shown) => source))).toEqual(new Set(['index', 'tag']))
  expect(body.items).toHaveLength(6)
})

it('every question has the credentials of the caller, and without them nothing is told', async () => {
  const image = push(old, 'private', await pushed(), false)
  expect((await ask({ image }, { 'X-Registry-Auth': LOGIN })).status).toBe(200)
  old.forgetRequests()
  const { status, body } = await ask({ image })
  expect([status, body.code]).toEqual([401, 'unauthorized'])
  expect(old.count({ status: 200 })).toBe(0)
})

it('what a list names but another manifest owns is not attached', async () => {
  const image = await newImage()
  const stranger = note('of another', { subject: (await newImage()).descriptor })
  registry.push('stranger', undefined, stranger)
  registry.push('stranger', tagOf(image), makeIndex([[stranger]]))
  const { body } = await ask({ image: registry.push('stranger', '1', image) })
  expect([body.items, body.complete]).toEqual([[], true])
})

it('a fallback tag that is the image itself names nothing', async () => {
  const image = await newImage()
  registry.push('itself', tagOf(image), image)
  const { body } = await ask({ image: registry.push('itself', '1', image) })
  expect([body.items, body.complete]).toEqual([[], true])
})

const FAULTS = {
  'an error': { status: 403 },
  'a page for people': { body: '<!doctype html><title>Sign in</title>' },
  'a page on another host': {
    headers: { link: '<http://127.0.0.2:1/v2/x/referrers/y?n=1>; rel="next"' },
    body: '{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
  },
} as const

for (const [what, fault] of Object.entries(FAULTS))
  it(`with ${what} from the API the list says that it is incomplete, in each form`, async () => {
    const of = await pushed()
    const image = push(registry, 'broken', of)
    const path = /\/referrers\//
    registry.fault({ path }, fault, 100)
    const { body, headers } = await ask({ image })
    expect([body.complete, headers.get('cache-control')]).toEqual([false, 'private, no-cache'])
    expect(body.problems).toMatchObject([{ source: 'referrers' }])
    const tagged = body.items.filter(({ source }: Shown) => source === 'tag')
    expect(tagged).toHaveLength(5)
    for (const format of ['csv', 'ndjson']) {
      const refusal = await ask({ image, format })
      expect([refusal.status, refusal.body.code]).toEqual([502, 'registry_error'])
    }
    for (const format of ['text', 'markdown'])
      expect((await ask({ image, format })).text).toMatch(/list is incomplete.*referrers API/s)
  })

it('a registry that does not answer costs its own limit, and what others say is listed', async () => {
  const of = await pushed()
  const reference = push(registry, 'silent', of)
  const answered = Promise.withResolvers<void>()
  registry.fault({ path: /\/referrers\// }, { until: answered.promise }, 100)
  const signal = new AbortController().signal
  const image = await openImage(app.service, { reference, credentials: { for: () => undefined }, signal })
  const time = { eachMilliseconds: 1_000, allMilliseconds: 60_000 }
  const attached = await listAttached(app.service, image, { signal, time })
  answered.resolve()
  expect(attached.complete).toBe(false)
  expect(attached.problems).toMatchObject([{ source: 'referrers', problem: { code: 'registry_timeout' } }])
  expect(attached.items.filter(({ source }) => source === 'tag')).toHaveLength(5)
})

it('a manifest that is gone, or has other bytes, leaves the list incomplete', async () => {
  const image = await newImage()
  const gone = note('gone', { subject: image.descriptor })
  registry.push('gone', tagOf(image), {
    ...makeIndex([[gone]]),
    children: [],
  })
  const { body } = await ask({ image: registry.push('gone', '1', image) })
  expect([body.items, body.complete, body.problems]).toMatchObject([[], false, [{ source: 'tag' }]])
})

it('at most 200 manifests are read, and more are a problem', async () => {
  const image = await newImage()
  const crowd = Array.from({ length: 201 }, (_, i) => note(`${i}`, { subject: image.descriptor }))
  registry.push('crowd', tagOf(image), makeIndex(crowd.map((one) => [one] as const)))
  const reference = registry.push('crowd', '1', image)
  // The API alone would lead to them in 101 pages.
  registry.fault({ path: /\/referrers\// }, { status: 404 }, 100)
  const { body } = await ask({ image: reference, limit: '1000' })
  expect(body.items).toHaveLength(200)
  expect(body.problems).toMatchObject([{ source: 'tag', code: 'too_large' }])
})

it('pages continue where the last one ended, though something was attached meanwhile', async () => {
  const image = await newImage()
  const { descriptor: subject } = image
  const created = (day: number) => ({
    subject,
    annotations: { 'org.opencontainers.image.created': `2026-01-0${day}T00:00:00Z` },
  })
  const first = [note('one', created(1)), note('two', created(2)), note('three', created(3))]
  for (const one of first) registry.push('pages', undefined, one)
  const reference = registry.push('pages', '1', image)
  const page = (await ask({ image: reference, limit: '2' })).body
  registry.push('pages', undefined, note('four', created(4)))
  const rest = (await ask({ image: reference, limit: '2', cursor: page.nextCursor })).body
  expect(shownOf([...page.items, ...rest.items]).map(([, , digest]) => digest)).toEqual(
    first.toReversed().map(({ descriptor }) => descriptor.digest),
  )
  expect(rest.nextCursor).toBeUndefined()
  const other = await ask({ image: reference, limit: '2', kind: 'sbom', cursor: page.nextCursor })
  expect([other.status, other.body.parameter]).toEqual([400, 'cursor'])
})

it('kind filters, and another word is refused', async () => {
  const image = push(registry, 'kinds', await pushed())
  const query = new URLSearchParams({ image })
  for (const kind of ['sbom', 'signature']) query.append('kind', kind)
  const { items } = await (await app.ask(`/v1/attached?${query}`)).json()
  expect(items.map(({ kind }: Shown) => kind)).toEqual(['sbom', 'signature'])
  const { status, body } = await ask({ image, kind: 'signatures' })
  expect([status, body.parameter]).toEqual([400, 'kind'])
})

it('text and Markdown name each item whole and say that nothing is verified', async () => {
  const of = await pushed()
  const image = push(registry, 'text', of)
  for (const format of ['text', 'markdown']) {
    const { text } = await ask({ image, format })
    expect(text).toMatch(/Nothing is verified/)
    for (const { blobs } of [of.sbom, of.attestation]) expect(text).toContain([...blobs.keys()][1])
    expect(text).not.toContain('incomplete')
  }
})

it('an archive has what its index lists', async () => {
  const of = await pushed()
  const archive = packArchive(ociLayout([{ image: of.index, name: 'v1' }]))
  const body = new Blob([Buffer.from(archive)])
  const upload = await (await app.ask('/v1/uploads', { method: 'PUT', body })).json()
  expect(upload).toHaveProperty('images')
  const [{ reference }] = upload.images
  const { body: found } = await ask({ image: reference })
  expect([shownOf(found.items), found.complete]).toEqual([[row('provenance', 'index', of.attestation)], true])
})
