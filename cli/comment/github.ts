/** Comments on a pull request of GitHub. Source: GitHub's REST API, "Issue comments", "Pull requests". */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { parseJson } from '../../src/text/json.ts'
import type { Comments } from './keep.ts'
import { call, type Forge, findInPages } from './rest.ts'

export type Environment = Readonly<Record<string, string | undefined>>

const eventSchema = z.object({ pull_request: z.object({ number: z.int() }) })

/** The run that another run is about. */
const runSchema = z.object({
  workflow_run: z.object({
    head_branch: z.string(),
    head_sha: z.string(),
    head_repository: z.object({ full_name: z.string(), owner: z.object({ login: z.string() }) }),
    html_url: z.string(),
  }),
})

const pullsSchema = z.array(
  z.object({
    number: z.int(),
    head: z.object({ sha: z.string(), repo: z.object({ full_name: z.string() }).nullish() }),
  }),
)

const commentsSchema = z.array(
  z.object({
    id: z.int(),
    body: z.string().nullish(),
    user: z.object({ type: z.string() }).nullish(),
    author_association: z.string().optional(),
  }),
)
type Comment = z.output<typeof commentsSchema>[number]

/** Only authors who may write to the repository: anybody else could have put the mark into a comment. */
const WRITERS = new Set(['OWNER', 'MEMBER', 'COLLABORATOR'])

export type PullRequest = {
  readonly number: number
  /** Address of the run that read the image. */
  readonly run?: string | undefined
}

export function github(env: Environment, token: string, signal: AbortSignal): Forge {
  return {
    name: 'GitHub',
    url: env.GITHUB_API_URL || 'https://api.github.com',
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'x-github-api-version': '2022-11-28',
    },
    signal,
  }
}

/**
 * The pull request that the run is for; undefined for other events. That of another run is found by its branch and commit, which
 * GitHub tells: what that run wrote could name any pull request.
 */
export async function pullRequest(forge: Forge, env: Environment): Promise<PullRequest | undefined> {
  const { GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = env
  if (!repository) return undefined
  const event = await eventOf(env)
  const own = ownNumber(event)
  if (own !== undefined) {
    const run = id && `${env.GITHUB_SERVER_URL || 'https://github.com'}/${repository}/actions/runs/${id}`
    return { number: own, run }
  }
  const other = runSchema.safeParse(event).data?.workflow_run
  if (other === undefined) return undefined
  const { head_branch: branch, head_sha: sha, head_repository: head, html_url: run } = other
  const query = new URLSearchParams({ state: 'open', head: `${head.owner.login}:${branch}`, per_page: '100' })
  const pulls = pullsSchema.parse(
    await call(forge, { method: 'GET', path: `/repos/${repository}/pulls?${query}` }),
  )
  const pull = pulls.find((one) => one.head.sha === sha && one.head.repo?.full_name === head.full_name)
  return pull && { number: pull.number, run }
}

/** Whether the run is for a pull request itself. */
export async function isForPullRequest(env: Environment): Promise<boolean> {
  return ownNumber(await eventOf(env)) !== undefined
}

async function eventOf({ GITHUB_EVENT_PATH: path }: Environment): Promise<unknown> {
  return path ? parseJson(await readFile(path, 'utf8').catch(() => '')) : undefined
}

function ownNumber(event: unknown): number | undefined {
  return eventSchema.safeParse(event).data?.pull_request.number
}

export function pullRequestComments(forge: Forge, repository: string, number: number): Comments {
  const issues = `/repos/${repository}/issues`
  return {
    find: (mark) =>
      findInPages(forge, `${issues}/${number}/comments?sort=created`, (page) => {
        const comments = commentsSchema.parse(page)
        const ours = comments.find((one) => one.body?.trimEnd().endsWith(mark) && isTrusted(one))
        return { found: ours && String(ours.id), length: comments.length }
      }),
    async create(body) {
      await call(forge, { method: 'POST', path: `${issues}/${number}/comments`, body: { body } })
    },
    async update(id, body) {
      await call(forge, { method: 'PATCH', path: `${issues}/comments/${id}`, body: { body } })
    },
  }
}

function isTrusted({ user, author_association: association = '' }: Comment): boolean {
  return user?.type === 'Bot' || WRITERS.has(association)
}
