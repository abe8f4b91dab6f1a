/** `node test/fuzz/seeds.ts`: writes the inputs that mutations start from into `corpus/`; findings beside them are kept. */
import { mkdir, writeFile } from 'node:fs/promises'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { arOf } from '../support/ar.ts'
import { dockerSave, ociLayout, packArchive } from '../support/archives.ts'
import { makeChunkedLayer } from '../support/chunked.ts'
import { buildElf } from '../support/elf.ts'
import { goProgram } from '../support/go-program.ts'
import { type GoForm, goTable } from '../support/go-table.ts'
import { jsonBytes, makeImage, makeIndex, makeLayer, packTar } from '../support/images.ts'
import { ndbDatabase, rpmDatabase, rpmHeader } from '../support/rpm.ts'
import { longName, member, pax, tar } from '../support/tar.ts'
import { zipOf } from '../support/zip.ts'

const members = [
  { name: 'usr/lib/', mode: 0o755 },
  { name: 'usr/lib/a', content: 'content of a', pax: { 'SCHILY.xattr.user.note': 'text' } },
  { name: 'usr/lib/b', type: 'symlink', linkname: 'a' },
  { name: 'usr/lib/c', type: 'link', linkname: 'usr/lib/a' },
  { name: 'usr/.wh.gone', content: '' },
] as const
const packed = await packTar(members)
const layer = await makeLayer(members, { compression: 'none' })
const image = makeImage([layer], {
  config: {
    created: '2023-11-14T22:13:20.5Z',
    config: {
      ...{ User: '10:20', Env: ['PATH=/bin', 'A=b c'], Entrypoint: ['/bin/sh', '-c'], Cmd: ['a "b"'] },
      ...{ ExposedPorts: { '80/tcp': {} }, Volumes: { '/data': {} }, WorkingDir: '/srv', Labels: { a: 'b' } },
      ...{ Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000 }, StopSignal: 'SIGTERM' },
    },
    history: [
      { created: '2023-11-14T22:13:20Z', created_by: '/bin/sh -c #(nop) ADD file:0 in /' },
      { created_by: 'RUN |1 A=b /bin/sh -c echo $A # buildkit', empty_layer: true },
    ],
  },
})
const index = makeIndex([[image, { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }]])

const rpm = (name: string) =>
  rpmHeader({
    ...{ 1000: name, 1001: '1.0', 1002: '2', 1003: [3], 1022: 'x86_64' },
    ...{ 1116: [0, 1], 1117: ['a', 'b'], 1118: ['/usr/bin/', '/etc/'] },
  })

/** The tables of an analysed image. */
async function tables(): Promise<Readonly<Record<string, Uint8Array>>> {
  const registry = await FixtureRegistry.start()
  const status = Array.from(
    { length: 4 },
    (_, n) => `Package: p${n}\nStatus: install ok installed\nVersion: ${n}\n`,
  )
  const files = [...members, { name: 'var/lib/dpkg/status', content: status.join('\n') }]
  const reference = registry.push('seeds', 'v1', makeImage([await makeLayer(files)]))
  const { store, ask } = startApp()
  const answer = await ask(`/v1/report?image=${encodeURIComponent(reference)}&wait=60`)
  if (answer.status !== 200) throw new Error(await answer.text())
  await registry.close()
  const found = (name: string) =>
    [...store.objects].find(([key]) => key.endsWith(name))?.[1] ?? new Uint8Array(0)
  return { directories: found('/directories.parquet'), packages: found('/packages.parquet') }
}

const { directories, packages } = await tables()
const chunked = await makeChunkedLayer('estargz', members)
const zstdChunked = await makeChunkedLayer('zstd:chunked', members)

const CONTENTS = {
  version: 1,
  entries: [
    { name: 'usr/', type: 'dir', mode: 493, modtime: '2023-11-14T22:13:20Z' },
    {
      name: 'usr/a',
      type: 'reg',
      size: 10,
      offset: 100,
      digest: `sha256:${'a'.repeat(64)}`,
      chunkDigest: `sha256:${'a'.repeat(64)}`,
    },
    { name: 'usr/a', type: 'chunk', chunkOffset: 5, offset: 200 },
    { name: 'usr/b', type: 'symlink', linkName: 'a', xattrs: { 'user.a': 'AAE=' } },
    { name: 'usr/c', type: 'hardlink', linkName: 'usr/a' },
    { name: 'dev/null', type: 'char', devMajor: 1, devMinor: 3 },
  ],
}

