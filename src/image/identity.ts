/** Names of an image, for people and machines, in a registry or elsewhere. */
import type { ImageIdentity } from './report.ts'

/** Where it is: its registry, or else its transport. */
export function sourceName({ registry, transport }: ImageIdentity): string {
  return registry ?? transport
}

/**
 * What stays the same from build to build, without tag and digest: `docker.io/library/nginx`. For images outside registries
 * only the transport, since each upload has another name.
 */
export function repositoryName({ registry, repository, transport }: ImageIdentity): string {
  return registry === undefined || repository === undefined ? transport : `${registry}/${repository}`
}

/** Repository and tag or digest, without the registry; outside registries the whole reference. */
export function shortName({ repository, tag, digest, reference }: ImageIdentity): string {
  if (repository === undefined) return reference
  const what = repository.replace(/^library\//, '')
  return tag === undefined ? `${what}@${digest.slice(0, 19)}…` : `${what}:${tag}`
}
