/** Random hostile images and registry answers, for the test that both hosts survive them. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { Fault } from '../registry/fault.ts'
import type { FixtureRegistry } from '../registry/fixture.ts'
import {
  digestOf,
  jsonBytes,
  makeImage,
  makeLayer,
  packTar,
  type TestImage,
  type TestMember,
} from '../support/images.ts'
import { endlessRpmDatabase, ndbDatabase, rpmDatabase, rpmHeader } from '../support/rpm.ts'

const HEADER = rpmHeader({ 1000: 'r', 1001: '1', 1002: '2', 1116: [0], 1117: ['r'], 1118: ['/usr/bin/'] })
const HEADERS = [HEADER, new Uint8Array(9_000), HEADER]

/** A package database of each kind, by its path: hostile ones are made of them. */
const DATABASES: Readonly<Record<string, Uint8Array>> = {
  'var/lib/rpm/rpmdb.sqlite': await rpmDatabase(HEADERS),
  'usr/lib/sysimage/rpm/rpmdb.sqlite': await endlessRpmDatabase(),
  'var/lib/rpm/Packages.db': ndbDatabase(HEADERS),
  'var/lib/dpkg/status': Buffer.from('Package: a\nVersion: 1\nStatus: install ok installed\n\n'),
  'var/lib/dpkg/info/a.list': Buffer.from('/.\n/usr\n/usr/bin/a\n'),
  'lib/apk/db/installed': Buffer.from('P:a\nV:1\nA:x\nF:usr\nR:b\n\n'),
  'app/node_modules/a/package.json': Buffer.from('{"name":"a","version":"1.0.0"}'),
  'usr/lib/python3/site-packages/a-1.dist-info/METADATA': Buffer.from('Name: a\nVersion: 1\n'),
  'usr/lib/python3/site-packages/a-1.dist-info/RECORD': Buffer.from('"a ""b""",x,1\n'),
  'app/vendor/composer/installed.json': Buffer.from('{"packages":[{"name":"a/b","version":"1"}]}'),
  'usr/lib/ruby/gems/3.0.0/specifications/a-1.gemspec': Buffer.from('# stub: a 1 ruby lib\n'),
  'etc/os-release': Buffer.from('ID=debian\n'),
}
const PATHS = Object.keys(DATABASES)

/** Bytes changed here and there, and cut off. */
function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(Math.max(0, bytes.length - 1)), fc.nat(255))
  return fc.tuple(fc.array(change, { maxLength: 30 }), fc.nat(4 * bytes.length)).map(([changes, end]) => {
    const copy = Uint8Array.from(bytes.subarray(0, end))
    for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte
    return copy
  })
}

/** The same text repeated, up to a megabyte. */
function repeated(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc.integer({ min: 1, max: 1_000_000 }).map((length) => {
    const copy = Buffer.alloc(length)
    for (let at = 0; at < length; at += bytes.length) copy.set(bytes.subarray(0, length - at), at)
    return copy
  })
}

const stuffed = fc
  .tuple(
    fc.constantFrom('Name:', '"', '{"a":', '[', 'a,', '\\', '# stub: ', 'P:', '%', '\0'),
    fc.constantFrom(' ', '"', '[', '{"a":', ',', '\n', '\r', 'a', '\\', '\u00ff'),
    fc.nat(500_000),
  )
  .map(([head, piece, times]) => Buffer.from(head + piece.repeat(times)))

const name = fc.oneof(
  fc.constantFrom(...PATHS),
  fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }),
  fc.constantFrom(
    '../../etc/passwd',
    '/',
    '.wh..wh..opq',
    'a/.wh.',
    '\u001b[31m',
    '::error::x',
    'a'.repeat(4_000),
  ),
)

const content = fc.oneof(
  fc.constantFrom(...PATHS).chain((path) => {
    const bytes = DATABASES[path] ?? new Uint8Array(0)
    return fc.oneof(damaged(bytes), repeated(bytes))
  }),
  stuffed,
)

const database: fc.Arbitrary<TestMember> = fc.constantFrom(...PATHS).chain((path) => {
  const bytes = DATABASES[path] ?? new Uint8Array(0)
  return fc
    .oneof(damaged(bytes), repeated(bytes), stuffed)
    .map((hostile): TestMember => ({ name: path, content: hostile }))
})
const anything: fc.Arbitrary<TestMember> = fc.record({ name, content })
const link: fc.Arbitrary<TestMember> = fc
  .tuple(name, name, fc.constantFrom('link' as const, 'symlink' as const))
  .map(([from, to, type]) => ({ name: from, linkname: to.slice(0, 90), type }))

type HostileLayer = {
  readonly members: readonly TestMember[]
  readonly compression: 'gzip' | 'zstd' | 'none'
  /** Changes to bytes of the tar or the blob. */
  readonly tarChanges: readonly (readonly [number, number])[]
  readonly blobChanges: readonly (readonly [number, number])[]
  readonly zeros: number
}

