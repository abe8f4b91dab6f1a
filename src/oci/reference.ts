/**
 * The OCI specifications, without any I/O. This file parses image references as `docker pull` takes them: the grammar of
 * distribution/reference with Docker Hub's defaults. Source: https://github.com/distribution/reference (`reference.go`,
 * `normalize.go`, `regexp.go`).
 */
import { Problem } from '../problem.ts'

export type Repository = {
  /** `docker.io` for Docker Hub, else `host[:port]` in lower case (but `UPPER` of `UPPER/x`, which only its capitals make a host). */
  readonly registry: string
  /** With `library/`, where Docker Hub implies it. */
  readonly repository: string
}

export type Reference = Repository & {
  /** `latest` if the text has neither tag nor digest. */
  readonly tag?: string
  /** `sha256:<hex>`; it wins over the tag. */
  readonly digest?: string
}

const HUB = 'docker.io'
const HUB_OF_OLD = 'index.docker.io'

const DOMAIN_COMPONENT = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
const HOST_NAME = new RegExp(`^${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*$`)
const IPV6 = /^\[[0-9a-fA-F:]+\]$/
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^(?<algorithm>[a-z0-9]+(?:[.+_-][a-z0-9]+)*):(?<encoded>[a-zA-Z0-9=_-]+)$/
const SHA256_HEX = /^[0-9a-f]{64}$/
/** Such a name would be mistaken for an image's id. */
const IMAGE_ID = /^[a-f0-9]{64}$/

const MAX_REPOSITORY_LENGTH = 255
/** Of a DNS name. */
const MAX_HOST_LENGTH = 253
const MAX_PORT = 65_535
/** Far longer than any valid reference; longer ones are rejected unread. */
const MAX_TEXT_LENGTH = 1_024
/** A message quotes at most this much of a wrong part. */
const MAX_QUOTE_LENGTH = 80

const invalid = (detail: string) => new Problem('invalid_reference', detail)

function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTE_LENGTH ? `${text.slice(0, MAX_QUOTE_LENGTH)}…` : text)
}

/** The text before and after the first `separator`. */
function cut(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

/**
 * Whether it is a host: it has a dot, a colon or a capital letter, or is `localhost`. Anything else is a path on Docker
 * Hub.
 */
function looksLikeHost(first: string): boolean {
  return first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase()
}

/** The registry, and the rest of the name. */
function splitRegistry(name: string): [registry: string, rest: string] {
  const [first, rest] = cut(name, '/')
  if (rest === undefined) return [HUB, name]
  if (first === HUB_OF_OLD) return [HUB, rest]
  return looksLikeHost(first) ? [first, rest] : [HUB, name]
}

function parseRegistry(text: string): string {
  const match = /^(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>.*))?$/.exec(text)
  const host = match?.groups?.host ?? text
  const port = match?.groups?.port
  if (host === '') throw invalid(`the registry ${quote(text)} has no host`)
  if (host.startsWith('[')) {
    if (!IPV6.test(host) || !URL.canParse(`http://${host}`))
      throw invalid(`the registry's host ${quote(host)} is not an IPv6 address`)
  } else if (host.length > MAX_HOST_LENGTH) {
    throw invalid(`the registry's host is longer than ${MAX_HOST_LENGTH} characters`)
  } else if (!HOST_NAME.test(host)) {
    throw invalid(`the registry's host ${quote(host)} is not a host name or address`)
  }
  if (port !== undefined && !(/^[0-9]+$/.test(port) && Number(port) >= 1 && Number(port) <= MAX_PORT))
    throw invalid(`the registry's port ${quote(port)} is not a number from 1 to ${MAX_PORT}`)
  const lower = text.toLowerCase()
  // `UPPER/x` names a host only by its capitals: without them it would be a path on Docker Hub.
  return looksLikeHost(lower) ? lower : text
}

function parsePath(text: string): string {
  if (text === '') throw invalid('the repository is empty')
  if (text !== text.toLowerCase()) throw invalid(`the repository ${quote(text)} must be lower case`)
  if (text.length > MAX_REPOSITORY_LENGTH)
    throw invalid(`the repository is longer than ${MAX_REPOSITORY_LENGTH} characters`)
  for (const component of text.split('/')) {
    if (component === '') throw invalid(`the repository ${quote(text)} has an empty part`)
    if (!PATH_COMPONENT.test(component))
      throw invalid(
        `the repository's part ${quote(component)} must be letters and digits, joined by one of ".", "_", "__" or dashes`,
      )
  }
  return text
}

function parseTag(text: string): string {
  if (TAG.test(text)) return text
  if (text === '') throw invalid('the tag is empty')
  throw invalid(
    `the tag ${quote(text)} must be at most 128 letters, digits, "_", "." and "-", and must not begin with "." or "-"`,
  )
}

function parseDigest(text: string): string {
  const { algorithm, encoded } = DIGEST.exec(text)?.groups ?? {}
  if (algorithm === undefined || encoded === undefined)
    throw invalid(`the digest ${quote(text)} is not of the form sha256:<64 hex digits>`)
  if (algorithm !== 'sha256')
    throw new Problem(
      'unsupported_digest',
      `the digest ${quote(text)} is not sha256, the only algorithm supported`,
    )
  if (!SHA256_HEX.test(encoded))
    throw invalid(`the digest ${quote(text)} must have 64 hex digits in lower case after "sha256:"`)
  return text
}

/** Registry, repository and the tag after the last part's colon. */
function parseName(text: string): Repository & { readonly tagText: string | undefined } {
  if (IMAGE_ID.test(text))
    throw invalid(
      'the repository cannot be 64 hex digits: that is an image ID, which a registry cannot resolve',
    )
  const [domain, rest] = splitRegistry(text)
  const [path, tagText] = cut(rest, ':')
  const registry = parseRegistry(domain)
  const repository = parsePath(path)
  const implied = registry === HUB && !repository.includes('/')
  return { registry, repository: implied ? parsePath(`library/${repository}`) : repository, tagText }
}

function requireText(text: string): void {
  if (text === '') throw invalid('the reference is empty')
  if (text.length > MAX_TEXT_LENGTH)
    throw invalid(`the reference is longer than ${MAX_TEXT_LENGTH} characters`)
}

/** The reference with all defaults filled in: `docker.io/library/nginx:latest`. {@link parseReference} reads it back. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`
  return `${reference.registry}/${reference.repository}${tag}${digest}`
}

/**
 * What `docker pull` would pull for this text.
 *
 * @throws Problem `invalid_reference`, naming the part that is wrong; `unsupported_digest` for any digest but sha256
 */
export function parseReference(text: string): Reference {
  requireText(text)
  const [name, digestText] = cut(text, '@')
  const { tagText, ...repository } = parseName(name)
  const digest = digestText === undefined ? undefined : parseDigest(digestText)
  const tag = tagText === undefined ? undefined : parseTag(tagText)
  if (tag === undefined && digest === undefined) return { ...repository, tag: 'latest' }
  return {
    ...repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  }
}
