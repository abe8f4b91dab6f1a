/** Calls of the REST API of a forge. */
import { z } from 'zod'
import { parseJson } from '../../src/text/json.ts'

export type Forge = {
  /** As messages name it. */
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export type Call = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT'
  readonly path: string
  readonly body?: unknown
}

const REQUEST_MILLISECONDS = 30_000

/** @throws Error with the forge's message if it refuses */
export async function call(forge: Forge, { method, path, body }: Call): Promise<unknown> {
  const response = await fetch(`${forge.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'user-agent': 'lamina', ...forge.headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.any([forge.signal, AbortSignal.timeout(REQUEST_MILLISECONDS)]),
  })
  const answer = parseJson(await response.text())
  if (response.ok) return answer
  const { message } = z.object({ message: z.string() }).catch({ message: 'no reason given' }).parse(answer)
  throw new Error(`${forge.name} answered ${response.status}: ${message}`)
}

const PAGE = 100
/** If there are more comments, a second one is written instead of searching on. */
const MAX_PAGES = 50

/** The pages of a list, until `find` finds something. @param path with a query */
export async function findInPages<Item>(
  forge: Forge,
  path: string,
  find: (page: unknown) => { readonly found?: Item | undefined; readonly length: number },
): Promise<Item | undefined> {
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { found, length } = find(
      await call(forge, { method: 'GET', path: `${path}&per_page=${PAGE}&page=${page}` }),
    )
    if (found !== undefined || length < PAGE) return found
  }
  return undefined
}