const program = buildElf({
  sections: [
    { name: '.interp', type: 1, flags: 2, data: Buffer.from('/lib/ld.so.1\0') },
    {
      name: '.note.gnu.build-id',
      type: 7,
      flags: 2,
      data: Buffer.from('\x04\0\0\0\x04\0\0\0\x03\0\0\0GNU\0abcd'),
    },
    { name: '.dynstr', type: 3, flags: 2, data: Buffer.from('\0libc.so.6\0') },
    {
      name: '.dynamic',
      type: 6,
      flags: 3,
      link: 3,
      data: Buffer.from('01'.padEnd(16, '0') + '01'.padEnd(16, '0'), 'hex'),
    },
    { name: '.text', type: 1, flags: 6, data: new Uint8Array(64) },
    { name: '.bss', type: 8, flags: 3, size: 1 << 30 },
  ],
  segments: [
    { type: 3, of: '.interp' },
    { type: 1, flags: 5, of: '.text' },
  ],
})
const GO = [
  { name: 'main.main', bytes: 100 },
  { name: 'net/http.(*Client).Do', bytes: 200 },
  { name: 'gopkg.in/yaml%2ev3.F[go.shape.int]', bytes: 30 },
  { name: 'type:.eq.x', bytes: 8 },
]
const goTableIn = (form: GoForm, name: string) =>
  buildElf({ ...form, sections: [{ name, type: 1, flags: 2, data: goTable(GO, form) }] })

const artifact = zipOf({ 'META-INF/maven/org.x/a/pom.properties': 'groupId=org.x\nversion=1\n' })
const EXAMINED = [
  goProgram('go1.26.1', ['mod\tm\tv1.0.0', 'dep\td\tv1.0.0', '=>\te\tv1.1.0'], 40),
  buildElf({
    sections: [
      {
        name: '.dep-v0',
        type: 1,
        data: deflateSync('{"packages":[{"name":"a","version":"1","root":true}]}'),
      },
      { name: '.symtab', type: 2, data: new Uint8Array(24), link: 3 },
      { name: '.strtab', type: 3, data: new Uint8Array(8) },
    ],
  }),
  zipOf(
    { 'META-INF/MANIFEST.MF': 'Bundle-Version: 1\n', 'b.jar': artifact },
    { stored: { 'c.war': artifact } },
  ),
  'node.js/v24.11.1',
  'CONFIG["MAJOR"] = "3"\nCONFIG["MINOR"] = "4"\nCONFIG["TEENY"] = "7"\n',
]