const changes = fc.oneof(
  { weight: 4, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 10 }) },
)

const layer: fc.Arbitrary<HostileLayer> = fc.record({
  members: fc.array(fc.oneof({ weight: 3, arbitrary: database }, anything, link), { maxLength: 12 }),
  compression: fc.constantFrom('gzip', 'gzip', 'zstd', 'none'),
  tarChanges: changes,
  blobChanges: changes,
  zeros: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(60_000_000) }),
})

/** Values that replace a field of a manifest or config. */
const odd = fc.oneof(
  fc.constantFrom(
    null,
    0,
    -1,
    1e300,
    '',
    'x',
    [],
    {},
    [null],
    { a: null },
    '9'.repeat(1_000),
    '\u001b[2J::error::',
  ),
  fc.jsonValue({ maxDepth: 3 }),
)
const fields = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.dictionary(
      fc.constantFrom(
        'layers',
        'config',
        'mediaType',
        'schemaVersion',
        'annotations',
        'rootfs',
        'history',
        'os',
        'created',
      ),
      odd,
      { maxKeys: 2 },
    ),
  },
)

const header = fc.constantFrom(
  'content-type',
  'docker-content-digest',
  'content-length',
  'link',
  'www-authenticate',
  'retry-after',
  'location',
  'content-encoding',
)
const headerText = fc.oneof(
  fc.string({ maxLength: 100 }),
  fc
    .tuple(fc.constantFrom('<', '"', ',', ' ', 'Bearer realm="', 'a='), fc.nat(7_000))
    .map(([piece, times]) => piece.repeat(times).slice(0, 7_000)),
)
const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.tuple(header, headerText).map(([key, text]) => ({
    headers: { [key]: text.replace(/[^\x20-\x7e]/g, '?') },
    ...(key === 'www-authenticate' ? { status: 401 } : key === 'location' ? { status: 307 } : {}),
  })),
  fc.constantFrom(200, 204, 206, 301, 400, 401, 403, 404, 418, 500, 503).map((status) => ({ status })),
  fc.nat(2_000).map((resetAfter) => ({ resetAfter })),
  stuffed.map((body) => ({ body })),
)

export type HostileImage = {
  readonly layers: readonly HostileLayer[]
  readonly config: Readonly<Record<string, unknown>>
  readonly manifest: Readonly<Record<string, unknown>>
  readonly faults: readonly { readonly of: 'manifests' | 'blobs' | 'tags'; readonly fault: Fault }[]
  /** What is requested besides its report. */
  readonly glob: string
}

const glob = fc
  .array(fc.constantFrom('*', '**', '?', '/', 'a', '{a,b}', '[a-z]', '**/', '\\', '{', '['), {
    maxLength: 60,
  })
  .map((parts) => parts.join('').slice(0, 256) || 'a')

export const hostileImage: fc.Arbitrary<HostileImage> = fc.record({
  layers: fc.array(layer, { maxLength: 5 }),
  config: fields,
  manifest: fields,
  faults: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.record({ of: fc.constantFrom('manifests' as const, 'blobs' as const, 'tags' as const), fault }),
        { maxLength: 2 },
      ),
    },
  ),
  glob,
})

/** The image itself, which any number of registries can serve. */
export async function makeHostile({ layers, config, manifest }: HostileImage): Promise<TestImage> {
  return makeImage(await Promise.all(layers.map(layerOf)), { config, manifest })
}

/** @returns its reference */
export function pushHostile(
  registry: FixtureRegistry,
  repository: string,
  image: TestImage,
  faults: HostileImage['faults'],
): string {
  for (const { of, fault } of faults)
    registry.fault(
      { path: new RegExp(`/${repository}/${of}/`) },
      fault,
      1 + (digestOf(image.bytes).charCodeAt(9) % 3),
    )
  return registry.push(repository, 'v1', image)
}

async function layerOf({ members, compression, tarChanges, blobChanges, zeros }: HostileLayer) {
  const tar = changed(Buffer.concat([await packTar(members.map(packable)), Buffer.alloc(zeros)]), tarChanges)
  const options = compression === 'gzip' ? { bytes: gzipSync(tar, { level: 1 }) } : { compression }
  const whole = await makeLayer(tar, options)
  const { bytes } = whole
  if (bytes === undefined || blobChanges.length === 0) return whole
  return makeLayer(tar, { bytes: changed(bytes, blobChanges) })
}

function packable({ name, ...member }: TestMember): TestMember {
  return { ...member, name: name === '' ? 'x' : name }
}

function changed(bytes: Uint8Array, list: readonly (readonly [number, number])[]): Uint8Array {
  const copy = Uint8Array.from(bytes)
  for (const [at, byte] of list) if (copy.length > 0) copy[at % copy.length] = byte
  return copy
}

/** Some bytes of JSON that a caller may post. */
export const hostileBody = fc.oneof(
  stuffed,
  odd.map((value) => Buffer.from(jsonBytes(value))),
)
