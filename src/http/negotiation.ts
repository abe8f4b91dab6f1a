/** Chooses the form of an answer from `Accept` and `format`. */
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
 * Whether the caller accepts `application/problem+json` by name: it then reads problems as JSON, whatever form it wants answers
 * in.
 */
export function readsProblems(accept: string | undefined): boolean {
  return accept !== undefined && parseAccept(accept).some(({ type, q }) => type === PROBLEM && q > 0)
}

export const PROBLEM = 'application/problem+json'

type Range = { readonly type: string; readonly q: number }

/** The most specific matching range decides. */
function qualityOf(offer: string, ranges: readonly Range[]): number {
  const [kind = ''] = offer.split('/')
  for (const wanted of [offer, `${kind}/*`, '*/*']) {
    const range = ranges.find(({ type }) => type.toLowerCase() === wanted)
    if (range !== undefined) return range.q
  }
  return 0
}

/** The forms of answers by their names in `format`. */
export const FORMS = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
  markdown: 'text/markdown',
  text: 'text/plain',
  svg: 'image/svg+xml',
} as const

export type FormName = keyof typeof FORMS

/** The forms of lists and tables. */
export type ListFormName = Exclude<FormName, 'svg'>

/**
 * The form that the caller wants: the one in `format`, else the most preferred of `Accept`.
 *
 * @param offers the default first
 */
export function chosenForm<Name extends FormName>(
  context: RequestContext,
  named: Name | undefined,
  offers: readonly [Name, ...Name[]],
): Name {
  if (named !== undefined) return named
  const [first, ...rest] = offers
  const types = [FORMS[first], ...rest.map((name) => FORMS[name])] as const
  const type: string = preferredType<string>(context.req.header('Accept'), types)
  return offers.find((name) => FORMS[name] === type) ?? first
}

/** `Content-Type` of a form; all but JSON state the charset. */
export function contentTypeOf(form: FormName): string {
  return form === 'json' || form === 'ndjson' ? FORMS[form] : `${FORMS[form]}; charset=utf-8`
}

type PageQuery = { readonly limit?: number | undefined; readonly cursor?: string | undefined }

/** @throws Problem `invalid_parameter` if a page of a whole list is requested */
export function requireNoPage(query: PageQuery, form: FormName): void {
  for (const parameter of ['cursor', 'limit'] as const) {
    if (query[parameter] === undefined) continue
    const detail = `${parameter} does not apply to ${FORMS[form]}, which has the whole list`
    throw new Problem('invalid_parameter', detail, { parameter })
  }
}
