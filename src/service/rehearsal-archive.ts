/** The image of the rehearsal: small, with a little of everything that images have. */
import { gzipSync } from 'node:zlib'
import { TarOutput } from '../export/tar-output.ts'
import { digestOf } from '../oci/digest.ts'
import { OCI_MANIFEST } from '../oci/manifest.ts'
import { END_OF_ARCHIVE, type WrittenMember } from '../tar/write.ts'

const PACKAGES = 24
const FILES_OF_PACKAGE = 12
/** Comes in several pieces. */
const LARGE_BYTES = 600_000

const CONFIG = 'application/vnd.oci.image.config.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'

const PLAIN = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const
/** What differs from an ordinary file. */
type Other = Partial<Pick<WrittenMember, 'type' | 'link' | 'mode'>>

/** A tar, member by member. */
class Tar {
  readonly #output = new TarOutput()

  add(path: string, content: string | Uint8Array = '', other: Other = {}): this {
    const data = typeof content === 'string' ? Buffer.from(content) : content
    this.#output.open({ ...PLAIN, ...other, path, bytes: data.length })
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

/** An OCI image layout as a tar. */
export function rehearsalArchive(): Uint8Array {
  const layers = [system(), application(), cleanup()].map((tar) => ({
    tar,
    packed: gzipSync(tar, { level: 1 }),
  }))
  const config = json({
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => digestOf(tar)) },
    history: layers.map((_, i) => ({ created_by: `RUN step ${i}` })),
  })
  const manifest = json({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(CONFIG, config),
    layers: layers.map(({ packed }) => descriptor(LAYER, packed)),
  })
  const blobs = [...layers.map(({ packed }) => packed), config, manifest]
  const archive = new Tar()
    .add('oci-layout', '{"imageLayoutVersion":"1.0.0"}')
    .add('index.json', json({ schemaVersion: 2, manifests: [descriptor(OCI_MANIFEST, manifest)] }))
  for (const blob of blobs) archive.add(`blobs/${digestOf(blob).replace(':', '/')}`, blob)
  return archive.bytes()
}

function system(): Uint8Array {
  const tar = new Tar().directory('etc').add('etc/os-release', 'ID=debian\nVERSION_ID=13\n')
  const status: string[] = []
  for (let i = 0; i < PACKAGES; i++) {
    const name = `package-${i}`
    status.push(`Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.${i}-1\n`)
    const files = Array.from({ length: FILES_OF_PACKAGE }, (_, n) => `usr/share/${name}/file-${n}`)
    tar.directory(`usr/share/${name}`)
    for (const [n, path] of files.entries()) tar.add(path, `${path}\n`.repeat(1 + 20 * n))
    tar.add(`var/lib/dpkg/info/${name}.list`, `/usr\n${files.map((path) => `/${path}`).join('\n')}\n`)
    tar.add(`usr/bin/${name}`, '', { type: 'symlink', link: `../share/${name}/file-0` })
    tar.add(`usr/bin/${name}-again`, '', { type: 'hardlink', link: `usr/share/${name}/file-1` })
  }
  return tar.add('var/lib/dpkg/status', status.join('\n')).bytes()
}

function application(): Uint8Array {
  const tar = new Tar().directory('app').add('app/large', Buffer.alloc(LARGE_BYTES, 'large '))
  for (let i = 0; i < PACKAGES; i++) {
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

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

function descriptor(mediaType: string, bytes: Uint8Array) {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}
