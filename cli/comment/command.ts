/** `--comment` of `lamina check` and `lamina diff`: keeps the comment on the pull or merge request of this CI run. */
import type { ApiCaller } from '../ask.ts'
import { Failure, systemReason } from '../failure.ts'
import { type CommentQuestion, gatherFacts, readFacts } from './facts.ts'
import { type Environment, github, pullRequest, pullRequestComments } from './github.ts'
import { mergeRequestComments } from './gitlab.ts'
import { type Comments, keepComment, readThreshold } from './keep.ts'

export type CommentSettings = {
  readonly env: Environment
  readonly threshold: string | undefined
  readonly server: string | undefined
  /** Names that readers know, in place of those of uploads. */
  readonly named: (text: string) => string
  /** Tells what the comment lacks. */
  readonly warn: (message: string) => void
}

/** @throws Failure outside of GitHub Actions and GitLab CI */
export function requireForge({ GITHUB_ACTIONS: github, GITLAB_CI: gitlab }: Environment): void {
  if (github !== 'true' && gitlab !== 'true')
    throw new Failure('usage', '--comment works in GitHub Actions and GitLab CI')
}

type Destination = { readonly comments: Comments; readonly report?: string | undefined }

/**
 * A comment that cannot be written is no failure.
 *
 * @returns what to tell; undefined if there is nothing to tell
 */
export async function comment(
  caller: ApiCaller,
  question: CommentQuestion,
  { env, threshold: limit, server, named, warn }: CommentSettings,
): Promise<string | undefined> {
  const { signal } = caller
  const threshold = readThreshold(limit)
  const name = env.GITHUB_ACTIONS === 'true' ? 'GITHUB_TOKEN' : 'GITLAB_TOKEN'
  const token = env[name]
  if (!token) return `no comment: ${name} is not set`
  try {
    const place = await destinationOf(env, token, signal)
    if (place === undefined) return 'no comment: this run is not about a pull or merge request'
    const facts = readFacts(named(await gatherFacts(caller, question, warn)))
    const done = await keepComment(place.comments, facts, { threshold, server, report: place.report, signal })
    return done === 'silent' ? 'no comment: the change is below the threshold' : undefined
  } catch (error) {
    return `the comment was not written: ${systemReason(error)}`
  }
}

async function destinationOf(
  env: Environment,
  token: string,
  signal: AbortSignal,
): Promise<Destination | undefined> {
  if (env.GITHUB_ACTIONS !== 'true') {
    const comments = mergeRequestComments(env, token, signal)
    return comments && { comments, report: env.CI_JOB_URL || undefined }
  }
  const forge = github(env, token, signal)
  const pull = await pullRequest(forge, env)
  return (
    pull && {
      comments: pullRequestComments(forge, env.GITHUB_REPOSITORY ?? '', pull.number),
      report: pull.run,
    }
  )
}
