import { crc32, deflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { zipOf } from '../../test/support/zip.ts'
import { type InflateRoom, type Jar, readJar } from './jar.ts'
import { rangesOf } from './ranges.ts'

const ROOM: InflateRoom = {
  charge: () => {},
  hold: async (content) => rangesOf(Buffer.concat(await Array.fromAsync(content, (piece) => piece.slice()))),
}

const pom = (name: string, text: string) => ({ [`META-INF/maven/org.x/${name}/pom.properties`]: text })
const manifest = (text: string) => ({ 'META-INF/MANIFEST.MF': text })
const artifact = (name: string) => zipOf(pom(name, `groupId=org.x\nartifactId=${name}\nversion=1\n`))
const read = (jar: Uint8Array, room = ROOM) => readJar(rangesOf(jar), room)

test('artifacts are those of the pom.properties; what these lack is in their path', async () => {
  const jar = zipOf({
    ...pom('a', '#Created\r\nversion = 1.2\r\ngroupId:org.a\r\nartifactId=core\r\n'),
    ...pom('b', 'version=\n'),
    'META-INF/maven/org.x/pom.properties': 'version=9',
  })
  expect(await read(jar)).toEqual({
    artifacts: [
      { group: 'org.a', name: 'core', version: '1.2' },
      { group: 'org.x', name: 'b' },
    ],
    inner: [],
  })
})

test.each([
  ['Implementation-Version: 1\nBundle-Version: 2\n', '1'],
  ['bundle-version: 2.0\r\n .1\r\n', '2.0.1'],
  ['Main-Class: x\n\nName: y\nImplementation-Version: 1\n', undefined],
  ['Implementation-Version:\nBundle-Version: 2\n', '2'],
])('the version of a manifest %j is %j', async (text, version) => {
  expect((await read(zipOf(manifest(text)))).version).toBe(version)
})

/** Names of the archives inside, with theirs. */
const tree = ({ inner }: Jar): object =>
  Object.fromEntries(inner.map(({ name, jar }) => [name, jar === undefined ? 'unreadable' : tree(jar)]))

test('archives inside archives are read to a depth of three, stored or deflated', async () => {
  const fourth = artifact('four')
  const third = zipOf({}, { stored: { '4.jar': fourth } })
  const second = zipOf({ '3.war': third })
  const first = zipOf({}, { stored: { '2.jar': second } })
  expect(tree(await read(zipOf({ '1.ear': first, 'no.zip': second })))).toEqual({
    '1.ear': { '2.jar': { '3.war': {} } },
  })
})

test('an archive inside that cannot be read leaves the others', async () => {
  const good = artifact('good')
  const raw = [{ name: 'crc.jar', stored: deflateRawSync(good), bytes: good.length, crc32: 7 }]
  const jar = zipOf({ 'text.jar': 'no zip', 'good.jar': good }, { raw })
  expect(tree(await read(jar))).toEqual({ 'text.jar': 'unreadable', 'good.jar': {}, 'crc.jar': 'unreadable' })
})

test('a stored archive is read in place, where only what is needed has to be right', async () => {
  const changed = (at: string) => {
    const inner = zipOf({
      'A.class': 'class A',
      ...pom('a', 'version=1'),
    })
    const bytes = Buffer.from(inner)
    bytes[bytes.indexOf(at)] = 0x78
    return zipOf({}, { stored: { 'inner.jar': bytes } })
  }
  const held: number[] = []
  const room: InflateRoom = { ...ROOM, hold: async (_, bytes) => Promise.reject(held.push(bytes)) }
  expect(tree(await read(changed('class A'), room))).toEqual({ 'inner.jar': {} })
  expect(tree(await read(changed('version=1'), room))).toEqual({ 'inner.jar': 'unreadable' })
  expect(held).toEqual([])
})

test('a damaged pom.properties makes the archive unreadable', async () => {
  const [name = ''] = Object.keys(pom('a', ''))
  const stored = deflateRawSync('version=1')
  const jar = zipOf({}, { raw: [{ name, stored, bytes: 9, crc32: crc32('version=2') }] })
  await expect(read(jar)).rejects.toThrow('another CRC-32')
})

test('what an archive would inflate is counted before a byte of it is', async () => {
  const bomb = { name: 'bomb.jar', stored: deflateRawSync('x'), bytes: 257 * 1024 * 1024, crc32: 0 }
  await expect(read(zipOf({}, { raw: [bomb] }))).rejects.toMatchObject({ code: 'too_large' })
  const charged: number[] = []
  const inner = artifact('a')
  await read(zipOf({ 'a.jar': inner, 'other.bin': 'x'.repeat(1_000) }), {
    ...ROOM,
    charge: (bytes) => {
      charged.push(bytes)
    },
  })
  expect(charged).toEqual([inner.length, 'groupId=org.x\nartifactId=a\nversion=1\n'.length])
})
