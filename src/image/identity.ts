/** How people and machines call an image that may be in a registry or elsewhere. */
import type { ImageIdentity } from './report.ts'

/** Where it is: its registry, else its transport. */
export function placeName({ registry, transport }: ImageIdentity): string {
  return registry ?? transport
}

/**
 * What stays the same from one build to the next, without tag and digest: `docker.io/library/nginx`. Of an image that is in
 * no registry its transport, since an upload has another name each time.
 */
export function repositoryName({ registry, repository, transport }: ImageIdentity): string {
  return registry === undefined || repository === undefined ? transport : `${registry}/${repository}`
}

/** Repository and tag or digest, as one would say it, without the registry; elsewhere the whole reference. */
export function shortName({ repository, tag, digest, reference }: ImageIdentity): string {
  if (repository === undefined) return reference
  const what = repository.replace(/^library\//, '')
  return tag === undefined ? `${what}@${digest.slice(0, 19)}…` : `${what}:${tag}`
}
