/**
 * The referrers API of a registry: what names a manifest as its subject. Source: OCI distribution-spec v1.1, "Listing Referrers".
 * Registries without it keep the same list under a tag.
 */
import { z } from 'zod'
import type { Repository } from '../../oci/reference.ts'
import { Problem } from '../../problem.ts'
import { hasMoreParts, parseJson } from '../../text/json.ts'
import type { AuthenticatedClient, Caller, Question } from './ask.ts'
import { discard, readAll } from './body.ts'
import { endpointOf } from './guard.ts'
import { nextLink } from './tags.ts'

/** A page of descriptors, which nobody has checked. */
export type ReferrersPage = {
  readonly entries: readonly unknown[]
  /** The registry's query for the next page, or why that cannot be asked for. */
  readonly next?: string | Problem
}

const MAX_PAGE_BYTES = 4 * 1024 * 1024
const MAX_PARTS = 100_000
/** "No such API". */
const NO_API = new Set([404, 405, 501])
const INDEX = 'application/vnd.oci.image.index.v1+json'

const indexSchema = z.object({ mediaType: z.string().nullish(), manifests: z.array(z.unknown()).nullish() })

/** The entries of an index; `null` is an empty list. Undefined for anything else. */
export function entriesOfIndex(bytes: Uint8Array): readonly unknown[] | undefined {
  if (hasMoreParts(bytes, MAX_PARTS)) return undefined
  const { data } = indexSchema.safeParse(parseJson(bytes))
  if (data === undefined || (data.manifests === undefined && data.mediaType !== INDEX)) return undefined
  return data.manifests ?? []
}

/**
 * @param query the `next` of the page before
 * @returns undefined if the registry does not have the API
 * @throws Problem `registry_error`, `too_large`, …
 */
export function readReferrers(
  client: AuthenticatedClient,
  repository: Repository & { readonly digest: string; readonly query?: string | undefined },
  caller: Caller,
): Promise<ReferrersPage | undefined> {
  const { registry, digest, query } = repository
  const question: Question = {
    method: 'GET',
    path: `referrers/${digest}${query === undefined ? '' : `?${query}`}`,
    headers: { accept: INDEX },
    subject: { kind: 'referrers', digest },
  }
  return client.ask(repository, question, caller, async ({ response }, { refuse, signal }) => {
    if (NO_API.has(response.status)) {
      await discard(response)
      return undefined
    }
    if (response.status !== 200) throw await refuse()
    const what = `${registry}'s list of referrers`
    const { timeouts } = client.transport
    const bytes = await readAll(response, { limit: MAX_PAGE_BYTES, what, timeouts, signal })
    const entries = entriesOfIndex(bytes)
    if (entries === undefined) throw new Problem('registry_error', `${what} is not an image index`)
    const next = nextQuery(registry, response)
    return { entries, ...(next === undefined ? {} : { next }) }
  })
}

/** Only the query of the link is used: the path is known, and the host must be the registry's. */
function nextQuery(registry: string, response: Response): string | Problem | undefined {
  const link = nextLink(response.headers.get('link'))
  if (link === undefined) return undefined
  const own = endpointOf(registry, 'https')
  const url = URL.parse(link, own)
  if (url?.host !== own.host)
    return new Problem('registry_error', `${registry}'s list of referrers continues on another host`)
  return url.search.slice(1) || undefined
}
