/**
 * Sign-in for browsers, which cannot send headers of their own choice: a cookie carries the token of this service and the
 * credentials for registries, encrypted, and nothing is kept on the server. Whoever presents it is treated as if these were in
 * the request's headers.
 */
import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Configuration } from '../configuration.ts'
import { parseJson } from '../text/json.ts'

export type Session = {
  /** A token of this service. */
  readonly token?: string | undefined
  /** By registry. */
  readonly registries: Readonly<Record<string, RegistryLogin>>
  /** What forms must send back, so that no other site can post in the reader's name. */
  readonly form: string
  /** In milliseconds since 1970. */
  readonly until: number
}

export type RegistryLogin = { readonly username: string; readonly password: string }

export const SESSION_SECONDS = 12 * 60 * 60
export const SESSION_COOKIE = 'lamina'
/** Browsers keep no larger cookie. */
export const MAX_COOKIE = 4_000

const IV_BYTES = 12
/** Whoever changes what a cookie means changes this: older cookies then open no session. */
const PURPOSE = encodeUtf8('lamina session v1')

const sessionSchema = z.object({
  token: z.string().optional(),
  registries: z.record(z.string(), z.object({ username: z.string(), password: z.string() })),
  form: z.string(),
  until: z.number(),
})

export class Sessions {
  /** Absent if there is nothing that only the service knows: then nobody can sign in, and nobody needs to. */
  readonly #secret: Uint8Array<ArrayBuffer> | undefined
  #key: Promise<CryptoKey> | undefined

  constructor({ tokens, key }: Pick<Configuration, 'tokens' | 'key'>) {
    if (key !== undefined) this.#secret = new Uint8Array(key)
    else if (tokens.length > 0) this.#secret = encodeUtf8(tokens.toSorted().join('\n'))
  }

  get areOffered(): boolean {
    return this.#secret !== undefined
  }

  /** A session without rights, for a form that is about to be shown. */
  fresh(): Session {
    const form = Buffer.from(crypto.getRandomValues(new Uint8Array(18))).toString('base64url')
    return { registries: {}, form, until: Date.now() + SESSION_SECONDS * 1000 }
  }

  /** The cookie's value. */
  async encrypt(session: Session): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
    const key = await this.#theKey()
    const plain = encodeUtf8(JSON.stringify(session))
    const encrypted = await crypto.subtle.encrypt(
      { name: 'AES-GCM', iv, additionalData: PURPOSE },
      key,
      plain,
    )
    return Buffer.concat([iv, new Uint8Array(encrypted)]).toString('base64url')
  }

  /** Undefined unless this service made the cookie, less than 12 hours ago. */
  async open(cookie: string | undefined): Promise<Session | undefined> {
    if (this.#secret === undefined || cookie === undefined || cookie.length > MAX_COOKIE) return undefined
    const bytes = new Uint8Array(Buffer.from(cookie, 'base64url'))
    const [iv, encrypted] = [bytes.slice(0, IV_BYTES), bytes.slice(IV_BYTES)]
    try {
      const key = await this.#theKey()
      const algorithm = { name: 'AES-GCM', iv, additionalData: PURPOSE }
      const text = new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, encrypted))
      const session = sessionSchema.safeParse(parseJson(text)).data
      return session !== undefined && session.until > Date.now() ? session : undefined
    } catch {
      // Not ours, or made with other tokens.
      return undefined
    }
  }

  #theKey(): Promise<CryptoKey> {
    this.#key ??= deriveKey(this.#secret ?? new Uint8Array(0))
    return this.#key
  }
}

/** Compares in constant time. */
export function isFormOf(session: Session, form: string | undefined): boolean {
  const [known, sent] = [encodeUtf8(session.form), encodeUtf8(form ?? '')]
  return known.length === sent.length && timingSafeEqual(known, sent)
}

/** RFC 5869: another key for each purpose, though the secret is the same. */
async function deriveKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey'])
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: encodeUtf8('lamina'), info: PURPOSE },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
}

function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text))
}
