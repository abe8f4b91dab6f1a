/** Registry credentials as Docker writes them: its `config.json`, and the Engine API's two headers. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { Problem } from '../problem.ts'
import { parseJson } from '../text/json.ts'

/** One registry's credential, as the Docker Engine API has it. */
export type Credential =
  | { readonly username: string; readonly password: string }
  /** An OAuth2 refresh token. */
  | { readonly identitytoken: string }
  /** A Bearer token, sent unchanged. */
  | { readonly registrytoken: string }

const HUB = 'docker.io'
/** Docker Hub's other names; the first is the historical key of `config.json`, `https://index.docker.io/v1/`. */
const HUB_NAMES = new Set(['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com', HUB])

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/
/** Characters that a header cannot carry. */
const CONTROL = /\p{Cc}/u

const MAX_SECRET_LENGTH = 65_536
const MAX_REGISTRIES = 1_000

const secret = z.string().max(MAX_SECRET_LENGTH).nullish()

const authSchema = z.object({
  username: secret,
  password: secret,
  /** Base64 of `username:password`. */
  auth: secret,
  identitytoken: secret,
  registrytoken: secret,
  serveraddress: z.string().max(2_048).nullish(),
})

const authsSchema = z.record(z.string().max(2_048), authSchema)

const dockerConfigSchema = z.object({
  auths: authsSchema.nullish(),
  credsStore: z.string().nullish(),
  credHelpers: z.record(z.string(), z.unknown()).nullish(),
})

type Auth = z.infer<typeof authSchema>

/** Text of base64 or base64url, padded or not; undefined if it is neither. */
function decodeBase64(text: string): string | undefined {
  if (!BASE64.test(text)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'))
  } catch {
    return undefined
  }
}

/** Never quotes its input, which is secret. */
function parseSecret<Schema extends z.ZodType>(text: string, schema: Schema): z.infer<Schema> {
  const value = parseJson(text)
  if (value === undefined) throw new Error('not JSON')
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new Error(`${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'malformed'}`)
}

function splitAuth(auth: string): { username: string; password: string } {
  const text = decodeBase64(auth)
  const at = text?.indexOf(':') ?? -1
  if (text === undefined || at < 1) throw new Error('auth must be base64 of username:password')
  // Docker once padded the password with NUL bytes.
  const [password = ''] = text.slice(at + 1).split('\0', 1)
  return { username: text.slice(0, at), password }
}

/** Undefined for an entry without a credential: Docker's clients send one instead of omitting it. */
function toCredential(entry: Auth): Credential | undefined {
  if (entry.registrytoken) return requireClean({ registrytoken: entry.registrytoken })
  if (entry.identitytoken) return requireClean({ identitytoken: entry.identitytoken })
  if (entry.username || entry.password) {
    if (!entry.username) throw new Error('a password needs a username')
    if (entry.username.includes(':')) throw new Error('a username must not contain a colon')
    return requireClean({ username: entry.username, password: entry.password ?? '' })
  }
  return entry.auth ? requireClean(splitAuth(entry.auth)) : undefined
}

function requireClean(credential: Credential): Credential {
  for (const [name, value] of Object.entries(credential))
    if (CONTROL.test(value)) throw new Error(`${name} must not contain control characters`)
  return credential
}

function toCredentials(auths: Readonly<Record<string, Auth>>): ReadonlyMap<string, Credential> {
  const entries = Object.entries(auths)
  if (entries.length > MAX_REGISTRIES) throw new Error(`more than ${MAX_REGISTRIES} registries`)
  const credentials = new Map<string, Credential>()
  for (const [address, entry] of entries) {
    try {
      const credential = toCredential(entry)
      if (credential === undefined)
        throw new Error('auth, username, identitytoken or registrytoken is required')
      credentials.set(registryOf(address), credential)
    } catch (error) {
      throw new Error(`${JSON.stringify(address)}: ${messageOf(error)}`)
    }
  }
  return credentials
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : 'malformed')

/** Runs `parse`, and reports its error as one of the header. */
function parseHeader<T>(name: string, text: string, parse: (json: string) => T): T {
  try {
    const json = decodeBase64(text)
    if (json === undefined) throw new Error('not base64')
    return parse(json)
  } catch (error) {
    throw new Problem('invalid_parameter', `${name} cannot be read: ${messageOf(error)}`, { parameter: name })
  }
}

/**
 * The registry that an address names, spelt as in references: `https://index.docker.io/v1/` is `docker.io`, and
 * `https://ghcr.io/v2/` is `ghcr.io`.
 */
export function registryOf(address: string): string {
  const host = address
    .replace(/^https?:\/\//i, '')
    .replace(/\/.*$/s, '')
    .toLowerCase()
  return HUB_NAMES.has(host) ? HUB : host
}

/** Represents the credential in keys: callers with the same credential share it, and it reveals nothing. */
export function credentialHash(credential: Credential): string {
  return createHash('sha256')
    .update(JSON.stringify(Object.entries(credential).sort()))
    .digest('hex')
}

/**
 * The header `X-Registry-Auth` of the Docker Engine API: base64 or base64url, padded or not.
 *
 * @returns undefined for `{}`, which Docker's clients send without a credential
 * @throws Problem `invalid_parameter`
 */
export function parseRegistryAuth(header: string): {
  readonly credential: Credential | undefined
  /** The registry that it is for, spelt as in references. */
  readonly serverAddress: string | undefined
} {
  return parseHeader('X-Registry-Auth', header, (json) => {
    const entry = parseSecret(json, authSchema)
    const serverAddress = entry.serveraddress ? registryOf(entry.serveraddress) : undefined
    return { credential: toCredential(entry), serverAddress }
  })
}

/**
 * The header `X-Registry-Config`: base64url JSON, a map from registry to what `X-Registry-Auth` holds.
 *
 * @returns credentials by registry, spelt as in references
 * @throws Problem `invalid_parameter`
 */
export function parseRegistryConfig(header: string): ReadonlyMap<string, Credential> {
  return parseHeader('X-Registry-Config', header, (json) => toCredentials(parseSecret(json, authsSchema)))
}

/**
 * The credentials in the JSON of a Docker `config.json`.
 *
 * @returns credentials by registry, spelt as in references
 * @throws Error that says what is wrong, without a secret; `credsStore` and `credHelpers` are rejected, since their
 * credentials are in another program
 */
export function parseDockerConfig(text: string): ReadonlyMap<string, Credential> {
  const config = parseSecret(text, dockerConfigSchema)
  if (config.credsStore) throw new Error('credsStore is not supported: put the credentials under auths')
  if (Object.keys(config.credHelpers ?? {}).length > 0)
    throw new Error('credHelpers are not supported: put the credentials under auths')
  return toCredentials(config.auths ?? {})
}
