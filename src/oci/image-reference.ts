/** References to images wherever they are, in the words of containers-transports(5): `nginx:1.27`, `docker://nginx:1.27`. */
import { formatReference, parseReference, type Reference } from './reference.ts'

/** An image in a registry. */
export type DockerReference = Reference & { readonly transport: 'docker' }

export type ImageReference = DockerReference

export type TransportName = ImageReference['transport']

const DOCKER = 'docker://'

/**
 * @throws Problem `invalid_reference`, naming the part that is wrong; `unsupported_digest` for any digest but sha256
 */
export function parseImageReference(text: string): ImageReference {
  const name = text.startsWith(DOCKER) ? text.slice(DOCKER.length) : text
  return { transport: 'docker', ...parseReference(name) }
}

/** The same place, and of what it holds the image of this digest. @throws Problem as {@link parseImageReference} */
export function pinnedReference(text: string, digest: string): string {
  const { tag, ...reference } = parseImageReference(text)
  return formatImageReference({ ...reference, digest })
}

/** The reference with all defaults filled in: `docker.io/library/nginx:latest`. */
export function formatImageReference(reference: ImageReference): string {
  return formatReference(reference)
}
