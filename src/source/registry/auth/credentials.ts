/** How credentials are presented to a registry, and kept out of what others see. */
import type { Credential } from '../../../oci/credential.ts'

const REDACTED = '[redacted]'
/** Shorter secrets would match parts of ordinary words. */
const MIN_REDACTED_LENGTH = 4

/** `Authorization` of the scheme Basic (RFC 7617). */
export function basicAuthorization(credential: {
  readonly username: string
  readonly password: string
}): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`, 'utf8').toString('base64')}`
}

/** The text without the credential's secrets, and without any `Authorization` value that it repeats. */
export function redact(text: string, credential: Credential | undefined): string {
  const bare = secretsOf(credential)
    .filter((secret) => secret.length >= MIN_REDACTED_LENGTH)
    .reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text)
  return bare.replace(/\b(Basic|Bearer)\s+[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`)
}

/** The secrets as given and as sent. */
function secretsOf(credential: Credential | undefined): readonly string[] {
  if (credential === undefined) return []
  if (!('password' in credential)) return Object.values(credential)
  const sent = basicAuthorization(credential).slice('Basic '.length)
  return [sent, sent.replace(/(?<!=)=+$/, ''), credential.password]
}
