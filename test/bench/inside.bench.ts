/**
 * What it costs to look inside files. While a layer is read: CPU time of indexing a layer into a folder with and without it, in
 * turns, each in a process of its own. Later: see `inside-questions.ts`.
 */
import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGzip } from 'node:zlib'
import { memberHeader } from '../../src/tar/write.ts'
import { zipOf } from '../support/zip.ts'
import { askInside } from './inside-questions.ts'
import { withFolder } from './layers.ts'
import { best, line, shell } from './measure.ts'

const RUNS = 5
const MEGABYTE = 1_000_000
const REAL = '/usr/share'
/** Written in Go, and in C++: whichever is on this machine. */
const PROGRAMS = ['/usr/sbin/dockerd', process.execPath]
const READ = fileURLToPath(new URL('inside-reader.ts', import.meta.url))

export default async function inside(): Promise<void> {
  await withFolder(async (at) => {
    await shell(`tar -C / --exclude='*.jar' -cf - .${REAL} | gzip -6 > ${at('real')}`)
    await compare(REAL, at('real'), at('store'))
    await writeProgramAndJar(at('large'))
    await compare('a program and a jar, 100 MB each', at('large'), at('store'))
  })
  await askInside()
}

type Used = { readonly seconds: number; readonly megabytes: number }

async function compare(what: string, blob: string, store: string): Promise<void> {
  const used: Record<'with' | 'without', Used[]> = { with: [], without: [] }
  for (let run = 0; run < RUNS; run++) {
    for (const how of ['without', 'with'] as const) {
      const { stdout } = await promisify(execFile)(process.execPath, [READ, blob, store, how])
      used[how].push(JSON.parse(stdout))
      await rm(store, { recursive: true })
    }
  }
  const seconds = (how: 'with' | 'without') => best(used[how].map((run) => run.seconds))
  const memory = (how: 'with' | 'without') => best(used[how].map((run) => run.megabytes))
  line(what, {
    seconds: seconds('with'),
    without: seconds('without'),
    ratio: seconds('with') / seconds('without'),
    'peak MB': memory('with'),
    'MB without': memory('without'),
  })
}

/** The jar has seven others, stored, as Spring Boot packs them. */
async function writeProgramAndJar(blob: string): Promise<void> {
  const program = await firstBytes(100 * MEGABYTE)
  const classes = Object.fromEntries(
    Array.from({ length: 320 }, (_, i) => [
      `Class${i}.class`,
      program.subarray(i * 100_000, (i + 1) * 100_000),
    ]),
  )
  const library = zipOf(classes)
  const count = Math.ceil((100 * MEGABYTE) / library.length)
  const libraries = Array.from({ length: count }, (_, i) => [`BOOT-INF/lib/library-${i}.jar`, library])
  const jar = zipOf({}, { stored: Object.fromEntries(libraries) })
  const files = { 'app/server': program, 'app/server.jar': jar }
  async function* pieces() {
    for (const [path, content] of Object.entries(files)) {
      yield memberHeader({ path, type: 'file', bytes: content.length, mode: 0o755, uid: 0, gid: 0, mtime: 0 })
      yield content
      yield Buffer.alloc((512 - (content.length % 512)) % 512)
    }
    yield Buffer.alloc(1024)
  }
  await pipeline(pieces(), createGzip(), createWriteStream(blob))
}

async function firstBytes(bytes: number): Promise<Buffer> {
  for (const program of PROGRAMS) {
    const size = await stat(program).then(
      (found) => found.size,
      () => 0,
    )
    if (size < bytes) continue
    await using file = await open(program)
    const { buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, 0)
    return buffer
  }
  throw new Error(`none of ${PROGRAMS.join(', ')} has ${bytes} bytes`)
}