const SEEDS: Readonly<Record<string, readonly (string | Uint8Array)[]>> = {
  tar: [
    packed,
    tar(
      pax({ path: 'p'.repeat(120), size: '3', mtime: '1.5' }),
      member({ name: 'x' }, 'abc'),
      longName('l'.repeat(200)),
      member({ name: 'y', type: '2', link: 'z' }),
    ),
  ],
  layer: [
    packed,
    gzipSync(packed),
    zstdCompressSync(packed),
    Buffer.concat([gzipSync(packed.subarray(0, 1024)), gzipSync(packed.subarray(1024))]),
    chunked.bytes ?? '',
    zstdChunked.bytes ?? '',
  ],
  'zip-listing': [
    zipOf({ 'a/b.txt': 'stored', 'c.txt': 'deflated '.repeat(30), '../d': '' }),
    zipOf({ a: 'a' }, { zip64: 'yes', stub: Buffer.from('#!/bin/sh\n'), comment: Buffer.from('note') }),
  ],
  'tar-entries': [packed],
  ar: (['gnu', 'bsd'] as const).map((names) =>
    arOf(
      [
        { name: 'a.o', content: Buffer.from('abc') },
        { name: 'a-name-of-many-bytes.o', content: Buffer.from('x') },
      ],
      names,
    ),
  ),
  elf: [
    program,
    buildElf({
      class: 32,
      little: false,
      hasHeaders: false,
      segments: [{ type: 1, flags: 5, offset: 0, bytes: 80 }],
    }),
  ],
  'go-functions': [
    goTableIn({ class: 64, little: true }, '.gopclntab'),
    goTableIn({ class: 32, little: false }, '.data.rel.ro'),
  ],
  examine: EXAMINED,
  manifest: [image.bytes, index.bytes, jsonBytes({ schemaVersion: 1, fsLayers: [], history: [] })],
  config: [image.config.bytes],
  archive: [packArchive(ociLayout([{ image, name: 'v1' }])), packArchive(dockerSave(image, ['app:v1']))],
  contents: [jsonBytes(CONTENTS)],
  dpkg: [
    'Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2.0-3\nConffiles:\n /etc/a 00\n\nPackage: b\nStatus: deinstall ok config-files\nVersion: 1\n',
  ],
  'dpkg-list': ['/.\n/usr\n/usr/bin/a\n'],
  'dpkg-sums': [`${'0'.repeat(32)}  usr/bin/a\n`],
  apk: ['C:Q1abc=\nP:musl\nV:1.2-r0\nA:x86_64\nF:lib\nR:libc.so\nZ:Q1\nM:0:0:755\nF:etc\nR:a\n\nP:b\nV:1\n'],
  'rpm-sqlite': [await rpmDatabase([rpm('bash'), rpm('glibc')])],
  'rpm-ndb': [ndbDatabase([rpm('bash'), rpm('glibc')])],
  rpm: [rpm('bash')],
  npm: ['{"name":"@scope/a","version":"1.0.0","license":"MIT","dependencies":{"b":"^1"}}'],
  pypi: ['Metadata-Version: 2.1\nName: A.B_c\nVersion: 1.0\nSummary: x\n  y\n\nbody: text\n'],
  'pypi-record': ['a/__init__.py,sha256=abc,12\n"a,b.py",,\n../../../bin/a,sha256=x,1\n'],
  'pypi-files': ['../a/b.py\nPKG-INFO\n'],
  'os-release': ['NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="13"\nID_LIKE=\'a b\'\n'],
  'parquet-directories': [directories ?? ''],
  'parquet-packages': [packages ?? ''],
  yaml: [
    'maxCompressed: 200MB\ndeny:\n  - "**/.env"\n  - &a a\nignore: *a\n# comment\nbaseline: |\n  x\n',
    'a: {b: [1, 2.5, 0x1f, ~], c: !!str d}\n',
  ],
  json: ['{"maxCompressed":"200MB","deny":["**/.env"],"maxLayers":30,"a":{"b":null}}'],
  'dive-ci': [
    'rules:\n  lowestEfficiency: 0.95\n  highestWastedBytes: 20MB\n  highestUserWastedPercent: 0.20\n',
  ],
  globs: ['usr/**/*.{a,b}\n**/.env\n[!a-c]?\\*\n{usr,etc}/**', '**/**/**/**/x'],
  reference: [
    '127.0.0.1:5000/a/b-c:v1.2',
    `docker.io/library/a@sha256:${'0'.repeat(64)}`,
    'upload:AAAAAAAAAAAAAAAAAAAAAA',
    'oci:/a/b:c',
    'docker pull --platform linux/arm64 nginx:1.27',
    'https://hub.docker.com/r/grafana/grafana/tags?name=1.2',
  ],
  platform: ['linux/arm/v7', 'windows/amd64'],
  size: ['200MB', '1.5GiB', '10%'],
  'registry-auth': [Buffer.from('{"username":"a","password":"b","serveraddress":"c"}').toString('base64url')],
  'docker-config': [
    '{"auths":{"https://index.docker.io/v1/":{"auth":"YTpi"},"a:5000":{"identitytoken":"x"}}}',
  ],
  diff: ['a\nb\nc\nd\n'.repeat(8) + 'a\nx\nc\n'.repeat(9)],
}

for (const [name, seeds] of Object.entries(SEEDS)) {
  const folder = new URL(`corpus/${name}/`, import.meta.url)
  await mkdir(folder, { recursive: true })
  for (const [n, seed] of seeds.entries()) await writeFile(new URL(`seed-${n}`, folder), seed)
}
