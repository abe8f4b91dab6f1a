/** The address of a request's client: that of its connection, or what trusted proxies say about theirs. */
import ipaddr from 'ipaddr.js'

type Address = ReturnType<typeof ipaddr.process>

/** One `for` of RFC 7239, with or without quotes. */
const FORWARDED_FOR = /(?:^|[;,]\s*)for=(?:"([^"]*)"|([^;,\s"]*))/gi
/** An address with or without a port, an IPv6 one in brackets where it has a port. */
const NODE = /^(?:\[([^\]]+)\](?::\d+)?|(\d+(?:\.\d+){3})(?::\d+)?|([0-9a-f:.]+))$/i
/** What a client could write there itself must not cost time. */
const MOST_NODES = 64

/**
 * The rightmost address of `X-Forwarded-For`, or of `Forwarded` if there is none, that is no trusted proxy's. Each proxy adds
 * the address of its own client at the right, so all further left is what that client says.
 *
 * @param connected the address of the connection: unless it is a proxy's, nothing else counts
 * @param proxies CIDRs
 */
export function clientAddress(connected: string, headers: Headers, proxies: readonly string[]): string {
  let client = parsed(connected)
  if (client === undefined || proxies.length === 0) return connected
  for (const node of forwardedNodes(headers)) {
    if (!isProxy(client, proxies)) break
    const next = parsed(node)
    // What a proxy hides (`unknown`, `_gateway`) counts as the proxy's.
    if (next === undefined) break
    client = next
  }
  return client.toString()
}

/** From the right. */
function forwardedNodes(headers: Headers): readonly string[] {
  const listed = headers.get('x-forwarded-for')
  const nodes =
    listed === null
      ? [...(headers.get('forwarded') ?? '').matchAll(FORWARDED_FOR)].map(
          ([, quoted, plain]) => quoted ?? plain ?? '',
        )
      : listed.split(',')
  return nodes.slice(-MOST_NODES).reverse()
}

function parsed(node: string): Address | undefined {
  const [, bracketed, ipv4, other] = NODE.exec(node.trim()) ?? []
  const address = bracketed ?? ipv4 ?? other ?? ''
  return ipaddr.isValid(address) ? ipaddr.process(address) : undefined
}

function isProxy(address: Address, proxies: readonly string[]): boolean {
  return proxies.some((range) => {
    const [network, bits] = ipaddr.parseCIDR(range)
    return network.kind() === address.kind() && address.match(network, bits)
  })
}
