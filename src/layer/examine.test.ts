import { deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { buildElf } from '../../test/support/elf.ts'
import { pieces } from '../../test/support/findings.ts'
import { goProgram } from '../../test/support/go-program.ts'
import { zipOf } from '../../test/support/zip.ts'
import { rangesOf } from '../inside/ranges.ts'
import { pathToKey } from '../text/path.ts'
import { type Examined, FileExaminer, HELD_BYTES, linksExamined, type Scratch } from './examine.ts'

type File = { readonly path: string; readonly content: Uint8Array; readonly size?: number }

/** What is found in each file, examined one after the other, and what was put aside. */
async function examined(files: readonly File[]) {
  const aside = { put: 0, released: 0 }
  const scratch = (): Scratch => {
    const written: Uint8Array[] = []
    aside.put++
    return {
      write: (piece) => {
        written.push(new Uint8Array(piece))
      },
      finish: async () => rangesOf(Buffer.concat(written)),
      release: async () => {
        aside.released++
      },
    }
  }
  const examiner = new FileExaminer({ scratch, examined: async () => 'kept' })
  const found: (Examined | undefined)[] = []
  for (const { path, content, size = content.length } of files) {
    examiner.open(pathToKey(path), content.length)
    let before = new Uint8Array(0)
    for (const piece of pieces(content, Math.max(1, size))) {
      // Views are valid until the next one.
      before.fill(0xee)
      before = new Uint8Array(piece)
      await examiner.write(before)
    }
    found.push(await examiner.close())
  }
  return { found, aside }
}

const found = async (file: File) => (await examined([file])).found[0]

const crates = deflateSync('{"packages":[{"name":"app","version":"0.1.0","root":true}]}')
const rust = buildElf({
  sections: [
    { name: '.text', type: 1, flags: 6, data: new Uint8Array(500) },
    { name: '.dep-v0', type: 1, data: crates },
    { name: '.symtab', type: 2, data: new Uint8Array(48), link: 4 },
    { name: '.strtab', type: 3, data: new Uint8Array(30) },
    { name: '.debug_info', type: 1, data: new Uint8Array(1_000) },
    { name: '.debug_gdb_scripts', type: 1, flags: 2, data: new Uint8Array(70) },
  ],
})
const RUST = { cargo: [{ name: 'app', version: '0.1.0', isRoot: true }], symbolBytes: 1_078 }
const go = goProgram('go1.26.1', ['mod\texample.org/app\tv1.0.0'], 300)
const GO = {
  go: { version: '1.26.1', modules: [{ name: 'example.org/app', version: 'v1.0.0', isMain: true }] },
}
const artifact = { 'META-INF/maven/org.x/a/pom.properties': 'groupId=org.x\nartifactId=a\nversion=1\n' }
const JAR = { jar: { artifacts: [{ group: 'org.x', name: 'a', version: '1' }], inner: [] } }

test.each([1, 3, 100, 100_000])('programs and archives in pieces of %i bytes', async (size) => {
  expect(await found({ path: 'usr/bin/app', content: rust, size })).toEqual(RUST)
  expect(await found({ path: 'usr/bin/app', content: go, size })).toEqual(GO)
  expect(await found({ path: 'opt/a.jar', content: zipOf(artifact), size })).toEqual(JAR)
})

test('a file leaves nothing behind for the next one', async () => {
  const jar = zipOf(artifact)
  const { found } = await examined([
    { path: 'bin/app', content: go, size: 100 },
    { path: 'bin/short', content: Uint8Array.of(0x7f, 0x45, 0x4c, 0x46), size: 2 },
    { path: 'a.jar', content: jar, size: 50 },
    { path: 'text', content: Buffer.from('text') },
    { path: 'b.jar', content: new Uint8Array(0) },
    { path: 'bin/nginx', content: Buffer.from('nginx version: nginx/1.29.3'), size: 5 },
    { path: 'bin/app', content: rust, size: 100 },
  ])
  expect(found).toEqual([
    GO,
    undefined,
    JAR,
    undefined,
    { jar: 'unreadable' },
    { runtime: { name: 'nginx', version: '1.29.3' } },
    RUST,
  ])
})

test('a file is looked at as everything that it may be', async () => {
  const content = Buffer.concat([go, Buffer.from('\0node.js/v24.11.1\0')])
  expect(await found({ path: 'bin/node', content })).toEqual({
    ...GO,
    runtime: { name: 'node', version: '24.11.1' },
  })
  const executable = Buffer.concat([go, zipOf(artifact)])
  expect(await found({ path: 'bin/app.jar', content: executable })).toEqual({ ...GO, ...JAR })
})

test('what only looks like a program is none', async () => {
  for (const content of ['MZ', '\x7fELF', '\xca\xfe\xba\xbe', '\xcathing'])
    expect(await found({ path: 'a', content: Buffer.from(content, 'latin1'), size: 1 })).toBe(undefined)
})

test('large programs are read as they pass, large archives are put aside and removed', async () => {
  const size = 1_000_000
  const large = goProgram('go1.26.1', ['mod\texample.org/app\tv1.0.0'], HELD_BYTES)
  expect(await examined([{ path: 'bin/app', content: large, size }])).toEqual({
    found: [GO],
    aside: { put: 0, released: 0 },
  })
  const jar = zipOf(artifact, { stored: { data: new Uint8Array(HELD_BYTES) } })
  expect(await examined([{ path: 'a.jar', content: jar, size }])).toEqual({
    found: [JAR],
    aside: { put: 1, released: 1 },
  })
  const cut = jar.subarray(0, -1)
  expect(await examined([{ path: 'a.jar', content: cut, size }])).toEqual({
    found: [{ jar: 'unreadable' }],
    aside: { put: 1, released: 1 },
  })
})

test('a hard link is followed if it alone has a name by which files are examined', () => {
  const links = (path: string, link: string) => linksExamined({ key: pathToKey(path), link })
  expect(links('bin/busybox', 'bin/[')).toBe(true)
  expect(links('opt/a.jar', './srv/1')).toBe(true)
  expect(links('opt/a.jar', 'opt/b.war')).toBe(false)
  expect(links('opt/nginx', 'opt/b.war')).toBe(true)
  expect(links('bin/[', 'bin/busybox')).toBe(false)
})
