import { parseAccept } from 'hono/utils/accept'
import { Problem } from '../problem.ts'
import type { RequestContext } from './backend.ts'

/**
 * The offered media type that the caller prefers: by quality, then in the order of the offers. A header that
 * allows none of them is ignored (RFC 9110, section 12.5.1): the first offer wins.
 *
 * @param offers media types, the default first
 */
export function preferredType<T extends string>(accept: string | undefined, offers: readonly [T, ...T[]]): T {
  let best: T = offers[0]
  let bestQuality = 0
  if (accept === undefined || accept === '*/*') return best
  const ranges = parseAccept(accept)
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges)
    if (quality > bestQuality) {
      best = offer
      bestQuality = quality
    }
  }
  return best
}

/**
 * Whether the caller names problems' own media type: it then reads them as JSON, in whatever form it wants answers.
 */
export function readsProblems(accept: string | undefined): boolean {
  return accept !== undefined && parseAccept(accept).some(({ type, q }) => type === PROBLEM && q > 0)
}

export const PROBLEM = 'application/problem+json'

type Range = { readonly type: string; readonly q: number }

/** The most specific range that matches decides. */
function qualityOf(offer: string, ranges: readonly Range[]): number {
  const [kind = ''] = offer.split('/')
  for (const wanted of [offer, `${kind}/*`, '*/*']) {
    const range = ranges.find(({ type }) => type.toLowerCase() === wanted)
    if (range !== undefined) return range.q
  }
  return 0
}

type ListQuery = { readonly limit?: number | undefined; readonly cursor?: string | undefined }

/**
 * Whether a list is to be streamed, whole and one object a line.
 *
 * @throws Problem `invalid_parameter` where a page of it is asked for as well
 */
export function wantsLines(context: RequestContext, query: ListQuery): boolean {
  const type = preferredType(context.req.header('Accept'), ['application/json', 'application/x-ndjson'])
  if (type === 'application/json') return false
  for (const parameter of ['cursor', 'limit'] as const) {
    if (query[parameter] === undefined) continue
    const detail = `${parameter} is for pages; application/x-ndjson is the whole list`
    throw new Problem('invalid_parameter', detail, { parameter })
  }
  return true
}
