/** Databases that only an attacker would write: each gives no more findings than it has bytes, or a warning. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { pieces } from '../../../test/support/findings.ts'
import { ndbDatabase, rpmDatabase, rpmHeader } from '../../../test/support/rpm.ts'
import type { DatabaseKind } from '../../layer/database.ts'
import { UnreadableDatabase } from './found.ts'
import { readDatabase } from './read.ts'

const HEADER = rpmHeader({ 1000: 'r', 1001: '1', 1002: '2', 1116: [0], 1117: ['r'], 1118: ['/usr/bin/'] })
const MEGABYTE = 2 ** 20
const HEADERS = [HEADER, new Uint8Array(9_000), HEADER]

const SAMPLES: Readonly<Record<Exclude<DatabaseKind, 'rpmBerkeley' | 'rpmLog' | 'osRelease'>, Uint8Array>> = {
  debStatus: Buffer.from('Package: a\nVersion: 1\nArchitecture: all\n\nPackage: b\nVersion: 2\n'),
  debStatusPart: Buffer.from('Package: a\nVersion: 1\n'),
  debFiles: Buffer.from('/.\n/usr\n/usr/bin\n/usr/bin/a\n'),
  debSums: Buffer.from(`${'d'.repeat(32)}  usr/a\n`),
  apk: Buffer.from('P:a\nV:1\nA:x\nF:usr\nR:b\n\nP:c\nV:2\n'),
  rpm: await rpmDatabase(HEADERS),
  rpmNdb: ndbDatabase(HEADERS),
  npm: Buffer.from('{"name":"a","version":"1"}'),
  pypi: Buffer.from('Name: a\r\nVersion: 1\r\n\r\n'),
  pypiRecord: Buffer.from('"a ""b""",x,1\nc,y,2\n'),
  pypiFiles: Buffer.from('../a\nb\n'),
  composer: Buffer.from('{"packages":[{"name":"a/b","version":"1"},{"name":"c","version":"2"}]}'),
  nuget: Buffer.from('{"libraries":{"a/1":{"type":"package"}}}'),
  conda: Buffer.from('{"name":"a","version":"1"}'),
  alpm: Buffer.from('%NAME%\na\n\n%VERSION%\n1\n'),
  alpmFiles: Buffer.from('%FILES%\nusr/bin/a\n'),
  gem: Buffer.from('# stub: a 1 ruby lib\n  s.name = "a"\n  s.version = "1"\n'),
}

const isKind = (name: string): name is keyof typeof SAMPLES => name in SAMPLES
const kinds = Object.keys(SAMPLES).filter(isKind)
const hostile = fc.constantFrom(...kinds).chain((kind) => {
  const sample = SAMPLES[kind]
  const changes = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 20 })
  const changed = fc.tuple(changes, fc.nat(sample.length)).map(([list, cut]) => {
    const bytes = Uint8Array.from(sample)
    for (const [at, byte] of list) bytes[at] = byte
    return cut % 3 === 0 ? bytes.subarray(0, cut) : bytes
  })
  const repeated = fc.integer({ min: 1, max: 300 }).map((times) => {
    const bytes = new Uint8Array(Math.min(times * sample.length, 300_000))
    for (let at = 0; at < bytes.length; at++) bytes[at] = sample[at % sample.length] ?? 0
    return bytes
  })
  const content = fc.oneof(changed, repeated, fc.uint8Array({ maxLength: 5_000 }))
  return fc.record({ kind: fc.constant(kind), content, size: fc.integer({ min: 1, max: 5_000 }) })
})

it('any bytes end in findings or in a warning', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, async ({ kind, content, size }) => {
      let found = 0
      try {
        const database = { bytes: content.length, content: pieces(content, size) }
        for await (const finding of readDatabase(kind, 'a\0b.dist-info\0RECORD', database)) {
          found += finding.kind === 'files' ? finding.paths.length : 1
        }
      } catch (error) {
        expect(error instanceof UnreadableDatabase || error instanceof RangeError).toBe(true)
      }
      expect(found).toBeLessThanOrEqual(content.length + 1)
    }),
    { numRuns: process.env.LAMINA_LONG ? 20_000 : 300 },
  )
})

/** @returns how often the event loop turned while the database was read */
async function turnsDuring(kind: DatabaseKind, content: Uint8Array): Promise<number> {
  let turns = 0
  const turning = setInterval(() => turns++)
  try {
    const database = { bytes: content.length, content: [content] }
    for await (const _ of readDatabase(kind, 'a\0b.dist-info\0RECORD', database));
  } catch (error) {
    expect(error).toBeInstanceOf(UnreadableDatabase)
  } finally {
    clearInterval(turning)
  }
  return turns
}

const MANY = 100_000
const WIDE = rpmHeader({
  1000: 'r',
  1001: '1',
  1002: '2',
  1116: new Array<number>(MANY).fill(0),
  1117: new Array<string>(MANY).fill('f'),
  1118: ['/usr/bin/'],
})

it('reading an rpm package with too many files yields to the event loop often', async () => {
  const content = ndbDatabase([WIDE])
  expect(await turnsDuring('rpmNdb', content)).toBeGreaterThan(2)
})

it.each([
  ['apk', '\n'],
  ['debStatus', '\n'],
  ['pypiRecord', '\n'],
  ['composer', '{},'],
] as const)('reading %s of nothing but %j yields to the event loop often', async (kind, piece) => {
  const content = Buffer.from(`${kind === 'composer' ? '[' : ''}${piece.repeat(MEGABYTE / piece.length)}`)
  expect(await turnsDuring(kind, content)).toBeGreaterThan(15)
})
