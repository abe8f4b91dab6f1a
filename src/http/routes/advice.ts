/** What to change in an image. */

import { createRoute, z } from '@hono/zod-openapi'
import { readAdviceRequest } from '../../advice/request.ts'
import { adviceMarkdown } from '../../formats/advice-markdown.ts'
import { adviceText } from '../../formats/advice-text.ts'
import { CONDITIONS } from '../../gate/rules.ts'
import { verifiedImage } from '../../open/layer-indexes.ts'
import type { Reading } from '../../open/open-image.ts'
import { type AdviceQuestion, type Advised, adviseOn } from '../../service/images/advice.ts'
import { toJson } from '../../text/json.ts'
import { cacheInputs, factsOf, freshness, openFor, pendingAnswer, unchanged } from '../answers.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { openBase, referencesOf } from '../base-image.ts'
import { keepAnswer, keptAnswer } from '../kept-answers.ts'
import { preferredType } from '../negotiation.ts'
import { json, pending, problems } from '../openapi/describe.ts'
import {
  imageQuery,
  optional,
  repeatable,
  styleOf,
  type TextQuery,
  textQuery,
  waitUpTo,
} from '../parameters.ts'
import { parsed } from '../problems.ts'
import { adviceRequestSchema, adviceSchema } from './advice.schema.ts'

/** `Accept` chooses by type, `format` by name. */
const TYPES = { json: 'application/json', text: 'text/plain', markdown: 'text/markdown' } as const

type Format = keyof typeof TYPES

const howToAnswer = {
  format: z.enum(['json', 'text', 'markdown']).optional().openapi({ description: 'Overrides `Accept`.' }),
  ...textQuery,
}

const responses = {
  200: json('The advice.', adviceSchema, ['text/plain', 'text/markdown']),
  202: pending,
  ...problems('image'),
}

const description = 'Judges names, packages and layers, not content.'

const getAdvice = createRoute({
  method: 'get',
  path: '/v1/advice',
  operationId: 'getAdvice',
  tags: ['Advice'],
  summary: 'What to change in an image, and what it saves',
  description,
  request: {
    query: z.strictObject({
      ...imageQuery,
      ignore: repeatable(CONDITIONS.ignore.holds).optional(),
      baseImage: optional(CONDITIONS.baseImage.holds),
      ...howToAnswer,
    }),
  },
  responses,
})

const postedQuery = z.strictObject({ wait: waitUpTo(0), ...howToAnswer })

const postAdvice = createRoute({
  method: 'post',
  path: '/v1/advice',
  operationId: 'adviseOnDockerfile',
  tags: ['Advice'],
  summary: 'What to change in an image, with the lines of its Dockerfile',
  description: `The body is JSON or YAML of at most 1 MiB. ${description}`,
  request: {
    query: postedQuery,
    body: {
      required: true,
      description: 'The image and its Dockerfile.',
      content: {
        'application/json': { schema: adviceRequestSchema },
        'application/yaml': { schema: adviceRequestSchema },
      },
    },
  },
  responses,
})

type Answer = TextQuery & { readonly format?: Format | undefined; readonly wait: number }

export function addAdvice(app: App, backend: Backend): void {
  app.openapi(getAdvice, (c) => {
    const { ignore = [], ...query } = c.req.valid('query')
    return answer(backend, c, { ...query, ignore }, query)
  })

  // Parsed by hand, since the body may be YAML, too.
  app.openAPIRegistry.registerPath(postAdvice)
  app.post(postAdvice.getRoutingPath(), async (c) => {
    const query = parsed(postedQuery, c.req.query())
    const request = readAdviceRequest(
      await backend.bodies.text(c.req.raw, backend.clientOf(c)),
      c.req.header('Content-Type'),
    )
    return answer(backend, c, request, query)
  })
}

type PlatformQuestion = AdviceQuestion & {
  readonly platform?: string | undefined
  readonly read?: Reading | undefined
}

async function answer(
  backend: Backend,
  c: RequestContext,
  { platform, read, ...question }: PlatformQuestion,
  { format = acceptedFormat(c), wait, ...style }: Answer,
): Promise<Response> {
  const contentType = format === 'json' ? TYPES.json : `${TYPES[format]}; charset=utf-8`
  const query = { ...question, platform, read }
  const image = await openFor(backend, c, query, referencesOf(query))
  const { base, autoBase, ...asked } = await openBase(backend, c, query, image)
  const inputs = cacheInputs(base === undefined ? [image] : [image, base], JSON.stringify(autoBase))
  const isPublic = inputs.isPublic && asked.isPublic
  const headers = freshness(backend, c, { ...inputs, isPublic }, contentType)
  // Caches key by address, which does not include what is posted.
  if (c.req.method !== 'GET') headers.delete('ETag')
  const known = unchanged(c, headers)
  if (known !== undefined) return known
  const result = await factsOf(backend, c, image, wait)
  if ('pending' in result) {
    return pendingAnswer(backend, image, result.pending, format === 'json' ? 'accepted' : 'unavailable')
  }
  headers.set('Content-Type', contentType)
  const isKept = c.req.method === 'GET'
  const kept = isKept ? keptAnswer(backend, c, headers) : undefined
  if (kept !== undefined) return kept
  const advised = await adviseOn(
    backend.host.store,
    { image: verifiedImage(image, result.facts), base, autoBase, facts: result.facts },
    question,
  )
  const body = write(advised, result.facts.size.fileBytes, format, style)
  const made = new Response(body, { headers })
  return isKept ? keepAnswer(backend, c, made) : made
}

function acceptedFormat(c: RequestContext): Format {
  const accepted = preferredType(c.req.header('Accept'), [TYPES.json, TYPES.markdown, TYPES.text])
  return accepted === TYPES.markdown ? 'markdown' : accepted === TYPES.text ? 'text' : 'json'
}

function write(advised: Advised, fileBytes: number, format: Format, style: TextQuery): string {
  const { image, advice, autoBase, baseItems } = advised
  switch (format) {
    case 'json':
      return toJson({
        image: image.identity,
        ...(autoBase === undefined ? {} : { base: autoBase }),
        ...advice,
        ...(baseItems === undefined ? {} : { baseItems }),
      })
    case 'text':
      return adviceText(advised, fileBytes, styleOf(style))
    case 'markdown':
      return adviceMarkdown(advised, fileBytes)
  }
}
