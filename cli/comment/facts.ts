/**
 * What a comment tells, gathered from the API as JSON: a run about a fork writes it to a file, and another run, which may
 * comment, reads it. That file is the fork's: it is only ever data.
 */
import { z } from 'zod'
import type { Advice } from '../../src/advice/advise.ts'
import { newItems } from '../../src/advice/new-items.ts'
import { baseShare } from '../../src/base/move.ts'
import { worthwhileItems } from '../../src/formats/advice-view.ts'
import type { Build, CommentFacts } from '../../src/formats/comment-markdown.ts'
import { comparedSize } from '../../src/formats/diff-view.ts'
import { adviceSchema } from '../../src/http/routes/advice.schema.ts'
import { verdictSchema } from '../../src/http/routes/check.schema.ts'
import { diffSchema } from '../../src/http/routes/diff.schema.ts'
import { identitySchema, sizesSchema } from '../../src/http/routes/report.schema.ts'
import { updateSchema } from '../../src/http/routes/update.schema.ts'
import { parseJson } from '../../src/text/json.ts'
import { type GrowthLimit, isBelowPercent } from '../../src/text/limit.ts'
import { type ApiCaller, ask, type Target } from '../ask.ts'
import { Failure } from '../failure.ts'

export type CommentQuestion = {
  readonly image: Target
  /** If its registry has it. */
  readonly baseline?: Target | undefined
  /** The baseline does not exist yet. */
  readonly isFirst: boolean
  /** The JSON of `/v1/check`, if there are rules. */
  readonly verdict?: string | undefined
  readonly history?: History | undefined
}

/** The last builds to show. */
export type History = { readonly last: number; readonly tags: readonly string[] }

const MAX_HISTORY = 100

/** @throws Failure `invalid_parameter` */
export function readHistory(last: string | undefined, tags: readonly string[]): History | undefined {
  if (last === undefined) return undefined
  if (/^[1-9]\d{0,2}$/.test(last) && Number(last) <= MAX_HISTORY) return { last: Number(last), tags }
  throw new Failure('invalid_parameter', `history must be a whole number, 1 to ${MAX_HISTORY}`)
}

const shareSchema = z.strictObject({
  reference: z.string(),
  layers: z.int(),
  baseBytes: z.int(),
  ownBytes: z.int(),
})

const factsSchema = z.strictObject({
  image: identitySchema,
  size: sizesSchema,
  isFirst: z.literal(true).optional(),
  verdict: verdictSchema.optional(),
  diff: diffSchema.optional(),
  update: updateSchema.omit({ causes: true, layers: true }).optional(),
  bases: z.strictObject({ from: shareSchema, to: shareSchema }).optional(),
  advice: adviceSchema.shape.items,
  builds: z.array(z.strictObject({ name: z.string(), compressedBytes: z.int() })).max(MAX_HISTORY),
})

/** @throws Failure `input_error` if the text is anything else */
export function readFacts(text: string): CommentFacts {
  const read = factsSchema.safeParse(parseJson(text))
  if (!read.success) {
    const [issue] = read.error.issues
    throw new Failure(
      'input_error',
      `the facts of a comment are malformed at ${issue?.path.join('.') || 'the top'}`,
    )
  }
  return JSON.parse(text)
}

/**
 * @param warn what the comment will lack
 * @returns JSON for {@link readFacts}
 */
