/**
 * What Java archives cost at worst while a layer is read: large ones, many, and such as were made to cost much. CPU time against
 * `gzip -dc | sha256sum` of the same layer, peak memory against reading it without looking into files, and what comes of it.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { constants, createGzip } from 'node:zlib'
import { memberHeader } from '../../src/tar/write.ts'
import { deflated, plain, type ZipEntry, zipOf, zipPieces } from '../support/zip.ts'
import { withFolder } from './layers.ts'
import { line } from './measure.ts'

const MEBIBYTE = 1024 * 1024
const READ = fileURLToPath(new URL('inside-reader.ts', import.meta.url))
const run = promisify(execFile)
/** What is held is what counts, not what V8 has not collected yet. */
const SMALL_HEAP = ['--max-old-space-size=48', '--max-semi-space-size=1']

/** Zips by their paths, each as its entries. */
type Files = Iterable<readonly [path: string, entries: () => Iterable<ZipEntry>]>

const pom = (name: string) =>
  [
    `META-INF/maven/org.example/${name}/pom.properties`,
    `groupId=org.example\nartifactId=${name}\nversion=1.0.0\n`,
  ] as const
const numbered = (count: number, name: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => name(i))

const LAYERS: Readonly<Record<string, () => Files>> = {
  'a jar of 2 GB, stored': () => {
    const content = randomBytes(MEBIBYTE)
    const library = zipOf(Object.fromEntries([pom('library')]), { stored: { 'a.class': content } })
    return [
      [
        'app.jar',
        function* () {
          for (let i = 0; i < 1_800; i++) yield plain(`classes/${i}.bin`, content)
          for (let i = 0; i < 200; i++) yield plain(`lib/library-${i}.jar`, library)
        },
      ],
    ]
  },
  '100,000 jars': () =>
    numbered(100_000, (i) => `lib-${i % 100}/library-${i}.jar`).map((path, i) => [
      path,
      () => [
        plain(pom(`library-${i}`)[0], Buffer.from(pom(`library-${i}`)[1])),
        deflated('A.class', Buffer.alloc(2_000, path)),
      ],
    ]),
  '64 jars, in each one that inflates to 256 MB': () => {
    const zeros = deflated('lib/zeros.jar', Buffer.alloc(255 * MEBIBYTE))
    return numbered(64, (i) => `bomb-${i}.jar`).map((path) => [path, () => [zeros]])
  },
  'one jar, ten in each to a depth of 3, inflating to 2.5 GB': () => {
    const deepest = zipOf({ 'zeros.jar': Buffer.alloc(24 * MEBIBYTE) })
    const names = numbered(10, (i) => `lib/${i}.jar`)
    const inner = zipOf(Object.fromEntries(names.map((name) => [name, deepest])))
    return [['bomb.jar', () => names.map((name) => deflated(name, inner))]]
  },
  'a jar of 1,000,000 empty jars': () => [
    ['bomb.jar', () => [{ ...plain('x.jar', Buffer.alloc(0)), again: numbered(999_999, (i) => `${i}.jar`) }]],
  ],
  'a jar of 1,000,000 pom.properties': () => [
    [
      'bomb.jar',
      () => {
        const [name, text] = pom('a')
        const again = numbered(999_999, (i) => pom(`${i}`)[0])
        return [{ ...plain(name, Buffer.from(text)), again }]
      },
    ],
  ],
  'a jar of 10,000 names of 60,000 bytes': () => [
    [
      'bomb.jar',
      () => [
        {
          ...plain('x.jar', Buffer.alloc(0)),
          again: numbered(10_000, (i) => `${'x'.repeat(60_000)}${i}.jar`),
        },
      ],
    ],
  ],
}

export default async function archives(): Promise<void> {
  for (const [what, files] of Object.entries(LAYERS)) {
    await withFolder(async (at) => {
      const blob = at('layer.tar.gz')
      await pipeline(tarOf(files()), createGzip({ level: constants.Z_BEST_SPEED }), createWriteStream(blob))
      const reference = await referenceSeconds(blob)
      const without = await read(blob, at('store'), 'without')
      const used = await read(blob, at('store'), 'with')
      line(what, {
        'CPU seconds': used.seconds,
        without: without.seconds,
        'gzip | sha256sum': reference,
        ratio: used.seconds / reference,
        'MB beyond': used.megabytes - without.megabytes,
        ...used.counts,
      })
    })
  }
}

function* tarOf(files: Files): Generator<Uint8Array> {
  for (const [path, entries] of files) {
    const pieces = () => zipPieces(entries(), { zip64: 'yes' })
    let bytes = 0
    for (const piece of pieces()) bytes += piece.length
    yield memberHeader({ path, type: 'file', bytes, mode: 0o644, uid: 0, gid: 0, mtime: 0 })
    yield* pieces()
    yield Buffer.alloc((512 - (bytes % 512)) % 512)
  }
  yield Buffer.alloc(1024)
}

type Used = { readonly seconds: number; readonly megabytes: number; readonly counts: Record<string, number> }

async function read(blob: string, store: string, how: 'with' | 'without'): Promise<Used> {
  const { stdout } = await run(process.execPath, [...SMALL_HEAP, READ, blob, store, how])
  await rm(store, { recursive: true })
  return JSON.parse(stdout)
}

/** User and system time, of both commands. */
async function referenceSeconds(blob: string): Promise<number> {
  const { stdout } = await run('bash', ['-c', `gzip -dc '${blob}' | sha256sum > /dev/null; times`])
  const [, children = ''] = stdout.trim().split('\n')
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds),
    0,
  )
}
