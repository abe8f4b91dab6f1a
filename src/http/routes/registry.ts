/** What a registry offers: the platforms of a reference, the tags of a repository. Reads no layer. */

import { createRoute, z } from '@hono/zod-openapi'
import { csvHeader, csvItem } from '../../formats/csv.ts'
import { parseImageReference } from '../../oci/image-reference.ts'
import { pastedReference } from '../../oci/pasted.ts'
import { formatPlatform } from '../../oci/platform.ts'
import { parseReference, type Reference } from '../../oci/reference.ts'
import { listPlatforms } from '../../oci/select.ts'
import { refOf, resolveFor } from '../../open/open-image.ts'
import { openSource } from '../../open/open-source.ts'
import { Problem } from '../../problem.ts'
import { toJson } from '../../text/json.ts'
import { freshness, unchanged } from '../answers.ts'
import type { App, Backend } from '../backend.ts'
import { logCut } from '../backend.ts'
import { callerCredentials } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { jsonLines } from '../ndjson.ts'
import { chosenForm, contentTypeOf, requireNoPage } from '../negotiation.ts'
import { json, list, problems } from '../openapi/describe.ts'
import { cursor, format, image, limit, PAGE_LIMIT, reference } from '../parameters.ts'
import { csvLines } from '../text-bodies.ts'
import { platformListSchema, platformSchema, tagPageSchema, tagSchema } from './registry.schema.ts'

/** Tags per request to the registry when all are streamed. */
const TAGS_AT_ONCE = 1000

const PLATFORM_FORMATS = ['json', 'csv'] as const
const TAG_FORMATS = ['json', 'ndjson', 'csv'] as const

const listPlatformsRoute = createRoute({
  method: 'get',
  path: '/v1/platforms',
  operationId: 'listPlatforms',
  tags: ['Images'],
  summary: 'The platforms of a reference',
  description:
    'Includes nested indexes, not attestations. An image without an index has one platform. Reads no layer.',
  request: { query: z.strictObject({ image, format: format(PLATFORM_FORMATS) }) },
  responses: {
    200: json('The platforms.', platformListSchema, ['text/csv']),
    ...problems('image'),
  },
})

const listTagsRoute = createRoute({
  method: 'get',
  path: '/v1/tags',
  operationId: 'listTags',
  tags: ['Images'],
  summary: 'The tags of a repository',
  description: "In the registry's order.",
  request: {
    query: z.strictObject({
      repository: reference('As for `docker pull`, without tag or digest.', 'alpine'),
      limit,
      cursor,
      format: format(TAG_FORMATS),
    }),
  },
  responses: { 200: list('The tags.', tagPageSchema, tagSchema), ...problems('registry') },
})

export function addRegistry(app: App, backend: Backend): void {
  app.openapi(listPlatformsRoute, async (c) => {
    const { image, format } = c.req.valid('query')
    const form = chosenForm(c, format, PLATFORM_FORMATS)
    const reference = parseImageReference(image)
    const credentials = callerCredentials(backend.host.configuration, c, [image])
    const source = openSource(backend, refOf(reference, credentials), c.req.raw.signal)
    const { digest, selection } = await resolveFor(source, reference)
    const made = {
      made: [digest],
      isPublic: source.isPublic,
      isFixed: reference.digest !== undefined,
    }
    const headers = freshness(backend, c, made, contentTypeOf(form))
    const known = unchanged(c, headers)
    if (known !== undefined) return known
    const offered = await listPlatforms(await selection())
    const items = offered.map((one) => ({ ...one, platform: formatPlatform(one.platform) }))
    headers.set('Content-Type', contentTypeOf(form))
    if (form === 'json') return new Response(toJson({ items }), { headers })
    const fields = Object.keys(platformSchema.shape)
    return new Response(csvHeader(fields) + items.map((item) => csvItem(fields, item)).join(''), { headers })
  })

  app.openapi(listTagsRoute, async (c) => {
    const { format, ...query } = c.req.valid('query')
    const form = chosenForm(c, format, TAG_FORMATS)
    const reference = repositoryOf(query.repository)
    const credential = callerCredentials(backend.host.configuration, c, [query.repository]).for(
      reference.registry,
    )
    const caller = { ...(credential ? { credential } : {}), signal: c.req.raw.signal }
    const ask = (limit: number, after: string | undefined) =>
      backend.client.tags(reference, caller, { limit, ...(after === undefined ? {} : { after }) })
    const headers = { 'Cache-Control': 'private, no-cache' }
    if (form !== 'json') {
      requireNoPage(query, form)
      const tags = allTags((after) => ask(TAGS_AT_ONCE, after))
      const onCut = (error: unknown) => logCut(backend, c, error)
      const fields = Object.keys(tagSchema.shape)
      const body = form === 'csv' ? csvLines(fields, tags, onCut) : jsonLines(tags, onCut)
      return new Response(await body, { headers: { ...headers, 'Content-Type': contentTypeOf(form) } })
    }
    const after = query.cursor === undefined ? undefined : String(decodeCursor(query.cursor, query).at)
    const { names, next } = await ask(query.limit ?? PAGE_LIMIT, after)
    const nextCursor = next === undefined ? {} : { nextCursor: encodeCursor({ pins: [], at: next }, query) }
    return c.json({ items: names.map(toTag), ...nextCursor }, 200, headers)
  })
}

type Tag = { readonly name: string }

function toTag(name: string): Tag {
  return { name }
}

type TagsPage = { readonly names: readonly string[]; readonly next?: string | undefined }

async function* allTags(
  ask: (after: string | undefined) => Promise<TagsPage>,
): AsyncGenerator<readonly Tag[], void> {
  let after: string | undefined
  do {
    const { names, next } = await ask(after)
    yield names.map(toTag)
    after = next
  } while (after !== undefined)
}

/** @throws Problem `invalid_parameter` if the name has a tag or a digest */
export function repositoryOf(pasted: string): Reference {
  const name = pastedReference(pasted)
  const reference = parseReference(name)
  if (reference.digest === undefined && !name.includes(':', name.lastIndexOf('/') + 1)) return reference
  throw new Problem('invalid_parameter', 'repository must be a name without tag or digest', {
    parameter: 'repository',
  })
}