export async function gatherFacts(
  caller: ApiCaller,
  question: CommentQuestion,
  warn: (message: string) => void,
): Promise<string> {
  const { image, baseline, isFirst, verdict, history } = question
  const read = async (path: string, query: URLSearchParams): Promise<string> => {
    const targets = baseline === undefined ? [image] : [baseline, image]
    return (await ask(caller, { path, query, targets, accept: 'application/json' })).text()
  }
  const basesOf = async (from: Target, to: Target): Promise<CommentFacts['bases']> => {
    const shareIn = async ({ image: name, platform }: Target) =>
      baseShare(JSON.parse(await read('/v1/base', queryOf({ image: name, platform }))))
    try {
      const [before, after] = await Promise.all([shareIn(from), shareIn(to)])
      return before === undefined || after === undefined ? undefined : { from: before, to: after }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      warn(`The comment does not show whether the base image moved: ${error.message}`)
      return undefined
    }
  }
  const report = reportSchema.parse(parseJson(await read('/v1/report', queryOf({ ...image }))))
  const facts: Record<string, unknown> = { ...report, advice: [], builds: [] }
  if (isFirst) facts.isFirst = true
  if (verdict !== undefined) facts.verdict = parseJson(verdict)
  let place = report.image
  if (baseline !== undefined) {
    const pair = queryOf({
      from: baseline.image,
      to: image.image,
      fromPlatform: baseline.platform,
      toPlatform: image.platform,
      read: image.read,
    })
    const diff = parseJson(await read('/v1/diff', pair))
    const { causes: _, layers: __, ...update } = updateSchema.parse(parseJson(await read('/v1/update', pair)))
    const adviceOn = async (target: Target): Promise<Pick<Advice, 'items'>> =>
      JSON.parse(await read('/v1/advice', queryOf({ ...target })))
    const [before, after] = [await adviceOn(baseline), await adviceOn(image)]
    const advice = worthwhileItems(newItems(before.items, after.items), report.size.fileBytes)
    const bases = await basesOf(baseline, image)
    Object.assign(facts, { diff, update, advice, ...(bases === undefined ? {} : { bases }) })
    place = fromSchema.parse(diff).from
  }
  if (history !== undefined) {
    try {
      facts.builds = await buildsIn(caller, place, { ...history, digest: report.image.digest })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      warn(`The comment does not show the last builds: ${error.message}`)
    }
  }
  return JSON.stringify(facts)
}

const reportSchema = z.object({ image: identitySchema, size: sizesSchema })
const fromSchema = z.object({ from: identitySchema })

function queryOf(values: Readonly<Record<string, string | undefined>>): URLSearchParams {
  return new URLSearchParams(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

const pageSchema = z.object({
  items: z.array(
    z.object({ name: z.string(), digest: z.string().optional(), compressedBytes: z.number().optional() }),
  ),
})
const ATTACHED = /^sha256-/

/** The builds in an image's repository, without that with the digest; none for images outside registries. */
async function buildsIn(
  caller: ApiCaller,
  { registry, repository, platform }: z.output<typeof identitySchema>,
  { last, tags, digest }: History & { readonly digest: string },
): Promise<readonly Build[]> {
  if (registry === undefined || repository === undefined) return []
  const query = queryOf({
    repository: `${registry}/${repository}`,
    platform,
    sort: 'created',
    // Some are left out.
    limit: String(2 * last),
  })
  for (const tag of tags) query.append('tag', tag)
  const answer = await ask(caller, { path: '/v1/images', query, accept: 'application/json' })
  const builds = pageSchema.parse(await answer.json()).items.flatMap((item) => {
    const { name, compressedBytes } = item
    const isOther = item.digest !== undefined && item.digest !== digest && !ATTACHED.test(name)
    return isOther && compressedBytes !== undefined ? [{ ...item, name, compressedBytes }] : []
  })
  return builds
    .filter((item, i) => item.digest !== builds[i - 1]?.digest)
    .slice(0, last)
    .map(({ name, compressedBytes }) => ({ name, compressedBytes }))
    .reverse()
}

/** Whether there is something to say: a broken rule, new advice of weight, or a change of at least the threshold. */
export function isWorthTelling(
  { verdict, isFirst, diff, advice }: CommentFacts,
  threshold: GrowthLimit,
): boolean {
  if (verdict?.pass === false || isFirst === true) return true
  if (diff === undefined) return false
  if (advice.some(({ severity }) => severity !== 'info')) return true
  const { from, delta } = comparedSize(diff).values
  const change = Math.abs(delta)
  return 'bytes' in threshold ? change >= threshold.bytes : !isBelowPercent(change, from, threshold.percent)
}
