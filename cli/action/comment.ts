/** One comment on a pull request, written once and kept up to date. Source: GitHub's REST API, "Issue comments". */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { parseJson } from '../../src/text/json.ts'

type Environment = Readonly<Record<string, string | undefined>>

export type CommentOptions = {
  readonly env: Environment
  readonly token: string
  /** Distinguishes this comment from those about other images. */
  readonly key: string
  readonly markdown: string
  readonly signal: AbortSignal
}

const eventSchema = z.object({ pull_request: z.object({ number: z.int() }) })
const commentsSchema = z.array(
  z.object({
    id: z.int(),
    body: z.string().nullish(),
    user: z.object({ type: z.string() }).nullish(),
    author_association: z.string().optional(),
  }),
)
type Comment = z.output<typeof commentsSchema>[number]

const PAGE = 100
/** If a pull request has more comments, we post a second one instead of searching on. */
const MAX_PAGES = 50
const REQUEST_MILLISECONDS = 30_000
/** Only authors who may write to the repository: anybody else could have put the marker into a comment. */
const WRITERS = new Set(['OWNER', 'MEMBER', 'COLLABORATOR'])

/** The number of the pull request that the run is for; undefined for other events. */
export async function pullRequest({ GITHUB_EVENT_PATH: path }: Environment): Promise<number | undefined> {
  if (!path) return undefined
  const text = await readFile(path, 'utf8').catch(() => '')
  return eventSchema.safeParse(parseJson(text)).data?.pull_request.number
}

/** @throws Error with GitHub's message if it refuses */
export async function keepComment(number: number, options: CommentOptions): Promise<void> {
  const { env, key, markdown } = options
  const marker = `<!-- lamina ${key} -->`
  const body = JSON.stringify({ body: `${marker}\n${markdown}` })
  const comments = `/repos/${env.GITHUB_REPOSITORY ?? ''}/issues`
  const found = await findComment(`${comments}/${number}/comments`, marker, options)
  if (found === undefined)
    await call(options, { method: 'POST', path: `${comments}/${number}/comments`, body })
  else await call(options, { method: 'PATCH', path: `${comments}/comments/${found}`, body })
}

async function findComment(
  path: string,
  marker: string,
  options: CommentOptions,
): Promise<number | undefined> {
  for (let page = 1; page <= MAX_PAGES; page++) {
    const text = await call(options, { method: 'GET', path: `${path}?per_page=${PAGE}&page=${page}` })
    const comments = commentsSchema.parse(parseJson(text))
    const ours = comments.find((comment) => comment.body?.startsWith(marker) && isTrusted(comment))
    if (ours !== undefined) return ours.id
    if (comments.length < PAGE) return undefined
  }
  return undefined
}

function isTrusted({ user, author_association: association = '' }: Comment): boolean {
  return user?.type === 'Bot' || WRITERS.has(association)
}

type Call = { readonly method: string; readonly path: string; readonly body?: string }

async function call({ env, token, signal }: CommentOptions, { method, path, body }: Call): Promise<string> {
  const url = `${env.GITHUB_API_URL || 'https://api.github.com'}${path}`
  const response = await fetch(url, {
    method,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'user-agent': 'lamina',
      'x-github-api-version': '2022-11-28',
    },
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MILLISECONDS)]),
  })
  const text = await response.text()
  if (response.ok) return text
  const { message = 'no reason given' } = z
    .object({ message: z.string().optional() })
    .catch({})
    .parse(parseJson(text))
  throw new Error(`GitHub answered ${response.status}: ${message}`)
}
