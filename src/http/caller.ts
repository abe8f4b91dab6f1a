/** The credentials of a request for registries: its own headers, else the service's credentials. */

import type { Configuration } from '../configuration.ts'
import { type Credential, parseRegistryAuth, parseRegistryConfig } from '../oci/credential.ts'
import { parseImageReference } from '../oci/image-reference.ts'
import type { CallerCredentials } from '../open/open-image.ts'
import { Problem } from '../problem.ts'
import type { BaseCaller } from '../service/base/open-once.ts'
import type { Backend, RequestContext } from './backend.ts'

/**
 * @param references every reference of the request; empty if its one registry is known only later
 * @throws Problem `invalid_parameter`: a header that cannot be read, or `X-Registry-Auth` that could be for either of two
 *   registries
 */
export function callerCredentials(
  configuration: Configuration,
  context: RequestContext,
  references: readonly string[] = [],
): CallerCredentials {
  const lent = configuration.credentials
  const auth = context.req.header('X-Registry-Auth')
  const config = context.req.header('X-Registry-Config')
  if (auth === undefined && config === undefined) return { for: (registry) => lent.get(registry) }
  const own = config === undefined ? undefined : parseRegistryConfig(config)
  const single = auth === undefined ? undefined : credentialOfAuth(auth, references)
  return { for: (registry) => single?.(registry) ?? own?.get(registry) ?? lent.get(registry) }
}

/** @param references of the request: no other registry gets what `X-Registry-Auth` has */
export function baseCaller(
  { host }: Pick<Backend, 'host'>,
  context: RequestContext,
  references: readonly string[],
): BaseCaller {
  return {
    credentials: callerCredentials(host.configuration, context, references),
    signal: context.req.raw.signal,
  }
}

/**
 * The header's credential goes to the registry that it names, else to the one that the request asks, and to no other that an image
 * names.
 */
function credentialOfAuth(
  header: string,
  references: readonly string[],
): (registry: string) => Credential | undefined {
  const { credential, serverAddress } = parseRegistryAuth(header)
  const registries = new Set(references.flatMap(registryOf))
  if (serverAddress === undefined) {
    if (registries.size > 1)
      throw refused('needs a serveraddress, because this request uses more than one registry')
    return (registry) => (references.length === 0 || registries.has(registry) ? credential : undefined)
  }
  if (registries.size > 0 && !registries.has(serverAddress)) {
    throw refused(`is for ${serverAddress}, but this request uses another registry`)
  }
  return (registry) => (registry === serverAddress ? credential : undefined)
}

/** The registry of a reference; an upload has none. */
function registryOf(text: string): readonly string[] {
  const reference = parseImageReference(text)
  return reference.transport === 'docker' ? [reference.registry] : []
}

function refused(why: string): Problem {
  return new Problem('invalid_parameter', `X-Registry-Auth ${why}`, { parameter: 'X-Registry-Auth' })
}
