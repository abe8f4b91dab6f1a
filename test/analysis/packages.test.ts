/** `/v1/packages` through HTTP: every kind of database on both hosts; rpm's uses the WASM that the host has compiled. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer, type TestLayer, type TestMember } from '../support/images.ts'
import { rpmDatabase, rpmHeader } from '../support/rpm.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const RPM = {
  1000: 'r',
  1001: '1',
  1002: '2',
  1003: [3],
  1022: 'noarch',
  1116: [0],
  1117: ['r'],
  1118: ['/usr/sbin/'],
}

type Shown = { readonly name: string; readonly path?: string; readonly layer: number }

const PARAGRAPH = 'Status: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n'

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([startService(host), FixtureRegistry.start()])
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  it('lists what each database has, with the layer that added it and its bytes', async () => {
    const base = await makeLayer([
      { name: 'usr/lib/os-release', content: 'ID=fedora\n' },
      { name: 'var/lib/rpm/rpmdb.sqlite', content: await rpmDatabase([rpmHeader(RPM)]) },
      { name: 'usr/sbin/r', content: '7 bytes' },
      { name: 'sbin', type: 'symlink', linkname: 'usr/sbin' },
      { name: 'var/lib/dpkg/status', content: `Package: a\n${PARAGRAPH}\nPackage: gone\n${PARAGRAPH}` },
      { name: 'var/lib/dpkg/info/a.list', content: '/.\n/sbin\n/sbin/a\n' },
      { name: 'usr/sbin/a', content: 'of dpkg' },
    ])
    const top = await makeLayer([
      { name: 'var/lib/dpkg/status', content: `Package: a\n${PARAGRAPH}` },
      { name: 'app/node_modules/@s/n/package.json', content: '{"name":"@s/n","version":"2.0.0"}' },
      { name: 'venv/p-1.dist-info/METADATA', content: 'Name: P_p\nVersion: 1\n' },
      { name: 'venv/p-1.dist-info/RECORD', content: 'p.py,,\n' },
      { name: 'venv/p.py', content: '123' },
      { name: 'lib/apk/db/installed', content: 'P:k\nV:1-r0\nA:x86_64\nF:etc\nR:k\n' },
    ])
    const image = registry.push('app', 'v1', makeImage([base, top]))
    const { status, body } = await ask(service.url, '/v1/packages', { query: { image, wait: 60 } })
    expect(status).toBe(200)
    expect(body.items).toEqual([
      {
        type: 'apk',
        name: 'k',
        version: '1-r0',
        architecture: 'x86_64',
        purl: 'pkg:apk/fedora/k@1-r0?arch=x86_64',
        bytes: 0,
        layer: 1,
      },
      {
        type: 'deb',
        name: 'a',
        version: '1.0-1',
        architecture: 'amd64',
        purl: 'pkg:deb/fedora/a@1.0-1?arch=amd64',
        bytes: 7,
        layer: 0,
      },
      {
        type: 'npm',
        name: '@s/n',
        version: '2.0.0',
        purl: 'pkg:npm/%40s/n@2.0.0',
        bytes: 33,
        path: 'app/node_modules/@s/n/package.json',
        layer: 1,
      },
      {
        type: 'pypi',
        name: 'P_p',
        version: '1',
        purl: 'pkg:pypi/p-p@1',
        bytes: 3,
        path: 'venv/p-1.dist-info/METADATA',
        layer: 1,
      },
      {
        type: 'rpm',
        name: 'r',
        version: '3:1-2',
        architecture: 'noarch',
        purl: 'pkg:rpm/fedora/r@1-2?arch=noarch&epoch=3',
        bytes: 7,
        layer: 0,
      },
    ])
    const owners = async (owns: string) => {
      const { body } = await ask(service.url, '/v1/packages', { query: { image, owns, wait: 60 } })
      return body.items?.map(({ name }: Shown) => name)
    }
    expect(
      await Promise.all(['usr/sbin/a', '/usr/sbin/r', 'venv/p.py', 'sbin', 'nothing'].map(owners)),
    ).toEqual([['a'], ['r'], ['P_p'], [], []])
  })

  it('lists packages at each path if their databases are hard links to files with other names', async () => {
    const link = (name: string, linkname: string): TestMember => ({ name, type: 'link', linkname })
    const json = (name: string) => `{"name":"${name}","version":"1.0.0"}`
    const base = await makeLayer([
      { name: '.store/dpkg', content: `Package: a\n${PARAGRAPH}` },
      { name: '.store/old', content: json('old') },
      { name: '.store/old', content: json('new') },
      { name: '.store/q', content: json('q') },
      { name: '.store/unused', content: json('unused') },
      link('.store/q2', '.store/q'),
      link('app/node_modules/new/package.json', '.store/old'),
      link('app/node_modules/q/package.json', '.store/q2'),
      link('lib/node_modules/q/package.json', '/.store/q'),
      link('lib/node_modules/q3/package.json', 'lib/node_modules/q/package.json'),
      link('var/lib/dpkg/status', '.store/dpkg'),
      { name: 'z/node_modules/own/package.json', content: json('own') },
    ])
    // The target sorts after its links, and the tar has it first.
    const top = await makeLayer([
      { name: 'zz/store', content: json('late') },
      link('b/node_modules/late/package.json', 'zz/store'),
    ])
    const plain = await makeLayer([
      { name: 'c/node_modules/first/package.json', content: json('first') },
      link('c/node_modules/second/package.json', 'c/node_modules/first/package.json'),
    ])
    const image = registry.push('linked', 'v1', makeImage([base, top, plain]))
    registry.forgetRequests()
    const { body } = await ask(service.url, '/v1/packages', { query: { image, wait: 60 } })
    expect(body.items?.map(({ name, path, layer }: Shown) => [name, path ?? '', layer])).toEqual([
      ['a', '', 0],
      ['first', 'c/node_modules/first/package.json', 2],
      ['first', 'c/node_modules/second/package.json', 2],
      ['late', 'b/node_modules/late/package.json', 1],
      ['new', 'app/node_modules/new/package.json', 0],
      ['own', 'z/node_modules/own/package.json', 0],
      ['q', 'app/node_modules/q/package.json', 0],
      ['q', 'lib/node_modules/q/package.json', 0],
      ['q', 'lib/node_modules/q3/package.json', 0],
    ])
    const report = await ask(service.url, '/v1/report', { query: { image } })
    expect(report.body.warnings).toEqual([{ code: 'duplicateEntry', count: 1, layer: 0, path: '.store/old' }])
    // A layer is read once if its links need no other name.
    const times = ({ descriptor }: TestLayer) => registry.count({ path: new RegExp(descriptor.digest) })
    expect([base, top, plain].map(times)).toEqual([2, 2, 1])
    // Their content is stored with the layer, for the next image that has it.
    const next = registry.push('linked', 'v2', makeImage([base, await makeLayer([{ name: 'v2' }])]))
    const { packages } = (await ask(service.url, '/v1/report', { query: { image: next, wait: 60 } })).body
    expect([packages.byType, times(base)]).toEqual([{ deb: 1, npm: 5 }, 2])
  })

  it('lists packages whose databases are hard links to files with other names in lower layers', async () => {
    const link = (name: string, linkname: string): TestMember => ({ name, type: 'link', linkname })
    const json = (name: string) => `{"name":"${name}","version":"1.0.0"}`
    const store = await makeLayer([
      { name: '.pnpm-store/1', content: json('one') },
      { name: '.pnpm-store/2', content: json('two') },
      { name: '.pnpm-store/3', content: json('three') },
      { name: '.pnpm-store/unused', content: json('unused') },
    ])
    const changed = await makeLayer([
      { name: '.pnpm-store/2', content: json('newer two') },
      { name: '.pnpm-store/wide', content: '{"name":"wide","version":"2.0.0"}' },
    ])
    const app = await makeLayer([
      link('app/node_modules/three/package.json', '.pnpm-store/3'),
      link('app/node_modules/one/package.json', '.pnpm-store/1'),
      link('app/node_modules/one-again/package.json', 'app/node_modules/one/package.json'),
      link('app/node_modules/two/package.json', '.pnpm-store/2'),
      link('app/node_modules/wide/package.json', '.pnpm-store/wide'),
    ])
    const image = registry.push('stored', 'v1', makeImage([store, changed, app]))
    registry.forgetRequests()
    const { body } = await ask(service.url, '/v1/packages', { query: { image, wait: 60 } })
    expect(body.items?.map(({ name, path, layer }: Shown) => [name, path ?? '', layer])).toEqual([
      ['newer two', 'app/node_modules/two/package.json', 1],
      ['one', 'app/node_modules/one/package.json', 0],
      ['one', 'app/node_modules/one-again/package.json', 0],
      ['three', 'app/node_modules/three/package.json', 0],
      ['wide', 'app/node_modules/wide/package.json', 1],
    ])
    const report = await ask(service.url, '/v1/report', { query: { image } })
    expect(report.body.warnings).toEqual([])
    // Each layer that is linked to is read twice, the other only once.
    const times = ({ descriptor }: TestLayer) => registry.count({ path: new RegExp(descriptor.digest) })
    expect([store, changed, app].map(times)).toEqual([2, 2, 1])
  })

  it('warns of a database that cannot be read, and reports the rest', async () => {
    const layer = await makeLayer([{ name: 'var/lib/rpm/rpmdb.sqlite', content: 'no database' }])
    const image = registry.push('broken', 'v1', makeImage([layer]))
    const { body } = await ask(service.url, '/v1/report', { query: { image, wait: 60 } })
    expect(body.packages).toEqual({ total: 0, byType: {}, ownedBytes: 0, ownedPercent: 0 })
    expect(body.warnings).toEqual([
      { code: 'unreadableDatabase', count: 1, layer: 0, path: 'var/lib/rpm/rpmdb.sqlite' },
    ])
  })
})
