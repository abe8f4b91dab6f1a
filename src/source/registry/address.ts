/**
 * IP addresses: which are public, and which are in a list of hosts and ranges. Sources: the IANA special-purpose address
 * registries (RFC 6890), through ipaddr.js.
 */
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** NAT64's well-known prefix (RFC 6052): the last 32 bits are the IPv4 address that is reached. */
const NAT64 = ipaddr.parseCIDR('64:ff9b::/96')
/** Everything allocated for the public internet so far (RFC 4291). */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3')

const LOOPBACKS: readonly Address[] = [ipaddr.parse('127.0.0.1'), ipaddr.parse('::1')]

function isIPv6(address: Address): address is ipaddr.IPv6 {
  return address.kind() === 'ipv6'
}

/** The IPv4 address inside an IPv6 address that wraps it. */
function unwrap(address: Address): Address {
  if (!isIPv6(address)) return address
  if (address.isIPv4MappedAddress()) return address.toIPv4Address()
  if (!address.match(NAT64)) return address
  return new ipaddr.IPv4(address.toByteArray().slice(12))
}

/** @param text with or without brackets; undefined if it is a name */
export function parseAddress(text: string): Address | undefined {
  const bare = text.startsWith('[') ? text.slice(1, -1) : text
  return ipaddr.isValid(bare) ? unwrap(ipaddr.parse(bare)) : undefined
}

/**
 * Why an address is not part of the public internet: `loopback`, `private`, `link-local`, …; undefined if it is public. 6to4,
 * Teredo and similar addresses, which relays translate to IPv4, are not public.
 */
export function specialUseOf(address: Address): string | undefined {
  const range = address.range()
  if (range === 'unicast' && (!isIPv6(address) || address.match(GLOBAL_UNICAST))) return undefined
  switch (range) {
    case 'unicast':
      return 'reserved'
    case 'linkLocal':
      return 'link-local'
    case 'uniqueLocal':
    case 'private':
      return 'private'
    case 'carrierGradeNat':
      return 'carrier-grade NAT'
    default:
      return range
  }
}

/** Names that mean this machine everywhere (RFC 6761, section 6.3, and what distributions put in `/etc/hosts`). */
export function isLoopbackName(name: string): boolean {
  const bare = name.toLowerCase().replace(/(?<!\.)\.+$/, '')
  return /(?:^|\.)localhost$|^localhost\.localdomain$|^ip6-(?:localhost|loopback)$/.test(bare)
}

/** Whether a host is a name that only its resolver can place: neither an address nor a name of this machine. */
export function isName(host: string): boolean {
  return parseAddress(host.replace(/(?<!\.)\.+$/, '')) === undefined && !isLoopbackName(host)
}

function matchesRange(address: Address, range: string): boolean {
  try {
    const [network, bits] = ipaddr.parseCIDR(range)
    return network.kind() === address.kind() && address.match(network, bits)
  } catch {
    return false
  }
}

/** Host and port of a list entry; an entry without a port matches all ports. */
function splitEntry(entry: string): { readonly host: string; readonly port: string } {
  if (ipaddr.isValid(entry)) return { host: entry, port: '' }
  const [, host = entry, port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? []
  return { host, port }
}

/** Normalizes addresses and names for comparison. */
function canonicalHost(host: string): string {
  const name = URL.parse(`http://${host}`)?.hostname.replace(/(?<!\.)\.+$/, '') ?? host
  return parseAddress(name)?.toNormalizedString() ?? name
}

function matchesEntry(host: string, port: string, entry: string): boolean {
  const place = splitEntry(entry)
  return (place.port === '' || place.port === port) && canonicalHost(place.host) === canonicalHost(host)
}

/** The CIDRs of a list: the entries that match an address, whatever its name. */
export function rangesOf(list: readonly string[]): readonly string[] {
  return list.filter((entry) => entry.includes('/'))
}

/**
 * Whether a list of `host[:port]` and CIDR contains a host. `localhost` is in each range of loopback addresses.
 *
 * @param host a name, or an address in any spelling, IPv6 in brackets
 */
export function isListed(list: readonly string[], host: string, port: string): boolean {
  const address = parseAddress(host)
  const addresses = address !== undefined ? [address] : isLoopbackName(host) ? LOOPBACKS : []
  return list.some((entry) =>
    entry.includes('/')
      ? addresses.some((each) => matchesRange(each, entry))
      : matchesEntry(host, port, entry),
  )
}
