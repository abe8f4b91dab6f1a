import { afterAll, beforeAll, expect, it } from 'vitest'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { startApp } from '../../../test/support/app.ts'
import { goProgram } from '../../../test/support/go-program.ts'
import { makeImage, makeLayer } from '../../../test/support/images.ts'

let registry: FixtureRegistry
let image: string

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  const status =
    'Package: base-files\nStatus: install ok installed\nVersion: 1.0\nArchitecture: amd64\n'.padEnd(500)
  const layer = await makeLayer([
    { name: 'etc/passwd', content: 'p'.repeat(300) },
    { name: 'srv/big', content: 'b'.repeat(900) },
    { name: 'srv/also-big', type: 'link', linkname: 'srv/big' },
    { name: 'srv/dir/', mode: 0o755 },
    { name: 'srv/small', content: 's' },
    { name: 'usr/bin/app', content: goProgram('go1.26.1', ['mod\texample.org/app\tv1.0.0'], 5_000) },
    { name: 'var/lib/dpkg/info/base-files.list', content: '/etc\n/etc/passwd\n' },
    { name: 'var/lib/dpkg/status', content: status },
  ])
  image = registry.push('app', 'v1', makeImage([layer]))
})

afterAll(() => registry.close())

const { ask } = startApp()

it('the report leads to the largest files that no package owns, an inode once', async () => {
  const asked = new URLSearchParams({ image })
  const facts = await (await ask(`/v1/report?${asked}&wait=60`)).json()
  const report = await (await ask(`/?${asked}`)).text()
  const unowned = facts.size.rootfsBytes - facts.packages.ownedBytes
  // The big file, the small one, and dpkg's list.
  expect(unowned).toBe(900 + 1 + '/etc\n/etc/passwd\n'.length)
  expect(report).toContain(`<data value="${unowned}"`)
  const [, address = ''] = /data-load="(\/unowned[^"]*)"/.exec(report) ?? []
  const page = await (await ask(address.replaceAll('&amp;', '&'))).text()
  const [, shown = ''] = page.split('data-loaded')
  const rows = [...shown.matchAll(/<bdi>([^<]*)<\/bdi>[\s\S]*?<data value="(\d+)"/g)]
  expect(rows.map(([, path, bytes]) => [path, Number(bytes)])).toEqual([
    ['srv/also-big', 900],
    ['var/lib/dpkg/info/base-files.list', 17],
    ['srv/small', 1],
  ])
})
