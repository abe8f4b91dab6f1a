/** Turns a registry's error into the problem for the caller. */
import { z } from 'zod'
import type { Credential } from '../../oci/credential.ts'
import { Problem, type ProblemFields } from '../../problem.ts'
import { redact } from './auth/credentials.ts'
import { readAll, type Timeouts } from './body.ts'
import { type Answer, retryAfterOf } from './transport.ts'

/** What was requested, which decides what its absence means. */
export type Subject =
  | { readonly kind: 'manifest'; readonly reference: string }
  | { readonly kind: 'config' | 'blob'; readonly digest: string }
  | { readonly kind: 'referrers'; readonly digest: string }
  | { readonly kind: 'tags' }
  | { readonly kind: 'token' }

export type RegistryRequest = {
  readonly registry: string
  readonly repository: string
  readonly subject: Subject
  /** The credentials that were presented, which must not be repeated in the message. */
  readonly credential: Credential | undefined
}

/** Source: OCI distribution-spec v1.1, "Error Codes". */
const errorsSchema = z.object({
  errors: z
    .array(z.object({ code: z.string().nullish(), message: z.string().nullish() }))
    .max(100)
    .nullish(),
})

const MAX_ERROR_BYTES = 65_536
const MAX_DETAIL_LENGTH = 500

/** On one line, since the registry may send several. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim()
}

type ReadingOptions = { readonly timeouts: Timeouts; readonly signal: AbortSignal | undefined }

/** Only the codes and messages in the registry's `errors`, at most 500 characters. */
async function wordsOf(
  response: Response,
  credential: Credential | undefined,
  { timeouts, signal }: ReadingOptions,
): Promise<string> {
  try {
    const bytes = await readAll(response, { limit: MAX_ERROR_BYTES, what: 'the error', timeouts, signal })
    const parsed = errorsSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)))
    const words = (parsed.data?.errors ?? []).map(({ code, message }) =>
      [code, message]
        .filter(Boolean)
        .map((word) => oneLine(word ?? ''))
        .join(': '),
    )
    return redact(words.filter(Boolean).join('; '), credential).slice(0, MAX_DETAIL_LENGTH)
  } catch {
    signal?.throwIfAborted()
    // A proxy's HTML page, or a truncated body: the status must do.
    return ''
  }
}

/** The requested object, as a sentence names it: `ghcr.io/o/r:tag`. */
export function nameOf({ registry, repository, subject }: RegistryRequest): string {
  switch (subject.kind) {
    case 'manifest': {
      const separator = subject.reference.includes(':') ? '@' : ':'
      return `${registry}/${repository}${separator}${subject.reference}`
    }
    case 'config':
      return `the config ${subject.digest} of ${registry}/${repository}`
    case 'blob':
      return `the blob ${subject.digest} of ${registry}/${repository}`
    case 'referrers':
      return `the referrers of ${registry}/${repository}@${subject.digest}`
    case 'tags':
      return `the tags of ${registry}/${repository}`
    case 'token':
      return `a token for ${registry}/${repository}`
  }
}

/** Many registries also answer 401 or 403 for what does not exist, so as not to reveal that. */
function unauthorized(asked: RegistryRequest, words: string, fields: ProblemFields): Problem {
  const what = nameOf(asked)
  const why =
    asked.credential !== undefined
      ? `these credentials cannot read ${what}, or it does not exist; check the credentials for ${asked.registry} and the name`
      : `${asked.registry} requires credentials for ${what}, or it does not exist; check the name, or send credentials`
  return new Problem('unauthorized', `${why}${words && ` (${words})`}`, {
    ...fields,
    authenticate: `Registry realm="${asked.registry}"`,
  })
}

function missing(asked: RegistryRequest): string {
  const { registry, repository, subject } = asked
  if (subject.kind === 'tags') return `no repository \`${repository}\` in ${registry}`
  if (subject.kind !== 'manifest') return `${registry} does not have ${nameOf(asked)}`
  const what = subject.reference.includes(':') ? 'manifest' : 'tag'
  return `no ${what} \`${subject.reference}\` in ${registry}/${repository}`
}

function notFound(asked: RegistryRequest, words: string, fields: ProblemFields): Problem {
  const detail = `${missing(asked)}${words && ` (${words})`}`
  switch (asked.subject.kind) {
    case 'manifest':
    case 'tags':
      return new Problem('image_not_found', detail, fields)
    case 'blob':
      return new Problem('layer_unavailable', detail, fields)
    case 'config':
    case 'referrers':
    case 'token':
      return new Problem('registry_error', detail, fields)
  }
}

function rateLimited(
  asked: RegistryRequest,
  words: string,
  fields: ProblemFields,
  seconds: number | undefined,
): Problem {
  const when = seconds === undefined ? '; try again later' : `; try again in ${seconds} s`
  return new Problem(
    'registry_error',
    `rate limited by registry ${asked.registry} for ${nameOf(asked)}${when}${words && ` (${words})`}`,
    {
      ...fields,
      ...(seconds === undefined ? {} : { retryAfter: seconds }),
    },
  )
}

/** The problem for an unexpected answer. Reads the answer's body. */
export async function problemOf(
  answer: Answer,
  asked: RegistryRequest,
  options: ReadingOptions & { readonly now: number },
): Promise<Problem> {
  const { response, redirected } = answer
  const { status } = response
  const milliseconds = retryAfterOf(response, options.now)
  const words = await wordsOf(response, asked.credential, options)
  const fields = { registryStatus: status }
  // A redirect leads to a storage server, whose errors do not say what the registry shows to whom.
  if ((status === 401 || status === 403) && !redirected) return unauthorized(asked, words, fields)
  if (status === 404) return notFound(asked, words, fields)
  const seconds = milliseconds === undefined ? undefined : Math.ceil(milliseconds / 1000)
  if (status === 429) return rateLimited(asked, words, fields, seconds)
  return new Problem(
    status === 504 ? 'registry_timeout' : 'registry_error',
    `${asked.registry} answered ${status} for ${nameOf(asked)}${words && ` (${words})`}`,
    { ...fields, ...(seconds === undefined ? {} : { retryAfter: seconds }) },
  )
}
