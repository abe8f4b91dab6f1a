/** Badges: always a picture, even for errors, and within two seconds. */

import { createRoute, z } from '@hono/zod-openapi'
import { type Appearance, type Badge, STYLES } from '../../badge/badge.ts'
import { LOGOS } from '../../badge/logos.ts'
import { checkBadge, figureBadge, problemBadge, stateOf, unknownMetricBadge } from '../../badge/message.ts'
import { isMetric, METRIC_NAMES, METRICS } from '../../badge/metric.ts'
import { type BadgeRequest, readBadgeRequest } from '../../badge/request.ts'
import { allOf } from '../../concurrency.ts'
import type { Configuration } from '../../configuration.ts'
import { manifestFigures } from '../../oci/figures.ts'
import { parseImageReference } from '../../oci/image-reference.ts'
import {
  type CallerCredentials,
  type ImageRequest,
  type OpenedImage,
  openManifest,
  requireCompressed,
} from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import { findAutoBase } from '../../service/base/auto.ts'
import { earlierImages } from '../../service/fleet/earlier-images.ts'
import { knownAdvice } from '../../service/images/advice.ts'
import type { Images } from '../../service/images/caller-images.ts'
import { judge } from '../../service/images/check.ts'
import { openReading } from '../../service/images/choose-reading.ts'
import { comparePulls } from '../../service/images/update.ts'
import { toJson } from '../../text/json.ts'
import { type TimeLimit, within } from '../../timeout.ts'
import { factsInTime } from '../answers.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { taggedAnswer } from '../middleware/conditional.ts'
import { tokenCheck } from '../middleware/tokens.ts'
import { Offload } from '../offload.ts'
import { json, openToAll, problems, text } from '../openapi/describe.ts'
import { image, optional, platform, read, repeatable } from '../parameters.ts'
import { badgeSchema } from './badge.schema.ts'
import { mapPolicyKeys } from './check.schema.ts'

/** Two seconds, less what the way to the reader takes. */
const DEADLINE: TimeLimit = {
  milliseconds: 1700,
  error: () => new Error('the badge was not ready in time'),
}
/** A tag may move; a digest does not. */
const FIGURE_SECONDS = { tag: 60, digest: 300 } as const
const STATE_SECONDS = 60

const request = {
  params: z.object({
    metric: z.enum(METRIC_NAMES).openapi({
      description: `The figure. ${METRIC_NAMES.map((name) => `\`${name}\`: ${METRICS[name].shows}`).join('; ')}.`,
      example: 'size',
    }),
  }),
  query: z.object({
    image,
    platform,
    read: read.optional(),
    label: optional('Text of the left half.'),
    color: optional('Of the right half: a name of shields.io, hex digits, or a CSS colour.'),
    labelColor: optional('Colour of the left half.'),
    style: z.enum(STYLES).optional().openapi({
      description: 'A style of shields.io.',
    }),
    logo: z
      .string()
      .optional()
      .openapi({
        description: `A \`data:\` URI of \`image/svg+xml\` or \`image/png\`, at most 10 KB, or one of ${[...LOGOS.keys()].join(', ')}.`,
      }),
    warn: z.string().optional().openapi({ description: 'The badge is yellow from this value on.' }),
    bad: z.string().optional().openapi({ description: 'The badge is red from this value on.' }),
    ...mapPolicyKeys(optional, (description) => repeatable(description).optional()),
  }),
}

const description =
  'Always answers `200` within two seconds: `analysing…` during the analysis, a few words after an error.'

const drawBadgeRoute = createRoute({
  method: 'get',
  path: '/badge/{metric}.svg',
  operationId: 'drawBadge',
  tags: ['Badges'],
  summary: 'A figure as a badge',
  description,
  security: openToAll,
  request,
  responses: {
    200: text('The badge.', 'image/svg+xml'),
    ...problems('service', [404]),
  },
})

const getBadgeRoute = createRoute({
  method: 'get',
  path: '/badge/{metric}.json',
  operationId: 'getBadge',
  tags: ['Badges'],
  summary: 'A figure for shields.io',
  description: 'As `.svg`, for the endpoint badge of shields.io.',
  security: openToAll,
  request,
  responses: {
    200: json('The badge.', badgeSchema, []),
    ...problems('service', [404]),
  },
})

export function addBadges(app: App, backend: Backend): void {
  app.openAPIRegistry.registerPath(drawBadgeRoute)
  app.openAPIRegistry.registerPath(getBadgeRoute)
  app.get('/badge/:file', async (c) => {
    const [, name, kind] = /^([\w-]{1,64})\.(svg|json)$/.exec(c.req.param('file')) ?? []
    if (name === undefined || kind === undefined) {
      throw new Problem(
        'not_found',
        `unknown badge; the metrics are ${METRIC_NAMES.join(', ')}, each as .svg and .json`,
      )
    }
    const made = await makeBadge(backend, c, name)
    if (made instanceof Response) return made
    const { badge, seconds } = made
    // The widths of Verdana's characters are a megabyte of code, of which only badges need any.
    const { drawBadge, endpointOf } = await import('../../badge/draw.ts')
    return kind === 'svg'
      ? served(c, drawBadge(badge, backend.memory.drawn), 'image/svg+xml; charset=utf-8', seconds)
      : served(c, toJson(endpointOf(badge)), 'application/json', seconds)
  })
}

function served(c: RequestContext, body: string, contentType: string, seconds: Made['seconds']): Response {
  const headers = new Headers({
    'Content-Type': contentType,
    'Cache-Control': cacheControl(seconds),
    // For use on any page, and for opening the file itself; its logo comes from somebody else.
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
  })
  return taggedAnswer(c, body, headers)
}

