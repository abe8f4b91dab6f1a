/** Pages of a repository's tags. Source: OCI distribution-spec v1.1, "Listing Tags"; RFC 8288 for `Link`. */
import { z } from 'zod'
import { Problem } from '../problem.ts'

export type TagPage = {
  readonly names: readonly string[]
  /** Where the next page begins; undefined on the last. */
  readonly next?: string
}

/** A place in a registry's list: a page by the query that the registry itself gave, and how many of its tags to skip. */
export type TagPlace = { readonly query: string; readonly skip: number }

const TAG = /^\w[\w.-]{0,127}$/
/** Far above what any registry has in one page. */
const MAX_TAGS_IN_PAGE = 100_000

const pageSchema = z.object({ tags: z.array(z.string()).max(MAX_TAGS_IN_PAGE).nullish() })

/** The tags of one page, in the registry's order; what is no tag by the grammar is left out, since nothing can pull it. */
export function parseTagPage(bytes: Uint8Array, registry: string): readonly string[] {
  try {
    const page = pageSchema.parse(JSON.parse(new TextDecoder().decode(bytes)))
    return (page.tags ?? []).filter((tag) => TAG.test(tag))
  } catch {
    throw new Problem('registry_error', `${registry} answered a list of tags that cannot be read`)
  }
}

/** The target of the `Link` with `rel="next"`; undefined where there is none. */
export function nextLink(header: string | null): string | undefined {
  for (const [, target, parameters] of (header ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[^;,]+)*)/g))
    if (/;\s*rel\s*=\s*"?(?:[^";]*\s)?next(?:\s[^";]*)?"?\s*(?:;|$)/i.test(parameters ?? '')) return target
  return undefined
}

export function formatTagPlace({ query, skip }: TagPlace): string {
  return `${skip}?${query}`
}

/** @throws Problem `invalid_parameter` for what {@link formatTagPlace} never made */
export function parseTagPlace(text: string): TagPlace {
  const [, skip, query] = /^(\d{1,6})\?([\x20-\x7e]{0,2000})$/.exec(text) ?? []
  if (skip === undefined || query === undefined)
    throw new Problem('invalid_parameter', 'cursor: it names no page of tags', { parameter: 'cursor' })
  return { query, skip: Number(skip) }
}
