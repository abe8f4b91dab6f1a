/** How a registry is shown a credential, and how it is kept out of what others see. */
import type { Credential } from '../../../oci/credential.ts'

const REDACTED = '[redacted]'
/** A shorter one would be found in ordinary words. */
const MIN_REDACTED_LENGTH = 4

/** `Authorization` of the scheme Basic (RFC 7617). */
export function basicAuthorization(credential: {
  readonly username: string
  readonly password: string
}): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`, 'utf8').toString('base64')}`
}

/** The text without the credential's secrets, and without any other `Authorization` that it repeats. */
export function redact(text: string, credential: Credential | undefined): string {
  const bare = secretsOf(credential)
    .filter((secret) => secret.length >= MIN_REDACTED_LENGTH)
    .reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text)
  return bare.replace(/\b(Basic|Bearer)\s+[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`)
}

/** As they are given, and as they are sent. */
function secretsOf(credential: Credential | undefined): readonly string[] {
  if (credential === undefined) return []
  if (!('password' in credential)) return Object.values(credential)
  const sent = basicAuthorization(credential).slice('Basic '.length)
  return [sent, sent.replace(/=+$/, ''), credential.password]
}
