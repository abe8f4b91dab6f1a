/** The gate: checks an image against a policy from the query or the body; a broken rule answers 412. */
import { createRoute, z } from '@hono/zod-openapi'
import {
  CHECK_FORMATS,
  CHECK_TYPES,
  type CheckFormat,
  DEFAULT_FILE,
  isCheckFormat,
  parseRepositoryFile,
} from '../../formats/check-format.ts'
import { type Policy, policyFromQuery } from '../../gate/policy.ts'
import { readCheckRequest } from '../../gate/request.ts'
import { AUTO_BASE } from '../../gate/rules.ts'
import type { OpenedImage, Reading } from '../../open/open-image.ts'
import { link } from '../../pages/page.ts'
import type { Problem } from '../../problem.ts'
import { findAutoBase } from '../../service/base/auto.ts'
import { earlierImages } from '../../service/fleet/earlier-images.ts'
import type { Images } from '../../service/images/caller-images.ts'
import { judge } from '../../service/images/check.ts'
import { factsInTime, openFor } from '../answers.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { baseCaller } from '../caller.ts'
import { preferredType, readsProblems } from '../negotiation.ts'
import { json, problems } from '../openapi/describe.ts'
import { image, optional, platform, read, repeatable, styleOf, textQuery, waitUpTo } from '../parameters.ts'
import { parsed, problemResponse } from '../problems.ts'
import { checkRequestSchema, mapPolicyKeys, verdictSchema } from './check.schema.ts'

export const CHECK_PATH = '/v1/check'

/** A gate waits by default: proxies on the way allow 55 s. */
const WAIT_SECONDS = 55

const FORMATS = ['json', 'junit', 'sarif', 'markdown', 'github', 'gitlab', 'openmetrics', 'text'] as const

const howToAnswer = {
  wait: waitUpTo(WAIT_SECONDS),
  format: z.enum(FORMATS).optional().openapi({
    description: 'Overrides `Accept`. `github`: workflow commands; `gitlab`: code quality report.',
  }),
  file: z.string().default(DEFAULT_FILE).openapi({
    description: 'The file that `sarif`, `gitlab` and `github` annotate.',
  }),
  ...textQuery,
  advice: z.enum(['0', '1']).default('0').openapi({
    description: '`1`: `sarif` and `gitlab` list advice, too.',
  }),
}

/** Parameters that are not part of the policy. */
const asked = z.object({ image, platform, read, ...howToAnswer })
const askedOfBody = z.strictObject(howToAnswer)

const verdicts = (description: string) =>
  json(
    description,
    verdictSchema,
    Object.keys(CHECK_TYPES).filter((type) => type !== 'application/json'),
  )

const responses = {
  200: verdicts('The image keeps every rule.'),
  412: verdicts('The image breaks a rule.'),
  ...problems('image'),
}

const checkImage = createRoute({
  method: 'get',
  path: CHECK_PATH,
  operationId: 'checkImage',
  tags: ['Gate'],
  summary: 'Check an image against rules',
  description:
    'Needs at least one rule. `200` if the image keeps all rules and `412` if it breaks one, so `curl --fail` is a gate. Waits for the analysis; answers `503`, never `202`. A size is a number with an optional unit: `B kB MB GB TB` (1000) or `KiB MiB GiB TiB` (1024).',
  request: {
    query: z.strictObject({
      image,
      platform,
      read,
      ...mapPolicyKeys(optional, (description) => repeatable(description).optional()),
      ...howToAnswer,
    }),
  },
  responses,
})

const checkPolicy = createRoute({
  method: 'post',
  path: CHECK_PATH,
  operationId: 'checkPolicy',
  tags: ['Gate'],
  summary: 'Check an image against a policy',
  description:
    'JSON or YAML of at most 1 MiB, with the parameters of `GET` as the policy, or the text of a `.dive-ci` file.',
  request: {
    query: askedOfBody,
    body: {
      required: true,
      description: 'The image and the policy.',
      content: {
        'application/json': { schema: checkRequestSchema },
        'application/yaml': { schema: checkRequestSchema },
      },
    },
  },
  responses,
})

