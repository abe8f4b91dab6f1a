/**
 * Parses the push notifications of each registry: which images to analyse, and why to ignore the rest. Sources: distribution's
 * notifications, the webhooks of Docker Hub, GitHub, Harbor and Quay.
 */
import { z } from 'zod'
import type { Configuration } from '../../configuration.ts'
import { MANIFEST_MEDIA_TYPES } from '../../oci/manifest.ts'
import { formatReference, parseReference } from '../../oci/reference.ts'
import { Problem } from '../../problem.ts'
import { guardRepository } from '../../source/registry/guard.ts'

export const WEBHOOK_KINDS = ['distribution', 'dockerhub', 'github', 'harbor', 'quay'] as const
export type WebhookKind = (typeof WEBHOOK_KINDS)[number]

export type Ignored = { readonly image?: string; readonly why: string }

/** What to do about a notification. */
export type Push = {
  /** References with their defaults filled in, each once. */
  readonly images: readonly string[]
  readonly ignored: readonly Ignored[]
}

/** A reference as the registry sent it, or why it is not valid. */
type PushEvent = { readonly image: string } | { readonly why: string }

/** Limit of a notification; further images are ignored. */
const MAX_IMAGES = 1_000
const MAX_IGNORED = 100
/** Limit on an untrusted reference. */
const MAX_SHOWN_LENGTH = 500

type Reader = (body: unknown) => readonly PushEvent[]

const READERS: Readonly<Record<WebhookKind, Reader>> = {
  distribution: readDistribution,
  dockerhub: readDockerHub,
  github: readGithub,
  harbor: readHarbor,
  quay: readQuay,
}

/** @param body parsed as JSON: whatever a registry sends */
export function readPush(kind: WebhookKind, body: unknown, configuration: Configuration): Push {
  const images = new Set<string>()
  const ignored: Ignored[] = []
  const events = READERS[kind](body)
  if (events.length === 0) ignored.push({ why: `the body names no image as ${kind} does` })
  for (const one of events) {
    const judged = 'why' in one ? one : judge(one.image, configuration)
    if ('why' in judged) ignored.push(judged)
    else if (images.size < MAX_IMAGES) images.add(judged.image)
    else ignored.push({ ...judged, why: `one notification may name ${MAX_IMAGES} images` })
  }
  return { images: [...images], ignored: ignored.slice(0, MAX_IGNORED) }
}

/** Whether it may be analysed. */
function judge(image: string, configuration: Configuration): { readonly image: string } | Ignored {
  try {
    const reference = parseReference(image)
    guardRepository(reference, configuration)
    return { image: formatReference(reference) }
  } catch (error) {
    if (error instanceof Problem) return { image: image.slice(0, MAX_SHOWN_LENGTH), why: error.message }
    throw error
  }
}

const distributionEvent = z.object({
  action: z.string(),
  target: z.object({
    mediaType: z.string().optional(),
    repository: z.string(),
    url: z.string().optional(),
    tag: z.string().optional(),
    digest: z.string().optional(),
  }),
  request: z.object({ host: z.string() }).optional(),
})

function readDistribution(body: unknown): readonly PushEvent[] {
  return listIn(body, 'events').map((event) => {
    const parsed = distributionEvent.safeParse(event)
    if (!parsed.success) return { why: 'the event has no action, or no target with its repository' }
    const { action, target, request } = parsed.data
    if (action !== 'push') return { why: `the action is ${quote(action)}, not push` }
    const { mediaType, repository, tag, digest } = target
    if (mediaType !== undefined && !MANIFEST_MEDIA_TYPES.includes(mediaType))
      return { why: `${quote(mediaType)} is not the media type of an image` }
    const host = (target.url === undefined ? undefined : URL.parse(target.url)?.host) ?? request?.host
    if (!host) return { why: 'the event does not say which registry it comes from' }
    return { image: named(`${host}/${repository}`, tag, digest) }
  })
}

const dockerHubPush = z.object({
  push_data: z.object({ tag: z.string() }),
  repository: z.object({ repo_name: z.string() }),
})

function readDockerHub(body: unknown): readonly PushEvent[] {
  const parsed = dockerHubPush.safeParse(body)
  if (!parsed.success) return []
  const { push_data, repository } = parsed.data
  return [{ image: named(`docker.io/${repository.repo_name}`, push_data.tag) }]
}

const githubPackage = z.object({
  package_type: z.string(),
  package_version: z.object({ package_url: z.string(), version: z.string().optional() }),
})
const githubEvent = z.union([
  z.object({ action: z.string(), registry_package: githubPackage }),
  z.object({ action: z.string(), package: githubPackage }),
])
const PUBLISHED = new Set(['published', 'updated'])

function readGithub(body: unknown): readonly PushEvent[] {
  const parsed = githubEvent.safeParse(body)
  if (!parsed.success) return []
  const { action } = parsed.data
  const one = 'package' in parsed.data ? parsed.data.package : parsed.data.registry_package
  if (one.package_type.toLowerCase() !== 'container')
    return [{ why: `the package is of type ${quote(one.package_type)}, not container` }]
  if (!PUBLISHED.has(action)) return [{ why: `the action is ${quote(action)}, not published` }]
  const { package_url: url, version } = one.package_version
  // For an image without a tag, the address ends in a colon.
  return [{ image: url.endsWith(':') ? named(url.slice(0, -1), undefined, version) : url }]
}

const harborEvent = z.object({
  type: z.string(),
  event_data: z.object({ resources: z.array(z.unknown()) }),
})
const harborResource = z.object({ resource_url: z.string() })

function readHarbor(body: unknown): readonly PushEvent[] {
  const parsed = harborEvent.safeParse(body)
  if (!parsed.success) return []
  const { type, event_data } = parsed.data
  if (type !== 'PUSH_ARTIFACT') return [{ why: `the event is ${quote(type)}, not PUSH_ARTIFACT` }]
  return event_data.resources.map((resource) => {
    const { success, data } = harborResource.safeParse(resource)
    return success ? { image: data.resource_url } : { why: 'the resource has no resource_url' }
  })
}

const quayPush = z.object({
  docker_url: z.string(),
  updated_tags: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]),
})

function readQuay(body: unknown): readonly PushEvent[] {
  const parsed = quayPush.safeParse(body)
  if (!parsed.success) return []
  const { docker_url: repository, updated_tags: tags } = parsed.data
  const names = Array.isArray(tags) ? tags : Object.keys(tags)
  return names.map((tag) => ({ image: named(repository, tag) }))
}

/** By tag, which is how people refer to it. */
function named(repository: string, tag?: string, digest?: string): string {
  if (tag) return `${repository}:${tag}`
  return digest ? `${repository}@${digest}` : repository
}

function listIn(body: unknown, name: string): readonly unknown[] {
  const parsed = z.object({ [name]: z.array(z.unknown()) }).safeParse(body)
  return parsed.success ? (parsed.data[name] ?? []) : []
}

const MAX_QUOTE_LENGTH = 100

function quote(text: string): string {
  return JSON.stringify(text.slice(0, MAX_QUOTE_LENGTH))
}
