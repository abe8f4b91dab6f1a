/** The registries that need no setting on one's own machine. */

/** Only this machine can reach what listens on loopback: it needs no TLS. */
export const LOOPBACK = '127.0.0.0/8,::1/128'
/**
 * A command protects no server from its callers: the registries that its user names may have addresses of a private network (RFC
 * 1918, RFC 4193). Link-local addresses, where clouds serve machines their credentials, need the setting.
 */
export const OWN_NETWORK = `${LOOPBACK},10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7`

/** A list of registries with these ranges as well. */
export function withRanges(list: string | undefined, ranges: string): string {
  return list ? `${list},${ranges}` : ranges
}
