/** One comment for each image name: found again by a hidden mark, kept up to date, and first written when there is something to say. */
import { type CommentFacts, commentMarkdown } from '../../src/formats/comment-markdown.ts'
import { parseImageReference } from '../../src/oci/image-reference.ts'
import { type GrowthLimit, parseGrowthLimit } from '../../src/text/limit.ts'
import { Failure } from '../failure.ts'
import { isWorthTelling } from './facts.ts'

/** The comments on one pull request. */
export type Comments = {
  /** The ID of our comment that ends with the mark. */
  find(mark: string): Promise<string | undefined>
  create(body: string): Promise<void>
  update(id: string, body: string): Promise<void>
}

export type CommentOptions = {
  readonly threshold: GrowthLimit
  /** Address of a service that may show the picture. */
  readonly server?: string | undefined
  /** Address of the whole report. */
  readonly report?: string | undefined
  readonly signal: AbortSignal
}

export const DEFAULT_THRESHOLD = '0.1%'

/** @throws Failure `invalid_parameter` */
export function readThreshold(text: string = DEFAULT_THRESHOLD): GrowthLimit {
  try {
    return parseGrowthLimit(text, 'comment-threshold')
  } catch (error) {
    throw new Failure('invalid_parameter', error instanceof Error ? error.message : String(error))
  }
}

/** @returns what it did */
export async function keepComment(
  comments: Comments,
  facts: CommentFacts,
  { threshold, server, report, signal }: CommentOptions,
): Promise<'silent' | 'created' | 'updated'> {
  const mark = `<!-- lamina ${keyOf(facts.image.reference)} -->`
  const found = await comments.find(mark)
  if (found === undefined && !isWorthTelling(facts, threshold)) return 'silent'
  const picture = await pictureOf(facts, server, signal)
  const body = `${commentMarkdown(facts, { picture, report })}\n${mark}`
  if (found === undefined) {
    await comments.create(body)
    return 'created'
  }
  await comments.update(found, body)
  return 'updated'
}

/** The image without what changes from build to build. */
function keyOf(image: string): string {
  const reference = parseImageReference(image)
  switch (reference.transport) {
    case 'docker':
      return `${reference.registry}/${reference.repository}`
    case 'docker-daemon':
      return harmless(`docker-daemon:${reference.name.replace(/:[^:/]*$/, '')}`)
    case 'upload':
      return 'upload'
    default:
      return harmless(`${reference.transport}:${reference.path}`)
  }
}

/** What ends no comment of HTML. */
function harmless(key: string): string {
  return key.replaceAll('--', '- -').replaceAll('>', '')
}

const PICTURE_MILLISECONDS = 20_000
const PICTURE_WIDTH = '720'

/** Undefined unless the service shows it to everybody: renderers of comments have no credentials. */
async function pictureOf(
  { diff }: CommentFacts,
  server: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (diff === undefined || server === undefined) return undefined
  const names = [diff.from, diff.to].map(
    ({ registry, repository, digest }) => registry && repository && `${registry}/${repository}@${digest}`,
  )
  const [from, to] = names
  if (from === undefined || to === undefined) return undefined
  const url = new URL('/v1/diff', server)
  url.search = String(new URLSearchParams({ from, to, format: 'svg', width: PICTURE_WIDTH }))
  if (url.username !== '' || url.password !== '') return undefined
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PICTURE_MILLISECONDS)])
    const answer = await fetch(url, { signal: limit, redirect: 'error' })
    await answer.body?.cancel()
    const isPicture = answer.headers.get('content-type')?.startsWith('image/svg+xml') ?? false
    return answer.ok && isPicture ? url.href : undefined
  } catch {
    return undefined
  }
}
