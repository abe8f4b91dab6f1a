/** Packages inside files, through HTTP on both hosts: which file counts if it has several names, or several layers have it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { goProgram } from '../support/go-program.ts'
import { makeImage, makeLayer, type TestMember } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'
import { zipOf } from '../support/zip.ts'

type Shown = { readonly type: string; readonly name: string; readonly bytes?: number; readonly layer: number }
type Listed = Shown & { readonly version?: string; readonly path?: string }

const artifact = (name: string, version = '1') =>
  zipOf({
    [`META-INF/maven/org.x/${name}/pom.properties`]: `groupId=org.x\nartifactId=${name}\nversion=${version}`,
  })
const link = (name: string, linkname: string): TestMember => ({ name, type: 'link', linkname })

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([startService(host), FixtureRegistry.start()])
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  const get = async (path: string, query: Record<string, string>) =>
    (await ask(service.url, path, { query: { wait: 60, ...query } })).body
  const push = async (name: string, layers: readonly (readonly TestMember[])[]) =>
    registry.push(name, 'v1', makeImage(await Promise.all(layers.map((members) => makeLayer(members)))))
  const packages = async (image: string) =>
    (await get('/v1/packages', { image })).items.map(
      ({ name, version, bytes, path, layer }: Listed) => `${name} ${version} ${bytes} ${path} ${layer}`,
    )
  const owned = async (image: string) => (await get('/v1/report', { image })).packages.ownedBytes

  it('a file with several names counts once, at the first of those that fit', async () => {
    const jar = artifact('a')
    const program = goProgram('go1.26.1', ['mod\texample.org/app\tv1.0.0'])
    const base: readonly TestMember[] = [
      { name: 'opt/app.jar', content: jar },
      link('opt/again.jar', 'opt/app.jar'),
      link('etc/app.data', 'opt/again.jar'),
      { name: 'usr/bin/app', content: program },
      link('usr/bin/other', 'usr/bin/app'),
    ]
    const upper = [link('a/late.jar', 'opt/app.jar')]
    const image = await push('linked', [base, upper])
    expect(await packages(image)).toEqual([
      `example.org/app v1.0.0 ${program.length} usr/bin/app 0`,
      'stdlib 1.26.1 undefined usr/bin/app 0',
      `org.x:a 1 ${jar.length} a/late.jar 0`,
    ])
    expect(await owned(image)).toBe(jar.length + program.length)
    const unowned = await get('/v1/files', { image, owned: 'false' })
    expect(unowned.items).toEqual([])
    const removed = await push('removed', [base, [{ name: 'opt/.wh.app.jar' }, { name: 'usr/bin/.wh.app' }]])
    expect(await packages(removed)).toEqual([
      `example.org/app v1.0.0 ${program.length} usr/bin/other 0`,
      'stdlib 1.26.1 undefined usr/bin/other 0',
      `org.x:a 1 ${jar.length} opt/again.jar 0`,
    ])
  })

  it('a runtime or an archive counts under a name that only a hard link has', async () => {
    const [jar, busybox] = [artifact('a'), 'an applet: BusyBox v1.36.1 (2024-01-01)']
    const layer = await makeLayer([
      { name: 'bin/[', content: busybox },
      link('bin/busybox', 'bin/['),
      link('bin/ls', 'bin/['),
      { name: 'srv/store/1', content: jar },
      link('srv/app.jar', 'srv/store/1'),
    ])
    const image = registry.push('named', 'v1', makeImage([layer]))
    expect(await packages(image)).toEqual([
      `busybox 1.36.1 ${busybox.length} bin/busybox 0`,
      `org.x:a 1 ${jar.length} srv/app.jar 0`,
    ])
    expect(await owned(image)).toBe(busybox.length + jar.length)
    // The second time for what the hard links name.
    expect(registry.count({ path: new RegExp(layer.descriptor.digest) })).toBe(2)
  })

  it('of a file that several layers have, the last counts', async () => {
    const [old, next, moved, mode] = [
      artifact('a'),
      artifact('a', '2.0'),
      artifact('moved'),
      artifact('mode'),
    ]
    const image = await push('replaced', [
      [
        { name: 'opt/changed.jar', content: old },
        { name: 'opt/linked.jar', content: moved },
        { name: 'opt/gone.jar', content: artifact('gone') },
        { name: 'opt/folder.jar', content: artifact('folder') },
        { name: 'opt/mode.jar', content: mode, mode: 0o600 },
        { name: 'usr/bin/app', content: goProgram('go1.26.1', ['mod\texample.org/app\tv1.0.0']) },
      ],
      [
        { name: 'opt/changed.jar', content: old },
        { name: 'opt/changed.jar', content: next },
        { name: 'opt/moved.jar', content: moved },
        { name: 'opt/linked.jar', type: 'symlink', linkname: 'moved.jar' },
        { name: 'opt/.wh.gone.jar' },
        { name: 'opt/folder.jar/', mode: 0o755 },
        { name: 'opt/mode.jar', content: mode, mode: 0o644 },
        { name: 'usr/bin/app', content: 'a script' },
      ],
    ])
    expect(await packages(image)).toEqual([
      `org.x:a 2.0 ${next.length} opt/changed.jar 1`,
      `org.x:mode 1 ${mode.length} opt/mode.jar 1`,
      `org.x:moved 1 ${moved.length} opt/moved.jar 1`,
    ])
    expect(await owned(image)).toBe(next.length + mode.length + moved.length)
  })

  it('says which package owns a program and an archive', async () => {
    const program = goProgram('go1.26.1', ['mod\texample.org/app\tv1.0.0', 'dep\texample.org/lib\tv2.0.0'])
    const image = await push('owners', [
      [
        { name: 'usr/bin/app', content: program },
        { name: 'opt/a.jar', content: artifact('a') },
        link('opt/b.jar', 'opt/a.jar'),
        { name: 'opt/text', content: 'text' },
      ],
    ])
    const owners = async (owns: string) =>
      (await get('/v1/packages', { image, owns })).items.map(({ type, name }: Shown) => `${type} ${name}`)
    expect(await owners('usr/bin/app')).toEqual([
      'golang example.org/app',
      'golang example.org/lib',
      'golang stdlib',
    ])
    expect(await owners('opt/a.jar')).toEqual(['maven org.x:a'])
    expect(await owners('opt/text')).toEqual([])
    const files = async (flag: string) =>
      (await get('/v1/files', { image, owned: flag })).items.map(({ path }: { path: string }) => path)
    expect(await files('true')).toEqual(['opt/a.jar', 'opt/b.jar', 'usr/bin/app'])
    expect(await files('false')).toEqual(['opt/text'])
  })

  it('a version that changed inside a program or an archive is a changed package', async () => {
    const imageWith = (name: string, version: string) => {
      const modules = ['mod\texample.org/app\tv1.0.0', `dep\texample.org/lib\tv${version}`]
      return push(name, [
        [
          { name: 'usr/bin/app', content: goProgram('go1.26.1', modules) },
          { name: 'opt/a.jar', content: artifact('a', version) },
        ],
      ])
    }
    const [from, to] = [await imageWith('before', '2.0.0'), await imageWith('after', '2.0.1')]
    const { added, removed, changed } = (await get('/v1/diff', { from, to })).packages
    expect([added, removed]).toEqual([[], []])
    expect(
      changed.map(({ type, name, from, to }: Record<string, unknown>) => [type, name, from, to]),
    ).toEqual([
      ['golang', 'example.org/lib', 'v2.0.0', 'v2.0.1'],
      ['maven', 'org.x:a', '2.0.0', '2.0.1'],
    ])
  })
})