function cacheControl(seconds: number | 'private'): string {
  if (seconds === 'private') return 'private, no-cache'
  return seconds === 0 ? 'no-cache' : `public, max-age=${seconds}`
}

/** How long caches may show it; `private` unless everybody may see the image. */
type Made = { readonly badge: Badge; readonly seconds: number | 'private' }

/** Never throws: the badge shows what went wrong. */
async function makeBadge(backend: Backend, c: RequestContext, name: string): Promise<Made | Response> {
  if (!isMetric(name)) return { badge: unknownMetricBadge(name, {}), seconds: STATE_SECONDS }
  let appearance: Appearance = {}
  const query = new URL(c.req.url).searchParams
  const isPrivate = imagesIn(query).some(isOutsideRegistries)
  try {
    // Badges are public, but images outside registries are only for those who may use the service.
    if (isPrivate) tokenCheck(backend.host.configuration.tokens)(c.req.header('Authorization'))
    const request = readBadgeRequest(name, query)
    appearance = request.appearance
    const badge = await within(DEADLINE, (signal) => show(backend, c, request, signal))
    return {
      badge,
      seconds: isPrivate ? 'private' : FIGURE_SECONDS[namesDigestsOnly(query) ? 'digest' : 'tag'],
    }
  } catch (error) {
    const there = error instanceof Offload ? await offloaded(backend, c) : undefined
    if (there !== undefined) return there
    const badge = problemBadge(name, error, appearance)
    const seconds = stateOf(error) === 'analysing…' ? 0 : STATE_SECONDS
    return { badge, seconds: isPrivate ? 'private' : seconds }
  }
}

/** Undefined if the other thread fails or is too slow. */
async function offloaded(backend: Backend, c: RequestContext): Promise<Response | undefined> {
  try {
    const client = backend.clientOf(c)
    return await within(DEADLINE, async (signal) => backend.offload?.(c, { client, signal }))
  } catch {
    return undefined
  }
}

function namesDigestsOnly(query: URLSearchParams): boolean {
  return imagesIn(query).every((image) => parseImageReference(image).digest !== undefined)
}

function imagesIn(query: URLSearchParams): readonly string[] {
  return ['image', 'baseline', 'baseImage'].flatMap((name) => query.getAll(name))
}

function isOutsideRegistries(image: string): boolean {
  try {
    return parseImageReference(image).transport !== 'docker'
  } catch {
    return false
  }
}

async function show(
  backend: Backend,
  c: RequestContext,
  { metric, image, platform, read, appearance, show }: BadgeRequest,
  signal: AbortSignal,
): Promise<Badge> {
  const requestOf = (name: string): ImageRequest => ({
    reference: name,
    platform,
    credentials: badgeCredentials(backend.host.configuration, name),
    signal,
  })
  const images: Images = {
    open: (name) => openReading(backend, { ...requestOf(name), read }),
    facts: (opened: OpenedImage) => factsInTime(backend, c, opened, 0),
    // Only names that the owner listed may use the service's credentials; an image could name any base.
    autoBase: (opened) => findAutoBase(backend, opened, { credentials: { for: () => undefined }, signal }),
    earlier: (question) => {
      const { registry, repository } = question.repository
      const credentials = badgeCredentials(backend.host.configuration, `${registry}/${repository}`)
      return earlierImages(backend, { ...question, credentials, signal })
    },
  }
  switch (show.from) {
    case 'manifest':
      return figureBadge(
        metric,
        show.figure(manifestFigures((await openManifest(backend, requestOf(image))).manifest)),
        appearance,
      )
    case 'pull': {
      const opened = await openManifest(backend, requestOf(image))
      requireCompressed(image, opened)
      return figureBadge(metric, show.figure(manifestFigures(opened.manifest).compressedBytes), appearance)
    }
    case 'manifests': {
      const names = [image, show.baseline]
      const opened = await allOf(names.map((name) => openManifest(backend, requestOf(name))))
      const [bytes, before] = opened.map((one, i) => {
        requireCompressed(names[i] ?? image, one)
        return manifestFigures(one.manifest).compressedBytes
      })
      return figureBadge(metric, show.figure(bytes ?? 0, before ?? 0), appearance)
    }
    case 'update': {
      const [from, to] = await allOf([images.open(show.baseline), images.open(image)])
      requireCompressed(image, to)
      const { pull, total } = comparePulls({ from, to })
      return figureBadge(metric, show.figure(pull.bytes, total.bytes), appearance)
    }
    case 'analysis':
      return figureBadge(metric, show.figure(await images.facts(await images.open(image))), appearance)
    case 'advice': {
      const opened = await images.open(image)
      const facts = await images.facts(opened)
      const { savings } = await knownAdvice(backend, { image: opened, facts })
      return figureBadge(metric, show.figure(savings.bytes, facts), appearance)
    }
    case 'check': {
      const { verdict } = await judge(backend.host.store, images, { image, policy: show.policy })
      return checkBadge(verdict.pass ? 'passing' : 'failing', appearance)
    }
  }
}

/** The service's own credentials, for the repositories whose badges may use them; requests for badges carry none. */
function badgeCredentials({ publicBadges, credentials }: Configuration, name: string): CallerCredentials {
  const reference = parseImageReference(name)
  // Callers bring their own credentials for private images; public ones need none.
  if (reference.transport !== 'docker') return { for: () => undefined }
  const { registry, repository } = reference
  const mayUse = publicBadges.includes(`${registry}/${repository}`)
  return { for: (asked) => (mayUse ? credentials.get(asked) : undefined) }
}