type Check = {
  readonly image: string
  readonly platform?: string | undefined
  readonly read?: Reading | undefined
  readonly policy: Policy
  readonly dockerfile?: string | undefined
}

type Answer = z.output<typeof askedOfBody>

export function addCheck(app: App, backend: Backend): void {
  // The gate parses these itself, so that it can suggest a correction for a misspelt rule.
  app.openAPIRegistry.registerPath(checkImage)
  app.get(CHECK_PATH, async (c) => {
    const query = parsed(asked, single(c.req.queries()))
    const policy = policyFromQuery(new URL(c.req.url).searchParams, Object.keys(asked.shape))
    return answer(backend, c, { ...query, policy }, query)
  })

  app.openAPIRegistry.registerPath(checkPolicy)
  app.post(CHECK_PATH, async (c) => {
    const query = parsed(askedOfBody, single(c.req.queries()))
    const request = readCheckRequest(
      await backend.bodies.text(c.req.raw, backend.clientOf(c)),
      c.req.header('Content-Type'),
    )
    return answer(backend, c, request, query)
  })
}

/** A parameter that is given once is its value. */
function single(queries: Record<string, string[]>): Record<string, string | string[] | undefined> {
  return Object.fromEntries(
    Object.entries(queries).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  )
}

async function answer(
  backend: Backend,
  c: RequestContext,
  check: Check,
  { format, file, color, columns, advice, wait }: Answer,
): Promise<Response> {
  const { contentType, render } = CHECK_FORMATS[format ?? acceptedFormat(c)]
  const pointedAt = parseRepositoryFile(file)
  const { image, platform, read: reading, policy, dockerfile } = check
  const references = [image, policy.baseline, policy.baseImage]
    .filter((name) => name !== undefined)
    .filter((name) => name !== AUTO_BASE)
  const caller = () => baseCaller(backend, c, references)
  const images: Images = {
    open: (name: string) => openFor(backend, c, { image: name, platform, read: reading }, references),
    facts: (opened: OpenedImage) => factsInTime(backend, c, opened, wait),
    autoBase: (opened) => findAutoBase(backend, opened, caller()),
    earlier: (question) => earlierImages(backend, { ...question, ...caller() }),
  }
  const question = { image, policy, dockerfile, advice: advice === '1' }
  const checked = await judge(backend.host.store, images, question)
  const { pass, image: identity } = checked.verdict
  const address = link('/', { image: identity.reference, platform })
  const page = backend.hasPages ? new URL(address, c.req.url).href : undefined
  return new Response(render(checked, { file: pointedAt, ...styleOf({ color, columns }), page }), {
    status: pass ? 200 : 412,
    // A tag can move at any moment, so a verdict must not be cached.
    headers: { 'Content-Type': contentType, 'Cache-Control': 'no-store' },
  })
}

/** A problem of this call, in the requested format, since a parser of one format cannot read another. */
export function checkProblem(c: RequestContext, problem: Problem): Response {
  const response = problemResponse(problem)
  if (readsProblems(c.req.header('Accept'))) return response
  const [named, ...more] = c.req.queries('format') ?? []
  const format = named === undefined ? acceptedFormat(c) : named
  const form = more.length > 0 || !isCheckFormat(format) ? undefined : CHECK_FORMATS[format]
  if (form?.problem === undefined) return response
  const { code, title, message: detail, fields } = problem
  const body = form.problem(
    { code, title, detail, ...(fields.image === undefined ? {} : { image: fields.image }) },
    { file: fileOf(c), colour: c.req.query('color') === '1' },
  )
  const headers = new Headers(response.headers)
  headers.set('Content-Type', form.contentType)
  return new Response(body, { status: problem.status, headers })
}

function fileOf(c: RequestContext): string {
  try {
    return parseRepositoryFile(c.req.query('file') ?? DEFAULT_FILE)
  } catch {
    return DEFAULT_FILE
  }
}

function acceptedFormat(c: RequestContext): CheckFormat {
  const accepted = preferredType(c.req.header('Accept'), [
    'application/json',
    'application/xml',
    'application/sarif+json',
    'text/markdown',
    'application/openmetrics-text',
    'text/plain',
  ])
  return CHECK_TYPES[accepted]
}
