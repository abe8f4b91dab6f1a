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

/**
 * Compares what stands in the query and in `Authorization` with every secret, in constant time, before the body is read.
 *
 * @returns false if only a signature can tell: `requireSignature` needs the body
 * @throws Problem `unauthorized` if no secret matches and there is no signature
 */
export function presents(secrets: readonly string[], { query, authorization, signature }: Shown): boolean {
  const words = [query, bearerOf(authorization)].map((word) => hash(word ?? ''))
  let matches = 0
  for (const secret of secrets) {
    const known = hash(secret)
    for (const word of words) if (timingSafeEqual(known, word)) matches++
  }
  if (matches === 0 && signature === undefined) throw unauthorized()
  return matches > 0
}

/** @throws Problem `unauthorized` if no secret has signed the body */
export function requireSignature(secrets: readonly string[], { signature }: Shown, body: Uint8Array): void {
  const given = hash(signature ?? '')
  let matches = 0
  for (const secret of secrets) {
    const signed = createHmac('sha256', secret).update(body).digest('hex')
    if (timingSafeEqual(hash(`sha256=${signed}`), given)) matches++
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
