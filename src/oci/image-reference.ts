/**
 * References to images anywhere, with the transports of containers-transports(5): `nginx:1.27`, `docker://nginx:1.27`,
 * `upload:<id>`, `docker-daemon:app:dev`.
 */
import { Problem } from '../problem.ts'
import { isSha256 } from './digest.ts'
import { pastedReference } from './pasted.ts'
import { formatReference, parseReference, type Reference } from './reference.ts'

/** An image in a registry. */
export type DockerReference = Reference & { readonly transport: 'docker' }

/** An image in an archive that this service was given. */
export type UploadReference = {
  readonly transport: 'upload'
  readonly id: string
  /** Chooses one of several images, as `digest` does; at most one of the two is present. */
  readonly name?: string
  readonly digest?: string
}

/** An image in a Docker Engine. */
export type DaemonReference = {
  readonly transport: 'docker-daemon'
  /** A name with its tag, or the image's ID. */
  readonly name: string
  /** Digest that the manifest must have. */
  readonly digest?: string
}

export type FileTransport = 'docker-archive' | 'oci-archive' | 'oci'

/** Files of the caller's machine, which a service does not read. */
export type FileReference = {
  readonly transport: FileTransport
  readonly path: string
  /** Chooses one of several images, as `digest` does. */
  readonly name?: string
  readonly digest?: string
}

export type ImageReference = DockerReference | UploadReference | DaemonReference | FileReference

export type TransportName = ImageReference['transport']

const DOCKER = 'docker://'
const UPLOAD_ID = /^[\w-]{22}$/
/** As OCI layouts name references, but without `@`, which begins a digest. */
const NAME = /^[\w.:/+-]{1,300}$/
const IMAGE_ID = /^(?:sha256:)?[0-9a-f]{64}$/
const MAX_PATH_LENGTH = 4_096

/** Other transports of skopeo and podman: a name that begins with one is not a repository. */
const OTHERS = ['atomic', 'containers-storage', 'dir', 'ostree', 'sif', 'tarball']
const OWN = ['upload', 'docker-daemon', 'docker-archive', 'oci-archive', 'oci'] as const
const KNOWN: readonly string[] = [...OWN, ...OTHERS]

const invalid = (detail: string) => new Problem('invalid_reference', detail)

/**
 * @param pasted may be what people paste instead of a reference
 * @throws Problem `invalid_reference`, naming the part that is wrong; `unsupported_digest` for any digest but sha256
 */
export function parseImageReference(pasted: string): ImageReference {
  const text = pastedReference(pasted)
  if (text.startsWith(DOCKER)) return parseDocker(text.slice(DOCKER.length))
  const colon = text.indexOf(':')
  const transport = KNOWN.find((name) => name === text.slice(0, colon))
  const rest = text.slice(colon + 1)
  switch (transport) {
    case undefined:
      return { transport: 'docker', ...parseReference(text) }
    case 'upload':
      return parseUpload(rest)
    case 'docker-daemon':
      return parseDaemon(rest)
    case 'docker-archive':
    case 'oci-archive':
    case 'oci':
      return parseFile(transport, rest)
    default:
      throw invalid(
        `${transport} is not a transport that images are read by: use a registry's name, ${OWN.join(', ')}`,
      )
  }
}

/** A second transport is rejected: otherwise an upload's id could reach a registry. */
function parseDocker(name: string): DockerReference {
  const second = KNOWN.find((transport) => name.startsWith(`${transport}:`))
  if (second !== undefined)
    throw invalid(
      `the reference has two transports, docker and ${second}: name the registry of a repository that is called ${second}`,
    )
  return { transport: 'docker', ...parseReference(name) }
}

function parseUpload(text: string): UploadReference {
  const [, id = '', separator, choice = ''] = /^([^:@]*)(?:([:@])(.*))?$/s.exec(text) ?? []
  if (id === '') throw invalid('upload: is followed by the id of an upload')
  if (id.includes('/')) throw invalid('the id of an upload has letters, digits, "-" and "_"')
  if (!UPLOAD_ID.test(id)) throw new Problem('upload_not_found', 'there is no upload of this id')
  if (separator === undefined) return { transport: 'upload', id }
  return { transport: 'upload', id, ...parseChoice(separator, choice) }
}

function parseChoice(
  separator: string,
  text: string,
): { readonly name: string } | { readonly digest: string } {
  if (separator === '@') {
    if (isSha256(text)) return { digest: text }
    throw invalid('the digest is not of the form sha256:<64 hex digits>')
  }
  if (NAME.test(text)) return { name: text }
  throw invalid('the name of the image in the archive is not 1 to 300 letters, digits and "._:/+-"')
}

function parseDaemon(text: string): DaemonReference {
  if (IMAGE_ID.test(text)) return { transport: 'docker-daemon', name: text }
  const { digest, ...rest } = parseReference(text)
  const name = familiar(formatReference({ ...rest, tag: rest.tag ?? 'latest' }))
  return { transport: 'docker-daemon', name, ...(digest === undefined ? {} : { digest }) }
}

/** As the engine lists it. */
function familiar(name: string): string {
  return name.replace(/^docker\.io\/(?:library\/)?/, '')
}

function parseFile(transport: FileTransport, text: string): FileReference {
  const [, path = '', separator, choice = ''] = /^([^:@]*)(?:([:@])(.*))?$/s.exec(text) ?? []
  if (path === '') throw invalid('the reference has no path')
  if (path.length > MAX_PATH_LENGTH) throw invalid(`the path is longer than ${MAX_PATH_LENGTH} characters`)
  if (separator === undefined) return { transport, path }
  return { transport, path, ...parseChoice(separator, choice) }
}

/** The same place, and the image of this digest there. @throws Problem as {@link parseImageReference} */
export function pinnedReference(text: string, digest: string): string {
  const reference = parseImageReference(text)
  switch (reference.transport) {
    case 'docker': {
      const { tag, ...repository } = reference
      return formatImageReference({ ...repository, digest })
    }
    case 'docker-daemon':
      return formatImageReference({ ...reference, digest })
    default: {
      const { name, ...place } = reference
      return formatImageReference({ ...place, digest })
    }
  }
}

/** The reference with all defaults filled in: `docker.io/library/nginx:latest`. {@link parseImageReference} reads it back. */
export function formatImageReference(reference: ImageReference): string {
  switch (reference.transport) {
    case 'docker':
      return formatReference(reference)
    case 'upload':
      return `upload:${reference.id}${choiceOf(reference)}`
    case 'docker-daemon':
      return `docker-daemon:${reference.name}${reference.digest === undefined ? '' : `@${reference.digest}`}`
    default:
      return `${reference.transport}:${reference.path}${choiceOf(reference)}`
  }
}

function choiceOf({ name, digest }: { readonly name?: string; readonly digest?: string }): string {
  if (digest !== undefined) return `@${digest}`
  return name === undefined ? '' : `:${name}`
}

/** What to ask the source for; empty for the only image of an archive. */
export function nameIn(reference: ImageReference): string {
  switch (reference.transport) {
    case 'docker':
      return reference.digest ?? reference.tag ?? 'latest'
    case 'docker-daemon':
      return reference.digest ?? reference.name
    default:
      return reference.digest ?? reference.name ?? ''
  }
}
