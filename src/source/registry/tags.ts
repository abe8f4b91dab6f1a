/** Pages of a repository's tags. Source: OCI distribution-spec v1.1, "Listing Tags"; RFC 8288 for `Link`. */
import { z } from 'zod'
import type { Repository } from '../../oci/reference.ts'
import { Problem } from '../../problem.ts'
import type { AuthenticatedClient, Caller } from './ask.ts'
import { readAll } from './body.ts'
import { endpointOf, guardNamed } from './guard.ts'
import { EQUALS, HeaderScanner, SEPARATORS, TOKEN } from './header-scanner.ts'

export type TagPage = {
  readonly names: readonly string[]
  /** Where the next page begins; undefined on the last page. */
  readonly next?: string
}

export type TagsQuestion = {
  readonly limit: number
  /** The `next` of the previous page. */
  readonly after?: string
  /** How many pages of the registry's are read at most. */
  readonly pages?: number
}

/** A position in a registry's list: the registry's own query for a page, and how many of its tags to skip. */
export type TagPosition = { readonly query: string; readonly skip: number }

const TAG = /^\w[\w.-]{0,127}$/
/** More than any registry has in one page. */
const MAX_TAGS_IN_PAGE = 100_000
const MAX_PAGE_BYTES = 4 * 1024 * 1024
const MAX_LINK_LENGTH = 8_192
/** A URI contains no angle brackets, so an unclosed target ends at the next one. */
const LINK_TARGET = /<([^<>]*)>/y
const SEMICOLON = /[ \t]*;[ \t]*/y
/** How many registry pages are requested at most to fill one of ours. */
const MAX_PAGES = 20
/** More at once than some registries allow. */
const MAX_TAGS_ASKED = 1_000

const pageSchema = z.object({ tags: z.array(z.string()).max(MAX_TAGS_IN_PAGE).nullish() })

/** The tags of one page, in the registry's order, without invalid tags, which nobody can pull. */
export function parseTagPage(bytes: Uint8Array, registry: string): readonly string[] {
  try {
    const page = pageSchema.parse(JSON.parse(new TextDecoder().decode(bytes)))
    return (page.tags ?? []).filter((tag) => TAG.test(tag))
  } catch {
    throw new Problem('registry_error', `${registry} sent a list of tags that is not valid JSON with tags`)
  }
}

/** Reads the parameters of one link. @returns whether it leads to the next page: only its first `rel` counts */
function takeIsNext(scanner: HeaderScanner): boolean {
  let relations: string | undefined
  while (scanner.take(SEMICOLON) !== undefined) {
    const name = scanner.take(TOKEN)?.[0].toLowerCase()
    if (name === undefined || scanner.take(EQUALS) === undefined) continue
    const value = scanner.takeValue()
    if (value === undefined) break
    if (name === 'rel') relations ??= value
  }
  return (relations ?? '').toLowerCase().split(/\s/).includes('next')
}

/** The target of the `Link` with `rel="next"`; undefined without one. */
export function nextLink(header: string | null): string | undefined {
  const scanner = new HeaderScanner((header ?? '').slice(0, MAX_LINK_LENGTH))
  while (scanner.take(SEPARATORS) && !scanner.ended) {
    const target = scanner.take(LINK_TARGET)?.[1]
    if (target !== undefined && takeIsNext(scanner)) return target
    scanner.skipToComma()
  }
  return undefined
}

export function formatTagPosition({ query, skip }: TagPosition): string {
  return `${skip}?${query}`
}

/** @throws Problem `invalid_parameter` for text that {@link formatTagPosition} did not make */
export function parseTagPosition(text: string): TagPosition {
  const [, skip, query] = /^(\d{1,6})\?([\x20-\x7e]{0,2000})$/.exec(text) ?? []
  if (skip === undefined || query === undefined)
    throw new Problem(
      'invalid_parameter',
      'cursor is not valid: send the nextCursor of the previous page, unchanged',
      { parameter: 'cursor' },
    )
  return { query, skip: Number(skip) }
}

/** Only the query of the link is used: the path is known, and the host must be the registry's. */
function nextQuery(
  { transport }: AuthenticatedClient,
  registry: string,
  response: Response,
): string | undefined {
  const link = nextLink(response.headers.get('link'))
  if (link === undefined) return undefined
  const url = URL.parse(link, endpointOf(registry, 'https'))
  if (url === null)
    throw new Problem('registry_error', `the list of tags of ${registry} links to an invalid URL`)
  guardNamed(url, 'page link', registry, transport.rulesOf(registry))
  return url.search.slice(1) || undefined
}

function readPage(
  authenticatedClient: AuthenticatedClient,
  repository: Repository,
  query: string,
  caller: Caller,
): Promise<{ readonly tags: readonly string[]; readonly next: string | undefined }> {
  const { registry } = repository
  const question = { method: 'GET', path: `tags/list?${query}`, subject: { kind: 'tags' } } as const
  return authenticatedClient.ask(repository, question, caller, async ({ response }, { refuse, signal }) => {
    if (response.status !== 200) throw await refuse()
    const what = `${registry}'s list of tags`
    const { timeouts } = authenticatedClient.transport
    const bytes = await readAll(response, { limit: MAX_PAGE_BYTES, what, timeouts, signal })
    return { tags: parseTagPage(bytes, registry), next: nextQuery(authenticatedClient, registry, response) }
  })
}

/** See `RegistryClient.tags`. */
export async function readTags(
  authenticatedClient: AuthenticatedClient,
  repository: Repository,
  caller: Caller,
  { limit, after, pages = MAX_PAGES }: TagsQuestion,
): Promise<TagPage> {
  const { registry } = repository
  const what = `the tags of ${registry}/${repository.repository}`
  // All pages together share the time limit of one question.
  return authenticatedClient.transport.limited({ registry, what, caller }, async (bounds) => {
    const names: string[] = []
    const first = { query: `n=${Math.min(limit, MAX_TAGS_ASKED)}`, skip: 0 }
    let place: TagPosition = after === undefined ? first : parseTagPosition(after)
    for (let read = 0; read < pages && names.length < limit; read++) {
      const { tags, next } = await readPage(authenticatedClient, repository, place.query, {
        ...caller,
        ...bounds,
      })
      const fresh = tags.slice(place.skip)
      const room = limit - names.length
      names.push(...fresh.slice(0, room))
      if (fresh.length > room)
        return { names, next: formatTagPosition({ ...place, skip: place.skip + room }) }
      if (next === undefined) return { names }
      if (next === place.query)
        throw new Problem('registry_error', `could not list ${what}: its pages form a loop`)
      place = { query: next, skip: 0 }
    }
    return { names, next: formatTagPosition(place) }
  })
}
