/** Secrets of webhooks: a caller that presents one, in one of three ways, is the registry that it was given to. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { Problem } from '../../problem.ts'

/** What a request presents. */
export type Shown = {
  /** The parameter `secret`. */
  readonly query?: string | undefined
  readonly authorization?: string | undefined
  /** `X-Hub-Signature-256`: `sha256=` and the HMAC of the body in hex. */
  readonly signature?: string | undefined
}

/** @throws Problem `unauthorized` if it presents nothing that could be a secret: then its body need not be read */
export function requireShown({ query, authorization, signature }: Shown): void {
  if (query !== undefined || authorization !== undefined || signature !== undefined) return
  throw unauthorized()
}

/**
 * Compares with every secret, in constant time.
 *
 * @throws Problem `unauthorized` if none matches
 */
export function requireSecret(secrets: readonly string[], shown: Shown, body: Uint8Array): void {
  const words = [shown.query, bearerOf(shown.authorization)].map((word) => hash(word ?? ''))
  const signature = hash(shown.signature ?? '')
  let matches = 0
  for (const secret of secrets) {
    const known = hash(secret)
    for (const word of words) if (timingSafeEqual(known, word)) matches++
    const signed = createHmac('sha256', secret).update(body).digest('hex')
    if (timingSafeEqual(hash(`sha256=${signed}`), signature)) matches++
  }
  if (matches === 0) throw unauthorized()
}

function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
}

/** Hashes, so that all inputs have the same length. */
function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function unauthorized(): Problem {
  const detail =
    'this webhook needs one of LAMINA_WEBHOOK_SECRETS: as `Authorization: Bearer SECRET`, as the parameter secret, or as X-Hub-Signature-256'
  return new Problem('unauthorized', detail, { authenticate: 'Bearer realm="lamina"' })
}
