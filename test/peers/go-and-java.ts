/**
 * Compares the Go modules and Java libraries that Lamina finds inside files with those that snyk-docker-plugin finds: prints each
 * difference in name or version, then the reasons and who is right, and exits with 1 if a difference has no known reason.
 *
 * node test/peers/go-and-java.ts [IMAGE…]
 *
 * An image is REPOSITORY:TAG at CORPUS_REGISTRY, or what skopeo reads, such as docker-archive:FILE. Needs skopeo, and the
 * npm registry the first time.
 *
 * The images hold programs and libraries as their projects publish them, and files made for tests. Of the former both find the
 * same modules and versions, but for what one side leaves out. Nor did they differ over twelve programs of Debian (dockerd,
 * podman, …), the tools of Go, programs built for five platforms, and 196 libraries of Maven and the JDK. `reasons.ts` has the rest.
 */
import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { extract } from 'tar-stream'
import { z } from 'zod'
import { REGISTRY } from '../bench/measure.ts'
import { runLamina } from '../support/lamina.ts'
import { type Difference, differences, type Found } from './differences.ts'
import { type Program, REASONS } from './reasons.ts'
import { installSnyk, type PeerFound } from './snyk.ts'

const INSIDE = ['go', 'forged-go', 'java', 'java-hostile', 'rust', 'managers', 'owned', 'unstripped']
const IMAGES = [
  ...INSIDE.map((name) => `inside/${name}:latest`),
  ...['views/real:v1', 'views/forged:v1', 'app:v1', 'lamina:ci', 'debian:base'],
]
const UNKNOWN = 'no known reason'
const NOTHING: PeerFound = { programs: [], libraries: [] }

const packagesSchema = z.object({
  items: z.array(
    z.object({
      type: z.string(),
      name: z.string(),
      version: z.string().optional(),
      path: z.string().optional(),
    }),
  ),
})
const insideSchema = z.object({ modules: z.array(z.object({ name: z.string() })).default([]) })

const asked = process.argv.slice(2)
const peer = await installSnyk()
const folder = await mkdtemp(join(tmpdir(), 'lamina-peers-'))
const archive = join(folder, 'image.tar')
const counts = new Map<string, number>()
try {
  for (const image of asked.length > 0 ? asked : IMAGES) await compareImage(image)
} finally {
  await rm(folder, { recursive: true })
}
for (const [reason, count] of [...counts].sort(([, a], [, b]) => b - a))
  console.log(`${String(count).padStart(5)}  ${reason}`)

async function compareImage(image: string): Promise<void> {
  const source = /^(docker|docker-archive|oci|oci-archive|dir):/.test(image)
    ? image
    : `docker://${REGISTRY}/${image}`
  await promisify(execFile)('skopeo', [
    ...['copy', '--quiet', '--src-tls-verify=false'],
    ...[source, `docker-archive:${archive}:compared:latest`],
  ])
  const lamina = await packagesOf()
  const theirs = await peer(archive).catch(String)
  const found = differences(lamina, typeof theirs === 'string' ? NOTHING : theirs)
  const same = lamina.length - found.filter((one) => one.lamina.length > 0).length
  console.log(
    `# ${image}: Lamina lists ${lamina.length}, ${same} of them the same; ${found.length} differences`,
  )
  const files = new Set(found.filter(({ type }) => type === 'golang').map(({ file }) => file))
  const programs = typeof theirs === 'string' ? new Map<string, Program>() : await programsOf(files, theirs)
  for (const difference of found) {
    const { file, name, lamina: ours, peer } = difference
    const reason =
      typeof theirs === 'string'
        ? `Lamina is right: the peer stops at the first damaged jar (${theirs})`
        : reasonOf(difference, programs.get(file))
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
    console.log(`${file}  ${name}  Lamina ${ours.join(', ') || 'no'}  peer ${peer.join(', ') || 'no'}`)
    if (reason === UNKNOWN) process.exitCode = 1
  }
  await rm(archive)
}

function reasonOf(difference: Difference, program: Program | undefined): string {
  const reason = REASONS.find(({ fits }) => fits(difference, program))
  if (reason === undefined) return UNKNOWN
  return `${reason.right === 'both' ? 'both are' : `${reason.right} is`} right: ${reason.why}`
}

async function packagesOf(): Promise<readonly Found[]> {
  const { items } = packagesSchema.parse(JSON.parse(await askLamina('packages', '--format', 'json')))
  return items.flatMap(({ type, name, version, path }) =>
    (type === 'golang' || type === 'maven') && path !== undefined
      ? [{ type, file: path.replaceAll('!/', '/'), name, version }]
      : [],
  )
}

async function programsOf(
  files: ReadonlySet<string>,
  { programs }: PeerFound,
): Promise<Map<string, Program>> {
  const found = new Map<string, Program>()
  for (const { file } of programs.filter((known) => files.has(known.file))) {
    const { modules } = insideSchema.parse(JSON.parse(await askLamina('inside', file, '--format', 'json')))
    found.set(file, { isKnown: true, modules: new Set(modules.map(({ name }) => name)) })
  }
  if ([...files].every((file) => found.has(file))) return found
  const rootfs = join(folder, 'rootfs.tar')
  await askLamina('export', '--output', rootfs)
  for await (const entry of createReadStream(rootfs).pipe(extract())) {
    const file = entry.header.name
    if (!files.has(file) || found.has(file)) entry.resume()
    else found.set(file, { isKnown: false, ...headerOf(await buffer(entry)) })
  }
  return found
}

function headerOf(program: Buffer): { readonly isElf: boolean; readonly segments: number } {
  const isElf = program.toString('latin1', 0, 4) === '\x7fELF'
  const at = program[4] === 2 ? 0x38 : 0x2c
  return { isElf, segments: program[5] === 2 ? program.readUInt16BE(at) : program.readUInt16LE(at) }
}

async function askLamina(command: string, ...rest: readonly string[]): Promise<string> {
  const words = [command, `docker-archive:${archive}`, ...rest]
  const { code, out, err } = await runLamina(words, { XDG_CACHE_HOME: folder })
  if (code !== 0) throw new Error(`lamina ${words.join(' ')}: ${err}`)
  return out
}
