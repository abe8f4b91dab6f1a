/** Ranges of addresses, as workerd's network takes them. */
import ipaddr from 'ipaddr.js'

/** The addresses that are in a range of both lists, as ranges. */
export function inBoth(some: readonly string[], others: readonly string[]): string[] {
  return some.flatMap((one) => others.flatMap((other) => narrower(one, other) ?? []))
}

/** The smaller of two ranges, if it is inside the other. */
function narrower(one: string, other: string): string | undefined {
  const [first, firstBits] = ipaddr.parseCIDR(one)
  const [second, secondBits] = ipaddr.parseCIDR(other)
  if (first.kind() !== second.kind()) return undefined
  if (!first.match(second, Math.min(firstBits, secondBits))) return undefined
  return firstBits >= secondBits ? one : other
}
