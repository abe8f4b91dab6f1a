/**
 * Which addresses may be requested. A public service contacts any registry that a caller names, and registries name
 * further addresses (realm, redirect, page link, foreign layer). Each address is checked here before a request goes to
 * it. What a name resolves to is known only at the socket, where the host checks again.
 */
import type { Configuration } from '../../configuration.ts'
import type { Reach } from '../../host.ts'
import type { Repository } from '../../oci/reference.ts'
import { Problem } from '../../problem.ts'
import { isListed, isLoopbackName, isName, parseAddress, rangesOf, specialUseOf } from './address.ts'

export type Rules = Pick<
  Configuration,
  'allowedRegistries' | 'privateRegistries' | 'insecureRegistries' | 'reachesOnlyNames'
>

/** What a registry named an address for, as messages say it. */
export type NamedAs = 'token server' | 'redirect' | 'page link' | 'foreign layer'

const HUB = 'docker.io'
/** Where Docker Hub's images really are. */
const HUB_ENDPOINT = 'registry-1.docker.io'

/**
 * Ports of other protocols, some of which might take a request for one of their own. Source: Fetch standard, "port blocking";
 * undici's fetch blocks them, too.
 */
const BAD_PORTS = new Set(
  `1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135 137
  139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 1719 1720
  1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080`.split(/\s+/),
)

const forbidden = (detail: string) => new Problem('forbidden_registry', detail)

const portOf = (url: URL) => url.port || (url.protocol === 'http:' ? '80' : '443')

/** Where the registry's API is. Docker Hub's is at another host than its references name. */
export function endpointOf(registry: string, scheme: 'http' | 'https'): URL {
  return new URL(`${scheme}://${registry === HUB ? HUB_ENDPOINT : registry}`)
}

function isListedRegistry(list: readonly string[], registry: string): boolean {
  const url = endpointOf(registry, 'https')
  return isListed(list, url.hostname, portOf(url))
}

/** Whether the registry and the addresses that it names may use plain http. */
export function isInsecure(registry: string, rules: Rules): boolean {
  return isListedRegistry(rules.insecureRegistries, registry)
}

/** Which addresses a request for this registry may reach. */
export function reachOf(registry: string, rules: Rules): Reach {
  return isListedRegistry(rules.privateRegistries, registry) ? 'private' : 'public'
}

const PLAIN: readonly Reach[] = ['publicPlain', 'listedPlain']

/** What to try, in this order, to reach a registry's own address: a range may hold what its name resolves to. */
export type Ways = { readonly https: readonly Reach[]; readonly http: readonly Reach[] }

export function waysTo(registry: string, rules: Rules): Ways {
  const reach = reachOf(registry, rules)
  const isUnknown = isName(endpointOf(registry, 'https').hostname)
  const mayBeIn = (list: readonly string[]) => isUnknown && rangesOf(list).length > 0
  const https: readonly Reach[] =
    reach === 'public' && mayBeIn(rules.privateRegistries) ? ['public', 'listed'] : [reach]
  if (isInsecure(registry, rules)) return { https, http: https }
  return { https, http: mayBeIn(rules.insecureRegistries) ? PLAIN : [] }
}

/** The rules, once it is known by which way a registry's name was reached: its address is in the lists then. */
export function rulesAfter<T extends Rules>(
  registry: string,
  { scheme, reach }: { readonly scheme: 'http' | 'https'; readonly reach: Reach },
  rules: T,
): T {
  const url = endpointOf(registry, 'https')
  const place = `${url.hostname}:${portOf(url)}`
  const { privateRegistries, insecureRegistries } = rules
  return {
    ...rules,
    privateRegistries:
      reach === 'listed' || reach === 'listedPlain' ? [...privateRegistries, place] : privateRegistries,
    insecureRegistries: scheme === 'http' ? [...insecureRegistries, place] : insecureRegistries,
  }
}

/** What to do about a refusal. */
export function toAllow(host: string): string {
  return `to allow it, add it to LAMINA_PRIVATE_REGISTRIES: LAMINA_PRIVATE_REGISTRIES=${host}`
}

/** The special use of a host, judged by its name or address alone (`loopback`, `private`); undefined for other hosts. */
function specialUse(hostname: string): string | undefined {
  const address = parseAddress(hostname.replace(/(?<!\.)\.+$/, ''))
  if (address !== undefined) return specialUseOf(address)
  return isLoopbackName(hostname) ? 'loopback' : undefined
}

/** @param place the host, as the beginning of a sentence */
function requireName(place: string, url: URL, rules: Rules): void {
  if (rules.reachesOnlyNames && parseAddress(url.hostname.replace(/(?<!\.)\.+$/, '')) !== undefined)
    throw forbidden(
      `${place} is an IP address, which a Worker on Cloudflare cannot connect to; use its host name`,
    )
}

function isAllowed(repository: Repository, allowed: readonly string[]): boolean {
  const name = `${repository.registry}/${repository.repository}`.toLowerCase()
  return allowed.some(
    (entry) => name.startsWith(`${entry.toLowerCase().replace(/(?<!\/)\/+$/, '')}/`) || name === entry,
  )
}

/**
 * Checks whether requests for a repository are allowed.
 *
 * @returns which addresses requests for it may reach
 * @throws Problem `forbidden_registry`, naming the setting that would allow it
 */
export function guardRepository(repository: Repository, rules: Rules): Reach {
  const { registry } = repository
  if (rules.allowedRegistries !== undefined && !isAllowed(repository, rules.allowedRegistries))
    throw forbidden(
      `${registry}/${repository.repository} is not in LAMINA_ALLOWED_REGISTRIES, the list of what this service may read`,
    )
  const url = endpointOf(registry, 'https')
  requireName(registry, url, rules)
  if (BAD_PORTS.has(portOf(url)))
    throw forbidden(`port ${portOf(url)} of ${registry} is reserved for another protocol`)
  const reach = reachOf(registry, rules)
  const use = specialUse(url.hostname)
  if (reach === 'public' && use !== undefined)
    throw forbidden(`${registry} is a ${use} address; ${toAllow(registry)}`)
  return reach
}

/**
 * Checks whether a request may go to an address that its registry named.
 *
 * @throws Problem `forbidden_registry` that names the setting that would allow it, if there is one
 */
export function guardNamed(url: URL, as: NamedAs, registry: string, rules: Rules): void {
  // Without path and query: a signed URL is a secret.
  const place = `the ${as} ${url.protocol}//${url.host} of ${registry}`
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw forbidden(`${place} is neither http nor https`)
  if (url.protocol === 'http:' && !isInsecure(registry, rules))
    throw forbidden(`${place} is not https; to allow http, add ${registry} to LAMINA_INSECURE_REGISTRIES`)
  if (url.username !== '' || url.password !== '') throw forbidden(`${place} contains a user name`)
  requireName(place, url, rules)
  if (BAD_PORTS.has(portOf(url))) throw forbidden(`the port of ${place} is reserved for another protocol`)
  const use = specialUse(url.hostname)
  if (use === undefined) return
  if (reachOf(registry, rules) === 'public')
    throw forbidden(
      `${place} is a ${use} address; only registries in LAMINA_PRIVATE_REGISTRIES may name one, and ${registry} is not listed`,
    )
  if (!isListed(rules.privateRegistries, url.hostname, portOf(url)))
    throw forbidden(`${place} is a ${use} address; ${toAllow(url.host)}`)
}
