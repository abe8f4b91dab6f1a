/** The image of a rehearsal: small, with a little of everything that images have. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { TarOutput } from '../export/tar-output.ts'
import type { Fetch } from '../host.ts'
import { digestOf } from '../oci/digest.ts'
import { OCI_MANIFEST } from '../oci/manifest.ts'
import { END_OF_ARCHIVE, type WrittenMember } from '../tar/write.ts'

export const REHEARSAL_REPOSITORY = 'lamina/rehearsal'
const TAG = 'latest'

const FILES_OF_PACKAGE = 12
const GZIP_WINDOW = 32 * 1024
/** Comes in several pieces. */
const LARGE_BYTES = 600_000

const CONFIG = 'application/vnd.oci.image.config.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'

type Blob = { readonly mediaType: string; readonly digest: string; readonly bytes: Uint8Array<ArrayBuffer> }

export type RehearsalImage = {
  /** Of its manifest. */
  readonly digest: string
  /** Its manifest and its blobs, by digest. */
  readonly blobs: ReadonlyMap<string, Blob>
}

export type RegistryAnswer = {
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** @param path of the registry's API: `/v2/…` @returns undefined for what the image does not have */
export function answerOfRegistry(
  { digest, blobs }: RehearsalImage,
  path: string,
): RegistryAnswer | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const blob = blobs.get(name === TAG ? digest : name)
  if (blob === undefined) return undefined
  const { mediaType, bytes } = blob
  const headers = {
    'Content-Type': mediaType,
    'Content-Length': String(bytes.length),
    'Docker-Content-Digest': blob.digest,
  }
  return { headers, bytes }
}

/** The registry without a network. */
export function registryInMemory(image: RehearsalImage): Fetch {
  return async ({ pathname }, { method, signal }) => {
    signal?.throwIfAborted()
    const answer = answerOfRegistry(image, pathname)
    if (answer === undefined) return new Response(null, { status: 404 })
    return new Response(method === 'HEAD' ? null : answer.bytes, answer)
  }
}

/** What differs from an ordinary file. */
type Other = Partial<Pick<WrittenMember, 'type' | 'link' | 'mode' | 'uid'>>

/** A tar, member by member. */
class Tar {
  readonly #output = new TarOutput()
  #seconds = 1_700_000_000

  add(path: string, content: string | Uint8Array = '', other: Other = {}): this {
    const data = typeof content === 'string' ? Buffer.from(content) : content
    const mtime = this.#seconds++ * 1_000_000
    const name = Buffer.from(path).toString('latin1')
    this.#output.open({
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime,
      ...other,
      path: name,
      bytes: data.length,
    })
    this.#output.write(data)
    return this
  }

  directory(path: string): this {
    return this.add(path, '', { type: 'directory', mode: 0o755 })
  }

  bytes(): Uint8Array {
    this.#output.raw(END_OF_ARCHIVE)
    return Buffer.concat(this.#output.finish())
  }
}

/** @param packages how many system packages and npm packages it has: some twenty members each, both together */
export async function rehearsalImage(packages: number): Promise<RehearsalImage> {
  const tars = [system(packages), application(packages), cleanup(), new Tar().bytes()]
  const layers = await Promise.all(
    tars.map(async (tar) => {
      const packed = blob(LAYER, Uint8Array.from(await promisify(gzip)(tar, { level: 1 })))
      return { diffId: digestOf(tar), packed }
    }),
  )
  const config = blob(
    CONFIG,
    json({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['/bin/sh'], Env: ['PATH=/usr/bin'] },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map((_, i) => ({ created: '2026-01-01T00:00:00Z', created_by: `RUN step ${i}` })),
    }),
  )
  const manifest = blob(
    OCI_MANIFEST,
    json({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: descriptorOf(config),
      layers: layers.map(({ packed }) => descriptorOf(packed)),
    }),
  )
  const all = [...layers.map(({ packed }) => packed), config, manifest]
  return { digest: manifest.digest, blobs: new Map(all.map((one) => [one.digest, one])) }
}

function system(packages: number): Uint8Array {
  const tar = new Tar().directory('etc').add('etc/os-release', 'ID=debian\nVERSION_ID=13\n')
  const status: string[] = []
  for (let i = 0; i < packages; i++) {
    const name = `package-${i}`
    status.push(
      `Package: ${name}\nStatus: install ok installed\nInstalled-Size: ${i}\nArchitecture: amd64\nVersion: 1.${i}-1\nDescription: a package\n with a text\n`,
    )
    const files = Array.from({ length: FILES_OF_PACKAGE }, (_, n) => `usr/share/${name}/file-${n}`)
    tar.directory(`usr/share/${name}`)
    for (const [n, path] of files.entries())
      tar.add(path, `${path}\n`.repeat(1 + 20 * n), { uid: n, mode: n % 2 === 0 ? 0o755 : 0o644 })
    tar.add(`var/lib/dpkg/info/${name}.list`, `/.\n/usr\n${files.map((path) => `/${path}`).join('\n')}\n`)
    tar.add(`usr/bin/${name}`, '', { type: 'symlink', link: `../share/${name}/file-0` })
    tar.add(`usr/bin/${name}-again`, '', { type: 'hardlink', link: `usr/share/${name}/file-1` })
    // Neither name fits into a header.
    tar.add(`usr/share/ca-certificates/${name}_Főtanúsítvány.crt`, name)
    tar.add(`usr/share/${name}/${'long-'.repeat(25)}name`, name)
  }
  return tar.add('var/lib/dpkg/status', status.join('\n')).bytes()
}

function application(packages: number): Uint8Array {
  const tar = new Tar().directory('app').add('app/large', digits(LARGE_BYTES))
  for (let i = 0; i < packages; i++) {
    const folder = `app/node_modules/module-${i}`
    tar.add(`${folder}/package.json`, json({ name: `module-${i}`, version: `1.0.${i}`, license: 'MIT' }))
    tar.add(`${folder}/copy.js`, 'the same in all\n'.repeat(50))
    tar.add(`usr/share/package-${i}/file-2`, `replaced ${i}\n`)
  }
  return tar.bytes()
}

function cleanup(): Uint8Array {
  return new Tar()
    .add('usr/share/package-0/.wh..wh..opq')
    .add('usr/share/.wh.package-1')
    .add('app/.wh.large')
    .add('app/.wh.nothing')
    .bytes()
}

/** Digits, of which gzip finds no repetition, so that the blob comes in several pieces as well. */
function digits(bytes: number): Uint8Array {
  const pattern = new Uint8Array(GZIP_WINDOW + 1)
  let state = 1
  for (let at = 0; at < pattern.length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    pattern[at] = 48 + ((state >>> 24) % 10)
  }
  return Buffer.alloc(bytes, pattern)
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(JSON.stringify(value)))
}

function blob(mediaType: string, bytes: Uint8Array<ArrayBuffer>): Blob {
  return { mediaType, digest: digestOf(bytes), bytes }
}

function descriptorOf({ mediaType, digest, bytes }: Blob) {
  return { mediaType, digest, size: bytes.length }
}
